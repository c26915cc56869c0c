"""The peers of `make bench PEERS=1`: TRL + PEFT in DPO training, transformers' generate in sampling, llama.cpp on prompts
and single answers.

    python3 -m venv venv
    venv/bin/pip install … the packages of PACKAGES below, which it names when they are missing
    venv/bin/python -B Tests/Benchmarks/peers.py --make DIR        # write model, pictures, prompts, pairs
    venv/bin/python -B Tests/Benchmarks/peers.py --serve train --dtype bf16 DIR
                                                                  # measure on them, a turn for each line of input

DIR then holds, for this program and for Sightline's own alike:

    model/          a random LLaVA of about 100 M parameters in Hugging Face layout, float32
    images/         one picture per prompt; records name them relative to DIR
    prompts.jsonl   32 prompts of 40 tokens (template and start token counted, the 196 image tokens not)
    pairs.jsonl     the same prompts with two answers of 64 tokens each (end token counted)

`--serve` first finds the batch size that does best and says on a line of JSON what it is; then, for each line that comes
in, it takes one turn and answers with its rate (pairs or new tokens a second). `--serve products` answers `m n k left
right` with the seconds of PyTorch's product alone, whose factors are transposed where that says 1. `--serve decode
--llama-bench FILE` answers `prompt` and `answer` with llama.cpp's tokens a second on a decoder of 1.1 B parameters, which
it writes into DIR with the package gguf. `batch_size` of
`sample` counts prompts: five answers are drawn of each at once. `--quick` takes one small batch only, to see that
everything runs; its figures mean nothing.
"""

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PACKAGES = {"torch": "2.13.0", "transformers": "5.24.0", "trl": "1.16.0", "peft": "0.21.2", "pillow": "13.0.0"}
PROMPTS, PROMPT_TOKENS, ANSWER_TOKENS, ANSWERS = 32, 40, 64, 5
IMAGE, PATCH, VOCABULARY = 224, 16, 8000
IMAGE_TOKENS = (IMAGE // PATCH) ** 2
PROJECTIONS = r".*language_model\..*\.(q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)"
TEXT = {
    "model_type": "llama", "vocab_size": VOCABULARY, "hidden_size": 768, "intermediate_size": 2048,
    "num_hidden_layers": 12, "num_attention_heads": 12, "num_key_value_heads": 12, "rms_norm_eps": 1e-5,
    "max_position_embeddings": 1024, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": VOCABULARY - 1,
}  # fmt: skip
VISION = {
    "model_type": "clip_vision_model", "hidden_size": 256, "intermediate_size": 1024, "num_hidden_layers": 4,
    "num_attention_heads": 4, "image_size": IMAGE, "patch_size": PATCH, "projection_dim": 256,
}  # fmt: skip

CHAT_TEMPLATE = (
    "{% for message in messages %}{{ message['role'].upper() + ': ' }}"
    "{% for part in message['content'] | selectattr('type', 'equalto', 'image') %}{{ '<image>\\n' }}{% endfor %}"
    "{% for part in message['content'] | selectattr('type', 'equalto', 'text') %}{{ part['text'] + ' ' }}{% endfor %}"
    "{% endfor %}{% if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}"
)


def talk(*words):
    print(*words, file=sys.stderr, flush=True)


# Making the directory


def make_vocabulary():
    """A LLaMA-style vocabulary without training: letters, syllables, then words of two and three syllables."""
    special = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    consonants, vowels = "bdfghklmnprstv", "aeiou"
    tokens, merges = list("▁" + consonants + vowels + "USER:AITN"), []
    tokens = list(dict.fromkeys(tokens))

    def merge(left, right):
        merges.append((left, right))
        tokens.append(left + right)

    syllables = [c + v for c in consonants for v in vowels]
    for syllable in syllables:
        merge(*syllable)
    for syllable in syllables:
        merge("▁", syllable)
    for word in ("▁USER:", "▁ASSISTANT:"):
        for end in range(1, len(word)):
            if word[: end + 1] not in tokens:
                merge(word[:end], word[end])
    words = []
    for first in syllables:
        for second in syllables:
            words.append(first + second)
            merge("▁" + first, second)
    room = VOCABULARY - len(special) - len(tokens) - 2
    assert 0 < room < len(words)
    for index in range(room):
        merge("▁" + words[index], syllables[index % 7 * 9])
    return special + tokens, merges, words


def make_tokenizer():
    from tokenizers import Tokenizer, decoders, models, normalizers, processors

    tokens, merges, words = make_vocabulary()
    vocabulary = {token: index for index, token in enumerate(tokens)}
    tokenizer = Tokenizer(
        models.BPE(vocab=vocabulary, merges=merges, byte_fallback=True, fuse_unk=True, unk_token="<unk>")
    )
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(content=" ", left=1)]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)]
    )
    tokenizer.add_special_tokens(["<unk>", "<s>", "</s>", "<image>", "<pad>"])
    assert tokenizer.get_vocab_size() == VOCABULARY
    return tokenizer, words


