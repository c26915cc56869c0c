"""Twenty steps of LoRA-DPO over tiny models of today's families, by TRL's own trainer with PEFT, in f32 and in bf16.

    python -B Tests/Fixtures/oracle/family_training.py [-o FOLDER] [NAME …]

After make_families.py, with its packages and trl==1.16.0, datasets, accelerate. The tiny models have no tokenizers, so
TRL gets ids and pixels as they are: its DPOTrainer, with a collator that adds pictures to TRL's own for texts. Written are
the pictures, the adapter that the training begins with, and both curves.
"""

import os

os.environ |= {"HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}

import argparse
import json
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import pyarrow
import torch
import transformers
from datasets import Dataset
from peft import LoraConfig
from safetensors.torch import save_file
from tokenizers import Tokenizer, models
from trl import DPOConfig, DPOTrainer
from trl.trainer.dpo_trainer import DataCollatorForPreference

import tiny
from make_families import HERE, PINNED, random_ids, random_pixels
from preference import adapter_key, fill_adapter

BETA, RATE, BATCH, STEPS, PAIRS, PICTURES = 0.1, 1e-3, 2, 20, 8, 3
LAYERS = r"(q|k|v|o|gate|up|down)_proj"
# What a picture is to each: the shape of its pixels, and what else `forward` wants to know of it.
SHAPES = {
    "llava-linear": {"pixels": [3, 24, 24]},
    "smolvlm": {"pixels": [1, 3, 32, 32]},
    "onevision": {"pixels": [5, 3, 26, 26], "sizes": [[50, 57], [40, 52], [52, 30]]},
    "qwen2-vl": {"grids": [[6, 4], [2, 8], [4, 4]]},
}


class Pictures:
    """Pixels in numbers that bf16 has, and the keyword arguments that say how they lie."""

    def __init__(self, shape):
        self.grids, self.sizes = shape.get("grids"), shape.get("sizes")
        shapes = [[g[0] * g[1], 96] for g in self.grids] if self.grids else [shape["pixels"]] * PICTURES
        self.pixels = [random_pixels(s, 20 + i).bfloat16().float() for i, s in enumerate(shapes)]

    def inputs(self, numbers):
        chosen = [self.pixels[n] for n in numbers]
        if self.grids:
            return {
                "pixel_values": torch.cat(chosen),
                "image_grid_thw": torch.tensor([[1, *self.grids[n]] for n in numbers]),
            }
        inputs = {"pixel_values": torch.stack(chosen)}
        return inputs | ({"image_sizes": torch.tensor([self.sizes[n] for n in numbers])} if self.sizes else {})


@dataclass
class Collator(DataCollatorForPreference):
    """TRL's collator of texts, with the picture of each pair for its chosen and its rejected row."""

    pictures: Pictures = None
    image: int = 0

    def torch_call(self, examples):
        batch = super().torch_call(examples)
        inputs = self.pictures.inputs([e["picture"] for e in examples] * 2)
        if self.pictures.grids:
            inputs["mm_token_type_ids"] = (batch["input_ids"] == self.image).int()
        return batch | inputs


class Trainer(DPOTrainer):
    """Keeps each loss before the logger rounds it; takes ids as they are."""

    def _prepare_dataset(self, dataset, *_):
        return dataset

    def compute_loss(self, *args, **kwargs):
        loss = super().compute_loss(*args, **kwargs)
        self.losses.append(loss.item())
        return loss


def load(name, dtype):
    folder = HERE / "families" / name
    kind = json.loads((folder / "config.json").read_text())["architectures"][0]
    return getattr(transformers, kind).from_pretrained(folder, dtype=dtype, attn_implementation="sdpa")


def make_pairs(model, pictures):
    """Random ids around the image tokens of each picture."""
    vocabulary, image = model.config.get_text_config().vocab_size, model.config.image_token_id
    pairs = []
    for i in range(PAIRS):
        picture = i % PICTURES
        with torch.no_grad():
            rows = sum(len(f) for f in model.model.get_image_features(**pictures.inputs([picture])).pooler_output)
        before, after = random_ids(2, vocabulary, 30 + i), random_ids(3 + i % 3, vocabulary, 50 + i)
        if pictures.grids:
            before, after = before + [image - 2], [image - 1] + after
        chosen, rejected = random_ids(4 + i % 5, vocabulary, 70 + i), random_ids(4 + i % 4, vocabulary, 90 + i)
        pairs.append({
            "picture": picture, "prompt_ids": [1] + before + [image] * rows + after,
            "chosen_ids": chosen + [2], "rejected_ids": rejected + [2],
        })  # fmt: skip
    return pairs


def train(name, dtype, pairs, pictures, folder=None):
    """The losses of the twenty steps. bf16 is TRL's `bf16=True` over a model in bf16: autocast, and LoRA in f32.

    folder: where the adapter is saved before the first step."""
    model = load(name, dtype)
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(models.WordLevel({"<pad>": 0}, "<pad>")), pad_token="<pad>", eos_token="<pad>"
    )
    tower = ("vision_tower", "vision_model", "visual")
    targets = [n for n, _ in model.named_modules() if n.endswith("_proj") and not any(t in n for t in tower)]
    collator = Collator(pad_token_id=0, pictures=pictures, image=model.config.image_token_id)
    # The fingerprint is given because datasets fails to hash tables of some pyarrow.
    rows = pairs * (STEPS * BATCH // PAIRS)
    with tempfile.TemporaryDirectory() as scratch:
        config = DPOConfig(
            output_dir=scratch, per_device_train_batch_size=BATCH, max_steps=STEPS, beta=BETA, learning_rate=RATE,
            lr_scheduler_type="constant", train_sampling_strategy="sequential", report_to="none", save_strategy="no",
            gradient_checkpointing=False, bf16=dtype == torch.bfloat16, use_cpu=True, max_length=None,
            adam_beta1=0.9, adam_beta2=0.999, adam_epsilon=1e-8, weight_decay=0.0, max_grad_norm=1.0,
            optim="adamw_torch", disable_tqdm=True, remove_unused_columns=False,
        )  # fmt: skip
        trainer = Trainer(
            model=model, args=config, processing_class=tokenizer, data_collator=collator,
            train_dataset=Dataset(pyarrow.Table.from_pylist(rows), fingerprint=name),
            peft_config=LoraConfig(
                r=4, lora_alpha=8, lora_dropout=0.0, bias="none", task_type="CAUSAL_LM", target_modules=targets
            ),
        )  # fmt: skip
        fill_adapter(trainer.model)
        trained = [p for p in trainer.model.parameters() if p.requires_grad]
        assert trained and all(p.dtype == torch.float32 for p in trained)
        if folder:
            trainer.model.save_pretrained(folder)
            (folder / "README.md").unlink(missing_ok=True)
        trainer.losses = []
        trainer.train()
    return trainer.losses


def write(out, name):
    pictures = Pictures(SHAPES[name])
    pairs = make_pairs(load(name, torch.float32).eval(), pictures)
    folder = out / name
    single = train(name, torch.float32, pairs, pictures, folder)
    config = json.loads((folder / "adapter_config.json").read_text())
    tiny.write_json(folder / "adapter_config.json", config | {"base_model_name_or_path": name})
    half = train(name, torch.bfloat16, pairs, pictures)
    places = {"grids": pictures.grids or [[2, 2] if pictures.sizes else [0, 0]] * PICTURES}
    places["originals"] = pictures.sizes or [[0, 0]] * PICTURES
    tiny.write_json(
        out / f"{name}.json",
        {"beta": BETA, "learning_rate": RATE, "batch_size": BATCH, "max_grad_norm": 1.0, "pairs": pairs, **places,
         "trl_f32": single, "trl_bf16": half},
    )  # fmt: skip
    pixels = {f"picture-{i}": p.bfloat16().contiguous() for i, p in enumerate(pictures.pixels)}
    save_file(pixels, out / f"{name}.safetensors")
    spread = max(abs(a - b) for a, b in zip(single, half, strict=True))
    print(f"{name}: loss {single[0]:.4f} to {single[-1]:.4f}; bf16 is off by {spread:.1e} at most")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-o", "--out", type=Path, default=HERE / "family-dpo")
    parser.add_argument("names", nargs="*", choices=[[], *SHAPES])
    options = parser.parse_args()
    pinned = PINNED | {"trl": "1.16.0"}
    wrong = {n: version(n) for n, v in pinned.items() if version(n).split("+")[0] != v}
    if wrong:
        sys.exit(f"family_training.py: found {wrong}; install {pinned}")
    options.out.mkdir(exist_ok=True)
    for name in options.names or SHAPES:
        write(options.out, name)


if __name__ == "__main__":
    main()
