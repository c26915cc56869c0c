"""Makes the tokenizer fixtures: small tokenizers of each family and the ids and texts that the reference gives.

    pip install tokenizers==0.23.3
    python make_tokenizers.py

Every line of text is made here from word lists and a seeded generator. Writes, beside this script,
    NAME.json     a tokenizer in the library's own format
    lines.json    the lines of text
    NAME.ids      per line the ids, special tokens added (space-separated decimals)
    NAME.texts    JSON: {line number: decoded text without special tokens} where it differs from the line
    NAME.cuts     JSON: [[ids, decoded text with special tokens]], random stretches that cut characters in two
"""

import json
import pathlib
import random
import unicodedata

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HERE = pathlib.Path(__file__).parent
NUMBER_OF_LINES = 1000

NOUNS = "car tree house lamp kettle river market bridge window garden bottle horse letter engine mountain pillow".split()
ADJECTIVES = "red small wooden quiet bright heavy ancient round striped empty golden narrow".split()
VERBS = "stands leans rolls waits shines opens falls carries follows covers".split()
PLACES = ["on the left", "near the top", "behind it", "in front of a wall", "below the other one", "between them"]
ACCENTED = "café naïve Zürich señor œuvre Łódź Škoda Ångström façade piñata crème brûlée Việt Nam İstanbul ǅungla".split()
CJK = ["红色的汽车停在左边", "山の上に小さな家がある", "桌子上有三个瓶子", "窓の外は雨です", "𠮷野家", "〇〇年"]
HANGUL = ["빨간 자동차가 왼쪽에 있다", "나무 아래의 작은 집", "각각", "ㅋㅋㅋ"]
ARABIC = ["سيارة حمراء على اليسار", "بَيْتٌ صَغِيرٌ", "١٢٣٤ شجرة"]
OTHERS = ["красная машина слева", "ΟΔΟΣ ΣΙΣΥΦΟΣ", "लाल गाड़ी", "รถสีแดง", "ԱՐԵՎ", "ⅫⅣ ½ ²³ ①", "Ǆ ﬁ ﬀ ẞ ſ Å Ω"]
EMOJI = ["👩‍👩‍👧‍👦", "🏳️‍🌈", "👍🏽", "🇩🇪🇫🇷", "❤️‍🔥", "😀", "🧑🏿‍🚀", "☃️", "1️⃣"]
INVISIBLE = ["\u200b", "\u200d", "\u200e", "\ufeff", "\u00ad", "\u2060", "\u202f", "\u3000", "\u00a0", "\u2028", "\u0085"]
CONTROL = ["\x00", "\x01", "\x07", "\x0b", "\x0c", "\x1b", "\x1c", "\x1f", "\x7f", "\x80", "\x9f"]
MARKS = ["\u0301", "\u0308", "\u0323\u0307", "\u0345", "\u093c", "\u3099", "\u20dd", "\u0ba3\u0bbf"]
CODE = ["for (int i = 0; i < n; ++i) { a[i] += b[i]; }", "def f(x):\n    return x**2  # square", "x\t=\t0x1F;\r\n",
        "<a href=\"#top\">up</a>", "SELECT * FROM t WHERE id='7';", "\\frac{1}{2} $\\alpha_i$", "let s = \"a\\n\";", "__init__.py"]
CONTRACTIONS = ["I'm", "it's", "WE'LL", "they'Ve", "don't", "He'D", "you're", "it'ſ", "'tis", "rock 'n' roll", "x'y", "''s", "'", "l'été"]
NUMBERS = ["3", "12", "345", "6789", "1234567", "3.14159", "1,000,000", "2024-02-29", "v1.2.3", "10%", "1e-7", "٣٤٥"]
SPECIALS = ["<s>", "</s>", "<unk>", "<image>", "<pad>", "<|startoftext|>", "<|endoftext|>", "<|im_end|>", "<0x41>", "<0xE2>",
            "</w>", "▁", "▁▁", "Ġ", "Ċ", "<mask>", "tool_call", "Tool_Call", "<Image>", "< image >", "<s", "<||>"]


def sentence(r):
    return f"A {r.choice(ADJECTIVES)} {r.choice(NOUNS)} {r.choice(VERBS)} {r.choice(PLACES)}."


def corpus():
    r = random.Random(1)
    lines = [sentence(r) for _ in range(1500)]
    for pool in (ACCENTED, CJK, HANGUL, ARABIC, OTHERS, CODE, CONTRACTIONS, NUMBERS, EMOJI):
        for _ in range(60):
            lines.append(" ".join(r.choice(pool) for _ in range(3)))
    return lines


def scrap(r):
    pool = r.choice([ACCENTED, CJK, HANGUL, ARABIC, OTHERS, EMOJI, INVISIBLE, CONTROL, MARKS, CODE, CONTRACTIONS, NUMBERS,
                     SPECIALS, SPECIALS, NOUNS, ADJECTIVES])
    return r.choice(pool)