def prompt_text(question):
    return f"USER: <image>\n{question} ASSISTANT:"


def write_model(folder, tokenizer):
    import torch
    from transformers import LlavaConfig, LlavaForConditionalGeneration

    config = LlavaConfig(
        text_config=TEXT, vision_config=VISION, image_token_index=VOCABULARY - 2, image_seq_length=IMAGE_TOKENS,
        vision_feature_layer=-2, vision_feature_select_strategy="default",
    )  # fmt: skip
    torch.manual_seed(1)
    model = LlavaForConditionalGeneration(config)
    model.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    files = {
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>",
            "pad_token": "<pad>", "padding_side": "left", "model_max_length": 1024, "add_bos_token": True,
            "clean_up_tokenization_spaces": False, "chat_template": CHAT_TEMPLATE,
        },
        "preprocessor_config.json": {
            "image_processor_type": "CLIPImageProcessor", "do_convert_rgb": True, "do_resize": True,
            "size": {"shortest_edge": IMAGE}, "resample": 3, "do_center_crop": True,
            "crop_size": {"height": IMAGE, "width": IMAGE}, "do_rescale": True, "rescale_factor": 1 / 255,
            "do_normalize": True, "image_mean": [0.48145466, 0.4578275, 0.40821073],
            "image_std": [0.26862954, 0.26130258, 0.27577711],
        },
    }  # fmt: skip
    for name, value in files.items():
        (folder / name).write_text(json.dumps(value, indent=1) + "\n")
    return sum(p.numel() for p in model.parameters())


def write_records(folder, tokenizer, words):
    import random

    from PIL import Image, ImageDraw

    draw_words = random.Random(2)
    empty = len(tokenizer.encode(prompt_text(words[0])).ids) - 1 - 1
    question_words = PROMPT_TOKENS - empty

    def phrase(count):
        return " ".join(draw_words.choice(words) for _ in range(count))

    (folder / "images").mkdir(exist_ok=True)
    prompts, pairs = [], []
    for index in range(PROMPTS):
        picture = Image.new("RGB", (320, 240), tuple(draw_words.randrange(256) for _ in range(3)))
        pen = ImageDraw.Draw(picture)
        for _ in range(6):
            x, y, size = draw_words.randrange(260), draw_words.randrange(180), draw_words.randrange(20, 60)
            pen.ellipse([x, y, x + size, y + size], fill=tuple(draw_words.randrange(256) for _ in range(3)))
        picture.save(folder / "images" / f"{index}.png")
        record = {"id": f"bench-{index}", "image": f"images/{index}.png", "prompt": phrase(question_words)}
        pair = record | {"chosen": phrase(ANSWER_TOKENS - 1), "rejected": phrase(ANSWER_TOKENS - 1)}
        start = tokenizer.encode(prompt_text(record["prompt"])).ids
        assert len(start) - 1 == PROMPT_TOKENS, len(start)
        for side in ("chosen", "rejected"):
            whole = tokenizer.encode(f"{prompt_text(record['prompt'])} {pair[side]}</s>").ids
            assert whole[: len(start)] == start and len(whole) - len(start) == ANSWER_TOKENS
        prompts.append(record)
        pairs.append(pair)
    for name, records in (("prompts", prompts), ("pairs", pairs)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records))


def make(folder):
    (folder / "model").mkdir(parents=True, exist_ok=True)
    tokenizer, words = make_tokenizer()
    parameters = write_model(folder / "model", tokenizer)
    write_records(folder, tokenizer, words)
    talk(f"{folder}: {parameters / 1e6:.1f} M parameters, {PROMPTS} prompts and pairs")


# Measuring


def read_records(folder, name):
    with open(folder / f"{name}.jsonl") as lines:
        return [json.loads(line) for line in lines]


