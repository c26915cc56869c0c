"""Makes the tokenizer fixtures of vision models' families: small vocabularies and the ids that the references give.

    pip install tokenizers==0.23.3 sentencepiece==0.2.3 transformers==5.24.0 protobuf
    python make_vocabularies.py

Uses the lines and the corpus of make_tokenizers.py. Writes, for those read from tokenizer.json, NAME.json, and for those
that are a SentencePiece model alone, NAME.model; beside each NAME.few, the ids of every third of the lines.
"""

import json
import pathlib
import tempfile

import sentencepiece
import tokenizers
import transformers
from make_tokenizers import AddedToken, Regex, Tokenizer, corpus, decoders, llama_model, make_bytelevel, make_llama, models, normalizers
from make_tokenizers import pre_tokenizers, processors, special, with_model
from sentencepiece import sentencepiece_model_pb2
from tokenizers import trainers
from transformers.models.siglip.tokenization_siglip import SiglipTokenizer

assert (tokenizers.__version__, sentencepiece.__version__, transformers.__version__) == ("0.23.3", "0.2.3", "5.24.0")

HERE = pathlib.Path(__file__).parent
LINES = json.loads((HERE / "lines.json").read_text(encoding="utf-8"))[::3]
PUNCTUATION = r"[!\"\#\$%\&'\(\)\*\+,\-\./:;<=>\?@\[\\\]\^_`\{\|\}\~]"
# A few rules of the kinds that nmt_nfkc has, whose compiled map alone is larger than all fixtures here.
RULES = {
    "\ufb01": "fi", "\ufb00": "ff", "\u2460": "1", "\u00b2\u00b3": "23", "\u00b2": "2", "\u00bd": "1\u20442", "\u212b": "\u00c5",
    "e\u0301": "\u00e9", "\u2026": "...", "\uff26": "F", "\u00a0": " ", "\u3000": " ", "\u202f": " ", "\t": " ", "\n": " ", "\r": " ",
    "\u200b": "", "\u00ad": "", "\ufeff": "", "\u1100\u1161\u11a8": "\uac01", "\U0001f3f3\ufe0f": "\U0001f3f3", "\u01c5": "D\u017e",
    "ab": "Ab", "\u2581": " ",
}  # fmt: skip


def sentencepiece_model(kind, size, normalized, **options):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "lines.txt").write_text("\n".join(line.replace("\n", " ").replace("\r", " ") for line in corpus()) + "\n", encoding="utf-8")
        rows = ["\t".join(" ".join(f"{ord(c):X}" for c in text) for text in rule) for rule in RULES.items()]
        (folder / "rules.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
        rules = {"normalization_rule_tsv": str(folder / "rules.tsv")} if normalized else {"normalization_rule_name": "identity"}
        sentencepiece.SentencePieceTrainer.train(
            input=str(folder / "lines.txt"), model_prefix=str(folder / "m"), model_type=kind, vocab_size=size,
            self_test_sample_size=0, minloglevel=2, num_threads=1, hard_vocab_limit=False, **rules, **options)  # fmt: skip
        model = sentencepiece_model_pb2.ModelProto()
        model.ParseFromString((folder / "m.model").read_bytes())
    model.trainer_spec.ClearField("input")
    model.trainer_spec.ClearField("model_prefix")
    model.normalizer_spec.ClearField("normalization_rule_tsv")
    return model


def make_smollm(lines):
    base = make_bytelevel(lines)
    base.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)])  # fmt: skip
    base.add_special_tokens(special("<|im_start|>", "<end_of_utterance>", "<fake_token_around_image>", "<row_1_col_1>"))
    return base


def make_phi3(lines):
    tokenizer = make_llama(lines)
    names = ["<|endoftext|>", "<|assistant|>", "<|end|>", "<|user|>"]
    tokenizer.add_special_tokens([AddedToken(n, rstrip=True, normalized=False, special=True) for n in names])
    return tokenizer


def make_gemma(lines, lowercases):
    tokenizer = with_model(llama_model(lines), special("<unk>", "<s>", "</s>"))
    spaces = normalizers.Replace(" ", "▁")
    tokenizer.normalizer = normalizers.Sequence([normalizers.Lowercase(), spaces]) if lowercases else spaces
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", behavior="merged_with_previous")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 2)])
    return tokenizer


def make_unigram(lines, charsmap):
    """As SigLIP's tokenizer.json: cleaned text, one list of scored pieces."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([
        normalizers.Lowercase(), normalizers.Replace(Regex(PUNCTUATION), ""), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip(),
        normalizers.Precompiled(charsmap), normalizers.Replace(Regex(" {2,}"), " ")])  # fmt: skip
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=True)
    tokenizer.train_from_iterator(lines, trainers.UnigramTrainer(
        vocab_size=600, show_progress=False, special_tokens=["<unk>", "</s>"], unk_token="<unk>"))  # fmt: skip
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return tokenizer


def write_ids(name, ids):
    (HERE / f"{name}.few").write_text("".join(" ".join(map(str, line)) + "\n" for line in ids))


def main():
    lines = corpus()
    siglip = sentencepiece_model("unigram", 600, True, unk_id=2, eos_id=1, pad_id=0, bos_id=-1)
    for name, tokenizer in {
        "smollm": make_smollm(lines), "phi3": make_phi3(lines), "gemma": make_gemma(lines, False), "siglip2": make_gemma(lines, True),
        "unigram": make_unigram(lines, siglip.normalizer_spec.precompiled_charsmap),
    }.items():  # fmt: skip
        text = json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False, separators=(",", ":"))
        (HERE / f"{name}.json").write_text(text, encoding="utf-8")
        tokenizer = Tokenizer.from_str(text)
        write_ids(name, [tokenizer.encode(line).ids for line in LINES])
    spaces = {"remove_extra_whitespaces": False, "split_digits": True, "allow_whitespace_only_pieces": True}
    for name, model in {
        "llama": sentencepiece_model("bpe", 900, False, byte_fallback=True, **spaces),
        "bpe": sentencepiece_model("bpe", 700, True),
        "pieces": sentencepiece_model("unigram", 900, True, byte_fallback=True),
    }.items():  # fmt: skip
        path = HERE / f"{name}.model"
        path.write_bytes(model.SerializeToString())
        processor = sentencepiece.SentencePieceProcessor(model_file=str(path))
        write_ids(name, [processor.encode(line) for line in LINES])
    path = HERE / "siglip.model"
    path.write_bytes(siglip.SerializeToString())
    tokenizer = SiglipTokenizer(str(path))
    write_ids("siglip", [tokenizer(line)["input_ids"] for line in LINES])


if __name__ == "__main__":
    main()
