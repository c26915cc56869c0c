"""Write the oracle fixtures of this folder with transformers, TRL and PEFT.

    python -m venv venv
    venv/bin/pip install torch==2.13.0 transformers==5.23.0 trl==1.16.0 peft==0.21.2 \
        tokenizers==0.23.3 safetensors==0.8.0 pillow==13.0.0 numpy==2.4.6
    venv/bin/python -B Tests/Fixtures/oracle/make_oracle.py [llava] [beams] [adapter] [clip] [optimiser] [dpo] [variants] [edits]

Everything random is a function of names and indices, so a second run on the same processor writes the
same bytes; another processor may differ in the last bits of what is computed in float32. README.md
beside this file lists what is written.
"""

import os

os.environ |= {"TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}

import functools
import json
import sys
from importlib.metadata import version
from pathlib import Path

import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer, CLIPModel, LlavaForConditionalGeneration
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

import beams
import edits
import exact
import optimiser
import preference
import tiny

PINNED = {
    "torch": "2.13.0", "transformers": "5.23.0", "trl": "1.16.0", "peft": "0.21.2",
    "tokenizers": "0.23.3", "safetensors": "0.8.0", "pillow": "13.0.0", "numpy": "2.4.6",
}  # fmt: skip
HERE = Path(__file__).resolve().parent
IMAGE_TOKENS = 16
QUESTIONS = [
    ("picture-1", "Describe the picture.", "A small red car stands on the left. The white cup stands above the table."),
    ("picture-2", "How many cups are there?", "There are two cups, né?"),
]
SENTENCES = ["A large blue house.", "the small RED dog stands on the left", "two cups & a lamp, above the table!"]


def check_versions():
    wrong = {n: version(n) for n, v in PINNED.items() if version(n).split("+")[0] != v}
    if wrong:
        sys.exit(f"make_oracle.py: found {wrong}; install {PINNED}")


def load_llava(name, dtype):
    model = LlavaForConditionalGeneration.from_pretrained(
        HERE / f"llava-{name}", dtype=torch.float32, attn_implementation="sdpa"
    )
    tiny.check_loaded(model, torch.bfloat16 if name == "legacy" else torch.float32)
    return model.to(dtype).eval()


def load_pixels(folder, pictures):
    """What the checkpoint's own preprocessor makes of pictures: [len(pictures) 3 H W]."""
    processor = CLIPImageProcessorPil.from_pretrained(folder)
    images = [Image.open(HERE / "pictures" / f"{p}.png") for p in pictures]
    return processor(images, return_tensors="pt")["pixel_values"]


def encode(tokenizer, text):
    """Ids with the start token, every <image> repeated once per patch."""
    ids = tokenizer(text)["input_ids"]
    assert ids == tokenizer.backend_tokenizer.encode(text).ids
    image = tokenizer.convert_tokens_to_ids("<image>")
    return [i for one in ids for i in ([one] * IMAGE_TOKENS if one == image else [one])]


def encode_turn(tokenizer, question, answer):
    """Ids of prompt and of answer with its end token; the prompt's ids must begin the whole's."""
    prompt = f"USER: <image>\n{question} ASSISTANT:"
    ids = encode(tokenizer, prompt)
    whole = encode(tokenizer, f"{prompt} {answer}</s>")
    assert whole[: len(ids)] == ids and whole[-1] == tokenizer.eos_token_id
    return ids, whole[len(ids) :]


def turns_of(name):
    folder = HERE / f"llava-{name}"
    tokenizer = AutoTokenizer.from_pretrained(folder)
    pixels = load_pixels(folder, [picture for picture, _, _ in QUESTIONS])
    turns = [encode_turn(tokenizer, question, answer) for _, question, answer in QUESTIONS]
    return turns, pixels


def mean_cross_entropy(model, turns, pixels):
    logs = [exact.label_log_probabilities(model, p, a, pixels[i]) for i, (p, a) in enumerate(turns)]
    return -torch.cat(logs).mean()


def gradients_of(model, rename):
    """Float32 copies of the gradients by fixture name, and the names of parameters without one."""
    given = {rename(n): p.grad.float() for n, p in model.named_parameters() if p.grad is not None}
    without = [rename(n) for n, p in model.named_parameters() if p.requires_grad and p.grad is None]
    return given, without


@torch.no_grad()
def forward_tensors(model, turns, pixels, suffix):
    """Features, projections and logits of one precision, as float32."""
    vision = model.model.vision_tower(pixels.to(model.dtype), output_hidden_states=True).hidden_states[-2][:, 1:]
    projected = torch.stack(list(model.model.get_image_features(pixel_values=pixels.to(model.dtype)).pooler_output))
    tensors = {f"vision_features.{suffix}": vision, f"projected.{suffix}": projected}
    for i, (prompt, answer) in enumerate(turns):
        tensors[f"logits.{i}.{suffix}"] = exact.logits_of(model, prompt + answer, pixels[i])
    return {n: t.float().contiguous() for n, t in tensors.items()}


@torch.no_grad()
def greedy(model, prompt, pixels, count=12):
    """Greedy continuation and the least gap between the best two logits on the way."""
    ids, gap = [], float("inf")
    for _ in range(count):
        best = exact.logits_of(model, prompt + ids, pixels)[-1].topk(2)
        gap = min(gap, (best.values[0] - best.values[1]).item())
        ids.append(best.indices[0].item())
        if ids[-1] == model.config.text_config.eos_token_id:
            break
    generated = model.generate(
        input_ids=torch.tensor([prompt]), pixel_values=pixels[None].to(model.dtype),
        attention_mask=torch.ones(1, len(prompt), dtype=torch.long), do_sample=False, max_new_tokens=count,
    )  # fmt: skip
    assert generated[0, len(prompt) :].tolist() == ids
    return {"ids": ids, "least_gap": gap}


def write_llava(name, with_gradients):
    tiny.build_llava(HERE / f"llava-{name}", name)
    turns, pixels = turns_of(name)
    single, double = load_llava(name, torch.float32), load_llava(name, torch.float64)
    expected = forward_tensors(single, turns, pixels, "f32") | forward_tensors(double, turns, pixels, "f64")
    deviation = max((expected[f"logits.{i}.f32"] - expected[f"logits.{i}.f64"]).abs().max().item() for i in (0, 1))
    report = {
        "checkpoint": f"llava-{name}",
        "turns": [
            {"picture": f"pictures/{q[0]}.png", "prompt": q[1], "answer": q[2], "prompt_ids": p, "answer_ids": a}
            for q, (p, a) in zip(QUESTIONS, turns)
        ],
        "answer_logps": [
            exact.label_log_probabilities(double, p, a, pixels[i]).tolist() for i, (p, a) in enumerate(turns)
        ],
        "greedy": [greedy(double, p, pixels[i]) for i, (p, _) in enumerate(turns)],
        "largest_difference_of_logits_f32_f64": deviation,
    }
    if name != "grouped":
        expected = {n: t for n, t in expected.items() if n.endswith("f64")}
    save_file({"pixel_values": pixels} | expected, HERE / f"llava-{name}.forward.safetensors")
    if with_gradients:
        loss = mean_cross_entropy(double, turns, pixels)
        loss.backward()
        exact.check_gradient(lambda: mean_cross_entropy(double, turns, pixels), list(double.parameters()))
        gradients, without = gradients_of(double, tiny.canonical)
        save_file(gradients, HERE / f"llava-{name}.gradients.safetensors")
        report["cross_entropy"] = {"loss": loss.item(), "parameters_without_gradient": without}
    tiny.write_json(HERE / f"llava-{name}.json", report)
    print(f"llava-{name}: logits {expected['logits.0.f64'].std():.2f} std, f32 against f64 {deviation:.1e}")


def write_beams():
    """Sentences of diverse beam searches under llava-grouped, by turn and settings."""
    turns, pixels = turns_of("grouped")
    model = load_llava("grouped", torch.float64)
    cases = []
    for turn, groups, penalty in ((0, 5, 3.0), (1, 5, 0.25), (0, 3, 0.5), (1, 4, 1.0)):
        after = functools.cache(lambda ids: exact.logits_of(model, turns[turn][0] + list(ids), pixels[turn])[-1])
        found = beams.case(lambda ids: after(tuple(ids)), groups, penalty, max_tokens=9)
        cases.append({"turn": turn} | found)
        print("beams:", [(f["group"], f["ids"], round(f["score"], 3)) for f in found["sentences"]])
    tiny.write_json(HERE / "beams.json", {"checkpoint": "llava-grouped", "cases": cases})


def write_adapter():
    """A PEFT adapter over llava-grouped with B not zero: logits, and gradients of two losses."""
    turns, pixels = turns_of("grouped")
    folder = HERE / "adapter-grouped"
    model = preference.wrap(load_llava("grouped", torch.float32))
    model.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    config = json.loads((folder / "adapter_config.json").read_text()) | {"base_model_name_or_path": "llava-grouped"}
    tiny.write_json(folder / "adapter_config.json", config)
    expected = {}
    model = model.double()
    with torch.no_grad():
        for i, (prompt, answer) in enumerate(turns):
            expected[f"logits.{i}.f64"] = exact.logits_of(model, prompt + answer, pixels[i]).float()
    save_file(expected | {"pixel_values": pixels}, HERE / "adapter-grouped.forward.safetensors")

    pair = preference.PAIRS[0]
    tokenizer = AutoTokenizer.from_pretrained(HERE / "llava-grouped")
    item = preference.encode_pair(tokenizer, pair, encode_turn)
    image = load_pixels(HERE / "llava-grouped", [pair["picture"]])[0]
    report, gradients = preference.gradients(model, item, image, gradients_of)
    save_file(gradients, HERE / "adapter-grouped.gradients.safetensors")
    tiny.write_json(HERE / "adapter-grouped.json", {"checkpoint": "llava-grouped", "pair": pair | item} | report)
    print("adapter-grouped:", {k: v for k, v in report.items() if isinstance(v, float)})


def clip_inputs(name, tokenizer):
    """Token ids padded with the end token; in the last row an id above the end token stands before it."""
    rows = [tokenizer(s)["input_ids"] for s in SENTENCES]
    end = tokenizer.eos_token_id
    rows[-1].insert(3, end + 1)
    width = max(map(len, rows))
    ids = torch.tensor([r + [end] * (width - len(r)) for r in rows])
    mask = torch.tensor([[1] * len(r) + [0] * (width - len(r)) for r in rows])
    return rows, ids, mask


def write_clip(name, with_gradients):
    folder = HERE / f"clip-{name}"
    tiny.build_clip(folder, name)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    rows, ids, mask = clip_inputs(name, tokenizer)
    pixels = load_pixels(folder, ["picture-0", "picture-1", "picture-2"])
    expected = {"pixel_values": pixels, "input_ids": ids.to(torch.int32)}
    for suffix, dtype in (("f32", torch.float32), ("f64", torch.float64)):
        model = CLIPModel.from_pretrained(folder, dtype=torch.float32, attn_implementation="sdpa").to(dtype).eval()
        out = model(input_ids=ids, attention_mask=mask, pixel_values=pixels.to(dtype), return_loss=True)
        bare = model(input_ids=ids, pixel_values=pixels.to(dtype))
        assert torch.allclose(out.logits_per_image, bare.logits_per_image, atol=1e-5)
        for key in ("logits_per_image", "image_embeds", "text_embeds"):
            expected[f"{key}.{suffix}"] = getattr(out, key).detach().float().contiguous()
    report = {"checkpoint": f"clip-{name}", "sentences": SENTENCES, "text_ids": rows}
    report["contrastive_loss"] = out.loss.item()
    if with_gradients:
        out.loss.backward()
        exact.check_gradient(
            lambda: model(input_ids=ids, pixel_values=pixels.double(), return_loss=True).loss, list(model.parameters())
        )
        gradients, without = gradients_of(model, lambda n: n)
        save_file(gradients, HERE / f"clip-{name}.gradients.safetensors")
        report["parameters_without_gradient"] = without
    save_file(expected, HERE / f"clip-{name}.forward.safetensors")
    tiny.write_json(HERE / f"clip-{name}.json", report)
    print(f"clip-{name}:", expected["logits_per_image.f64"].tolist())


def write_dpo():
    folder = HERE / "llava-grouped"
    tokenizer = AutoTokenizer.from_pretrained(folder)
    pictures = sorted({pair["picture"] for pair in preference.PAIRS})
    pixels = dict(zip(pictures, load_pixels(folder, pictures)))
    items = [preference.encode_pair(tokenizer, pair, encode_turn) for pair in preference.PAIRS]
    tiny.write_json(
        HERE / "dpo-pairs.json",
        {"checkpoint": "llava-grouped", "adapter": "adapter-grouped"}
        | {"pairs": [{**p, "picture": f"pictures/{p['picture']}.png", **i} for p, i in zip(preference.PAIRS, items)]},
    )
    save_file({p: t.contiguous() for p, t in pixels.items()}, HERE / "dpo-pixels.safetensors")
    for name in preference.RUNS:
        preference.write_run(HERE, name, items, pixels, load_llava)


def main(wanted):
    check_versions()
    exact.install()
    torch.use_deterministic_algorithms(True)
    steps = {
        "llava": lambda: [write_llava(n, with_gradients=n != "legacy") for n in tiny.LLAVAS],
        "beams": write_beams,
        "adapter": write_adapter,
        "clip": lambda: [write_clip(n, with_gradients=n == "first-eos") for n in tiny.CLIPS],
        "optimiser": lambda: optimiser.write(HERE),
        "dpo": write_dpo,
        "variants": lambda: preference.write_variants(HERE, load_llava),
        "edits": lambda: edits.write(HERE),
    }
    if unknown := set(wanted) - set(steps):
        sys.exit(f"make_oracle.py: unknown part {sorted(unknown)}; choose from {list(steps)}")
    tiny.draw_pictures(HERE / "pictures")
    for name in wanted or steps:
        steps[name]()


if __name__ == "__main__":
    main(sys.argv[1:])