def load_processor(folder):
    from transformers import AutoTokenizer, LlavaProcessor
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    return LlavaProcessor(
        image_processor=CLIPImageProcessorPil.from_pretrained(folder / "model"),
        tokenizer=AutoTokenizer.from_pretrained(folder / "model"),
        patch_size=PATCH, vision_feature_select_strategy="default", num_additional_image_tokens=1,
    )  # fmt: skip


def load_model(folder, dtype):
    from transformers import LlavaForConditionalGeneration

    return LlavaForConditionalGeneration.from_pretrained(folder / "model", dtype=dtype, attn_implementation="sdpa")


def train(folder, dtype, batch_size, turns):
    """Takes DPO steps of TRL + PEFT, collation, forward, backward and update: one to warm up, then for as
    long as `turns.goes_on()`; `turns.took` is told the seconds of each."""
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from PIL import Image
    from transformers import TrainerCallback
    from trl import DPOConfig, DPOTrainer

    class Turns(TrainerCallback):
        start = None

        def on_step_end(self, args, state, control, **kwargs):
            if self.start is not None:
                turns.took(time.perf_counter() - self.start)
            control.should_training_stop = not turns.goes_on()
            self.start = time.perf_counter()

    records = read_records(folder, "pairs")
    rows = [records[i % len(records)] for i in range(batch_size * 64)]
    dataset = Dataset.from_list([
        {
            "images": [Image.open(folder / r["image"]).convert("RGB")],
            "prompt": "<s>" + prompt_text(r["prompt"]),
            "chosen": r["chosen"] + "</s>",
            "rejected": r["rejected"] + "</s>",
        }
        for r in rows
    ])  # fmt: skip
    with tempfile.TemporaryDirectory() as scratch:
        config = DPOConfig(
            output_dir=scratch, per_device_train_batch_size=batch_size, max_steps=64, beta=0.1,
            learning_rate=1e-5, train_sampling_strategy="sequential", logging_strategy="no", report_to="none",
            save_strategy="no", gradient_checkpointing=False, bf16=dtype == torch.bfloat16, use_cpu=True,
            max_length=None, disable_tqdm=True,
        )  # fmt: skip
        trainer = DPOTrainer(
            model=load_model(folder, dtype), args=config, train_dataset=dataset,
            processing_class=load_processor(folder),
            peft_config=LoraConfig(r=128, lora_alpha=256, task_type="CAUSAL_LM", target_modules=PROJECTIONS),
            callbacks=[Turns()],
        )  # fmt: skip
        trainer.train()


def generate(folder, model, processor, prompts_per_batch):
    """Seconds of a `generate` call: ANSWERS sampled answers of exactly ANSWER_TOKENS for each prompt."""
    import torch
    from PIL import Image

    records = read_records(folder, "prompts")
    chosen = [records[i % len(records)] for i in range(prompts_per_batch)]
    torch.manual_seed(1)
    start = time.perf_counter()
    inputs = processor(
        images=[Image.open(folder / r["image"]) for r in chosen],
        text=[prompt_text(r["prompt"]) for r in chosen], padding=True, return_tensors="pt",
    )  # fmt: skip
    inputs["pixel_values"] = inputs["pixel_values"].to(model.dtype)
    out = model.generate(
        **inputs, do_sample=True, temperature=1.0, top_k=0, top_p=1.0, num_return_sequences=ANSWERS,
        min_new_tokens=ANSWER_TOKENS, max_new_tokens=ANSWER_TOKENS,
    )  # fmt: skip
    seconds = time.perf_counter() - start
    expected = (prompts_per_batch * ANSWERS, inputs["input_ids"].shape[1] + ANSWER_TOKENS)
    assert out.shape == expected, (out.shape, expected)
    return seconds


def climb(sizes, seconds_of, work_per_item, what):
    """Try growing batch sizes until the rate falls; the best, and everything tried."""
    tried = []
    for size in sizes:
        rate = size * work_per_item / seconds_of(size)
        tried.append({"batch_size": size, what: rate})
        talk(f"  batch {size}: {rate:.3f} {what}")
        if rate < 0.97 * max(t[what] for t in tried):
            break
    return {**max(tried, key=lambda t: t[what]), "tried": tried}


class OneTurn:
    """Ends a training after one step that counts."""

    seconds = None

    def goes_on(self):
        return self.seconds is None

    def took(self, seconds):
        self.seconds = seconds