def line(r, n):
    kind = n % 10
    if kind == 0:
        return " ".join(sentence(r) for _ in range(r.randint(1, 3)))
    if kind == 1:
        return unicodedata.normalize(r.choice(["NFC", "NFD", "NFKD"]), " ".join(r.choice(ACCENTED + HANGUL + OTHERS) for _ in range(4)))
    if kind == 2:
        return " " * r.randint(0, 4) + sentence(r) + r.choice([" ", "  ", "\n", "\t", "\n\n", " \n ", "\r\n", ""])
    if kind == 3:
        return "".join(r.choice(["", " ", "  ", "   ", "\t", "\n"]) + scrap(r) for _ in range(r.randint(1, 6)))
    if kind == 4:
        return f"USER: {r.choice(SPECIALS)}\n{sentence(r)} ASSISTANT:{r.choice(['', ' '])}{r.choice(SPECIALS)}{sentence(r)}"
    if kind == 5:
        return r.choice(["", " ", "  ", "\n", "\t", "   \n", "\u00a0", "\u200b", "a", "é", "e\u0301", "\x00"]) * r.randint(1, 3)
    if kind == 6:
        return "".join(r.choice(NOUNS + NUMBERS + CONTRACTIONS) + r.choice([" ", ", ", "; ", "-", "\n", "  \n  ", "…", "!?\n\n"]) for _ in range(6))
    if kind == 7:
        return "".join(chr(r.choice([r.randint(0x20, 0x7E), r.randint(0xA0, 0x24F), r.randint(0x300, 0x36F), r.randint(0x370, 0xFFF),
                                     r.randint(0x1E00, 0x206F), r.randint(0x3040, 0x30FF), r.randint(0xAC00, 0xD7A3), r.randint(0x1F300, 0x1F5FF)]))
                       for _ in range(r.randint(1, 20)))
    if kind == 8:
        return "".join(scrap(r) for _ in range(r.randint(2, 5)))
    return r.choice(CODE) + r.choice(["", "  ", "\n\t"]) + r.choice(CODE).upper()


def mixed_lines():
    r = random.Random(2)
    return [line(r, n) for n in range(NUMBER_OF_LINES)]


def special(*tokens):
    return [AddedToken(t, special=True, normalized=False) for t in tokens]


def train(tokenizer, lines, **options):
    tokenizer.train_from_iterator(lines, trainers.BpeTrainer(show_progress=False, **options))
    return tokenizer


def llama_model(lines):
    """LLaMA's vocabulary layout: specials, the 256 bytes, then characters and merges."""
    trained = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    trained.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    train(trained, lines, vocab_size=800, limit_alphabet=110,
          special_tokens=["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)])
    return json.loads(trained.to_str())["model"]


def with_model(model, added):
    tokenizer = Tokenizer.from_str(json.dumps({"version": "1.0", "truncation": None, "padding": None, "added_tokens": [],
                                               "normalizer": None, "pre_tokenizer": None, "post_processor": None,
                                               "decoder": None, "model": model}))
    tokenizer.add_special_tokens(added)
    return tokenizer


def llama_decoder():
    return decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])


def begins_with_bos():
    return processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)])