class AskedTurns:
    """A step for each line of standard input."""

    def __init__(self, work, answer):
        self.work, self.answer = work, answer

    def goes_on(self):
        return bool(sys.stdin.readline())

    def took(self, seconds):
        self.answer(self.work / seconds)


def serve_training(folder, dtype, quick, answer, introduce):
    def seconds_of(size):
        turn = OneTurn()
        train(folder, dtype, size, turn)
        return turn.seconds

    best = climb([1] if quick else [1, 2, 4, 8], seconds_of, 1, "pairs_per_second")
    turns = AskedTurns(best["batch_size"], answer)
    introduce(best)
    train(folder, dtype, best["batch_size"], turns)


def serve_sampling(folder, dtype, quick, answer, introduce):
    processor = load_processor(folder)
    model = load_model(folder, dtype).eval()
    generate(folder, model, processor, 1)
    best = climb(
        [1] if quick else [4, 8, 16, 32], lambda size: generate(folder, model, processor, size),
        ANSWERS * ANSWER_TOKENS, "new_tokens_per_second",
    )  # fmt: skip
    introduce(best)
    size = best["batch_size"]
    while sys.stdin.readline():
        answer(size * ANSWERS * ANSWER_TOKENS / generate(folder, model, processor, size))


def serve_products(folder, dtype, quick, answer, introduce):
    import torch

    introduce({})
    while line := sys.stdin.readline():
        m, n, k, left, right = map(int, line.split())
        a = torch.randn((k, m) if left else (m, k)).to(dtype)
        b = torch.randn((n, k) if right else (k, n)).to(dtype)
        a, b = a.T if left else a, b.T if right else b
        bundle = max(1, 20_000_000 // (m * n * k))
        seconds = []
        for _ in range(8):
            start = time.perf_counter()
            for _ in range(bundle):
                a @ b
            seconds.append((time.perf_counter() - start) / bundle)
        answer(statistics.median(seconds[1:]))


# TinyLlama's shape, as DecodeBench.swift has it.
DECODER = {"vocab": 32000, "context": 1024, "width": 2048, "inner": 5632, "layers": 22, "heads": 32, "kv_heads": 4}
STREAM_PROMPT, STREAM_ANSWER = 512, 32


def write_decoder(path, dtype):
    """Random weights in llama.cpp's format, of which matrices are of `dtype`."""
    import gguf
    import numpy

    d, kind = DECODER, {"f32": gguf.GGMLQuantizationType.F32, "bf16": gguf.GGMLQuantizationType.BF16}[dtype]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(d["context"])
    writer.add_embedding_length(d["width"])
    writer.add_feed_forward_length(d["inner"])
    writer.add_block_count(d["layers"])
    writer.add_head_count(d["heads"])
    writer.add_head_count_kv(d["kv_heads"])
    writer.add_rope_dimension_count(d["width"] // d["heads"])
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(d["vocab"])
    writer.add_tokenizer_model("no_vocab")
    numbers = numpy.random.default_rng(0).standard_normal(d["vocab"] * d["width"], dtype=numpy.float32) * 0.02

    def add(name, rows, columns):
        values = numbers[: rows * columns].reshape(rows, columns)
        writer.add_tensor(name, gguf.quants.quantize(values, kind), raw_dtype=kind)

    def ones(name):
        writer.add_tensor(name, numpy.ones(d["width"], numpy.float32))

    keys = d["width"] // d["heads"] * d["kv_heads"]
    add("token_embd.weight", d["vocab"], d["width"])
    for layer in range(d["layers"]):
        for name, rows, columns in [
            ("attn_q", d["width"], d["width"]), ("attn_k", keys, d["width"]), ("attn_v", keys, d["width"]),
            ("attn_output", d["width"], d["width"]), ("ffn_gate", d["inner"], d["width"]),
            ("ffn_up", d["inner"], d["width"]), ("ffn_down", d["width"], d["inner"]),
        ]:  # fmt: skip
            add(f"blk.{layer}.{name}.weight", rows, columns)
        ones(f"blk.{layer}.attn_norm.weight")
        ones(f"blk.{layer}.ffn_norm.weight")
    ones("output_norm.weight")
    add("output.weight", d["vocab"], d["width"])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def serve_decoding(folder, dtype, llama_bench, threads):
    path = folder / f"decoder-{dtype}.gguf"
    if not path.exists():
        talk(f"writing {path}")
        aside = path.with_suffix(".part")
        write_decoder(aside, dtype)
        aside.rename(path)

    def rate(prompt, answer):
        command = [
            llama_bench, "-m", path, "-t", threads, "-ngl", 0, "-p", prompt, "-n", answer, "-r", 1, "-o", "json",
        ]  # fmt: skip
        run = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if run.returncode:
            sys.exit(f"peers.py: {llama_bench} failed: {run.stderr.strip().splitlines()[-1:]}")
        return json.loads(run.stdout)[0]

    made = rate(0, 1)
    print(json.dumps({"dtype": dtype, "build": made["build_commit"], "model": made["model_type"]}), flush=True)
    while line := sys.stdin.readline():
        sizes = (STREAM_PROMPT, 0) if line.strip() == "prompt" else (0, STREAM_ANSWER)
        print(rate(*sizes)["avg_ts"], flush=True)


def serve(work, dtype, folder, quick, threads):
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(threads)
    reply = sys.stdout

    def say(text):
        print(text, file=reply, flush=True)

    def introduce(best):
        say(json.dumps({"dtype": dtype} | best | describe(folder, quick, threads)))

    kinds = {"f32": torch.float32, "bf16": torch.bfloat16}
    serves = {"train": serve_training, "sample": serve_sampling, "products": serve_products}
    with contextlib.redirect_stdout(sys.stderr):  # TRL's trainer prints its summary on standard output
        serves[work](folder, kinds[dtype], quick, say, introduce)


def missing_packages():
    from importlib.metadata import PackageNotFoundError, version

    def is_missing(name):
        try:
            version(name)
        except PackageNotFoundError:
            return True
        return False

    return [name for name in PACKAGES if is_missing(name)]


def describe(folder, quick, threads):
    from importlib.metadata import version

    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    config = json.loads((folder / "model" / "config.json").read_text())
    return {
        "quick": quick,
        "threads": threads,
        "processor": next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "unknown"),
        "versions": {n: version(n) for n in PACKAGES},
        "model": {
            "bytes": (folder / "model" / "model.safetensors").stat().st_size,
            "hidden_size": config["text_config"]["hidden_size"],
            "num_hidden_layers": config["text_config"]["num_hidden_layers"],
        },
        "image_tokens": IMAGE_TOKENS, "prompt_tokens": PROMPT_TOKENS, "answer_tokens": ANSWER_TOKENS,
        "answers_per_prompt": ANSWERS, "lora_rank": 128,
    }  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--make", type=Path, metavar="DIR", help="write model and inputs into DIR")
    parser.add_argument("--serve", choices=["train", "sample", "products", "decode"], help="take a turn for each line of input")
    parser.add_argument("--dtype", choices=["f32", "bf16"], default="f32", help="of the model that serves")
    parser.add_argument("folder", type=Path, nargs="?", metavar="DIR", help="what --make wrote")
    parser.add_argument("--llama-bench", type=Path, metavar="FILE", help="llama.cpp's program, for --serve decode")
    parser.add_argument("--quick", action="store_true", help="one small batch of each, to see that it runs")
    parser.add_argument("--threads", type=int, default=2, help="threads of the peers (default 2)")
    options = parser.parse_args()
    if not options.make and not (options.serve and options.folder):
        parser.error("nothing to do: give --make DIR, or --serve and DIR")
    if (options.serve == "decode") != bool(options.llama_bench):
        parser.error("--serve decode and --llama-bench belong together")
    if options.serve == "decode":
        serve_decoding(options.folder, options.dtype, options.llama_bench, options.threads)
        return
    if missing := missing_packages():
        pins = " ".join(f"{name}=={PACKAGES[name]}" for name in missing)
        sys.exit(f"peers.py: {sys.executable} lacks {', '.join(missing)}; run: {sys.executable} -m pip install {pins}")
    for name in ("OPENBLAS_CORETYPE", "OPENBLAS_NUM_THREADS"):
        os.environ.pop(name, None)
    os.environ |= {
        "OMP_NUM_THREADS": str(options.threads), "MKL_NUM_THREADS": str(options.threads), "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false", "CUDA_VISIBLE_DEVICES": "",
    }  # fmt: skip
    if options.make:
        make(options.make)
    if options.serve:
        if not (options.folder / "model" / "config.json").exists():
            sys.exit(f"peers.py: {options.folder} holds no model; write it with --make {options.folder}")
        serve(options.serve, options.dtype, options.folder, options.quick, options.threads)


if __name__ == "__main__":
    main()