def make_llama(lines):
    """The legacy form: spaces become marks in the normalizer; added tokens of every kind."""
    tokenizer = with_model(llama_model(lines), special("<unk>", "<s>", "</s>", "<image>", "<pad>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = llama_decoder()
    tokenizer.post_processor = begins_with_bos()
    tokenizer.add_tokens([AddedToken("<mask>", lstrip=True, rstrip=True, normalized=False)])
    tokenizer.add_tokens([AddedToken("tool_call", single_word=True, normalized=True)])
    return tokenizer


def make_metaspace(lines):
    """The new form: Metaspace without splitting, a mark at the beginning only."""
    tokenizer = with_model(llama_model(lines), special("<unk>", "<s>", "</s>", "<image>", "<pad>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    tokenizer.decoder = llama_decoder()
    tokenizer.post_processor = begins_with_bos()
    return tokenizer


def make_bytelevel(lines):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    train(tokenizer, lines, vocab_size=700, special_tokens=["<|endoftext|>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    tokenizer.add_special_tokens(special("<|im_end|>"))
    tokenizer.add_tokens([AddedToken("tool_call", rstrip=True)])
    return tokenizer


TIKTOKEN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}%s| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")


def make_tiktoken(base, digits, normalizer, ignore_merges):
    """Llama 3's and Qwen2's splitting over the byte-level vocabulary."""
    description = json.loads(base.to_str())
    description["model"]["ignore_merges"] = ignore_merges
    tokenizer = Tokenizer.from_str(json.dumps(description))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(TIKTOKEN % digits), behavior="isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    return tokenizer


def make_clip(lines):
    tokenizer = Tokenizer(models.BPE(unk_token="<|endoftext|>", continuing_subword_prefix="", end_of_word_suffix="</w>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"), behavior="removed", invert=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False)])
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    train(tokenizer, lines, vocab_size=900, end_of_word_suffix="</w>", initial_alphabet=alphabet,
          special_tokens=["<|startoftext|>", "<|endoftext|>"] + [c + "</w>" for c in sorted(alphabet)])
    # Only the two special tokens are to be cut out of the text; the alphabet was listed for its ids alone.
    description = json.loads(tokenizer.to_str())
    description["added_tokens"] = description["added_tokens"][:2]
    tokenizer = Tokenizer.from_str(json.dumps(description))
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.RobertaProcessing(("<|endoftext|>", 1), ("<|startoftext|>", 0), False, False)
    tokenizer.add_tokens([AddedToken("Tool_Call", single_word=True, lstrip=True, normalized=True)])
    return tokenizer


def make_splits(base):
    """The steps that the published tokenizers above leave out, in one chain over the byte-level vocabulary."""
    tokenizer = Tokenizer.from_str(base.to_str())
    tokenizer.normalizer = normalizers.Sequence([normalizers.Strip(left=True, right=False), normalizers.NFKC()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(" ", behavior="merged_with_previous"),
        pre_tokenizers.Split("e", behavior="contiguous"),
        pre_tokenizers.Split("an", behavior="merged_with_next"),
        pre_tokenizers.Split("s", behavior="merged_with_previous", invert=True),
        pre_tokenizers.Digits(individual_digits=False),
        pre_tokenizers.ByteLevel(add_prefix_space=True, use_regex=False)])
    tokenizer.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=True),
        processors.TemplateProcessing(single="<|im_end|> $A <|endoftext|>",
                                      special_tokens=[("<|im_end|>", tokenizer.token_to_id("<|im_end|>")), ("<|endoftext|>", 0)])])
    return tokenizer


def make_words(lines):
    """Metaspace in its old form, with unknown characters fused instead of spelt in bytes."""
    model = llama_model(lines)
    model["byte_fallback"] = False
    tokenizer = with_model(model, special("<unk>", "<s>", "</s>"))
    tokenizer.normalizer = normalizers.NFD()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Metaspace(prepend_scheme="always", split=True), pre_tokenizers.Digits(individual_digits=True)])
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")
    return tokenizer


def decoded(name, tokenizer, ids, skip):
    text = tokenizer.decode(ids, skip_special_tokens=skip)
    # transformers' CLIPTokenizer does this after the library's decoding.
    return text.replace("</w>", " ").strip() if name == "clip" else text


def write(name, tokenizer, lines):
    description = json.loads(tokenizer.to_str())
    if name == "bytelevel":
        # One fixture keeps the older form of merges.
        description["model"]["merges"] = [" ".join(pair) for pair in description["model"]["merges"]]
    if name == "words":
        metaspace = description["pre_tokenizer"]["pretokenizers"][0]
        assert metaspace.pop("prepend_scheme") == "always" and metaspace.pop("split")
        metaspace["add_prefix_space"] = True
    text = json.dumps(description, ensure_ascii=False, separators=(",", ":"))
    (HERE / f"{name}.json").write_text(text, encoding="utf-8")
    tokenizer = Tokenizer.from_str(text)
    ids = [tokenizer.encode(text).ids for text in lines]
    (HERE / f"{name}.ids").write_text("".join(" ".join(map(str, i)) + "\n" for i in ids))
    texts = {str(n): t for n, (i, source) in enumerate(zip(ids, lines)) if (t := decoded(name, tokenizer, i, True)) != source}
    (HERE / f"{name}.texts").write_text(json.dumps(texts, ensure_ascii=False), encoding="utf-8")
    r = random.Random(3)
    cuts = []
    while len(cuts) < 100:
        whole = r.choice(ids)
        start, end = sorted((r.randint(0, len(whole)), r.randint(0, len(whole))))
        if start < end:
            cuts.append([whole[start:end][:30], decoded(name, tokenizer, whole[start:end][:30], False)])
    (HERE / f"{name}.cuts").write_text(json.dumps(cuts, ensure_ascii=False), encoding="utf-8")


def main():
    lines, text = mixed_lines(), corpus()
    (HERE / "lines.json").write_text(json.dumps(lines, ensure_ascii=False), encoding="utf-8")
    base = make_bytelevel(text)
    write("llama", make_llama(text), lines)
    write("metaspace", make_metaspace(text), lines)
    write("bytelevel", base, lines)
    write("llama3", make_tiktoken(base, "{1,3}", None, True), lines)
    write("qwen2", make_tiktoken(base, "", normalizers.NFC(), False), lines)
    write("clip", make_clip(text), lines)
    write("splits", make_splits(base), lines)
    write("words", make_words(text), lines)


if __name__ == "__main__":
    main()
