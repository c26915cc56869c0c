"""Write the oracle fixtures of `families/`: tiny random models of today's families, as transformers saves them.

    python -m venv venv
    venv/bin/pip install torch==2.13.0 transformers==5.24.0 peft==0.21.2 safetensors==0.8.0 numpy==2.4.6
    venv/bin/python -B Tests/Fixtures/oracle/make_families.py [-o FOLDER] [NAME …]

Weights are stored in bfloat16 to stay small; what is expected is computed from them in float64, but for rotary
angles, which transformers always forms in float32. With -o other shapes can be tried than those committed:
SIGHTLINE_ORACLES=FOLDER has the tests read that folder too.
"""

import os

os.environ |= {"HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}

import argparse
import json
import re
import sys
import types
from importlib.metadata import version
from pathlib import Path

import peft
import torch
import transformers
from safetensors.torch import load_file, save_file

import tiny

PINNED = {"torch": "2.13.0", "transformers": "5.24.0", "peft": "0.21.2"}
HERE = Path(__file__).resolve().parent
GREEDY = 40
# Enough to show a fault in any kernel's way back, and no more than the repository should hold.
GRADIENTS = re.compile(
    r"layers\.0\.(self_attn|mlp\.(gate_up|up|down)|mlp\.fc2)|patch_embed|position_embedding|newline|linear_1|modality"
)


def double(model):
    """The model in float64, its RMS norms too, which transformers computes in float32."""

    def forward(self, x):
        return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.variance_epsilon))

    model = model.double().eval()
    for module in model.modules():
        if "RMSNorm" in type(module).__name__:
            module.forward = types.MethodType(forward, module)
    return model


def random_pixels(shape, seed):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).float()


def random_ids(count, vocabulary, seed):
    """Ids from 3 up, below the special ones at the end."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(3, vocabulary - 8, (count,), generator=generator).tolist()


def logits_of(model, ids, inputs):
    batch = torch.tensor([ids])
    if "image_grid_thw" in inputs:
        inputs = inputs | {"mm_token_type_ids": (batch == model.config.image_token_id).int()}
    return model(input_ids=batch, attention_mask=torch.ones_like(batch), **inputs).logits[0]


@torch.no_grad()
def greedy(model, prompt, inputs):
    ids, gap = [], float("inf")
    for _ in range(GREEDY):
        best = logits_of(model, prompt + ids, inputs)[-1].topk(2)
        gap = min(gap, (best.values[0] - best.values[1]).item())
        ids.append(best.indices[0].item())
    return {"ids": ids, "least_gap": gap}


@torch.no_grad()
def silence(model):
    """The image token's row is zero, so that it is never the likeliest and stands for a picture only."""
    image = model.config.image_token_id
    model.get_input_embeddings().weight[image] = 0
    model.get_output_embeddings().weight[image] = 0


def write(out, name, model, prompt, answer, inputs, features, gradients=False, **shape):
    """Save `model` and what it makes of one prompt with its picture.

    inputs are keyword arguments of forward; features gives the rows that replace the image tokens; shape is the
    picture's, where rows depend on it."""
    folder = out / name
    folder.mkdir(parents=True, exist_ok=True)
    tiny.fill(model)
    silence(model)
    model.to(torch.bfloat16).save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    model = double(type(model).from_pretrained(folder, dtype=torch.float32, attn_implementation="sdpa"))
    inputs = {k: v.double() if v.is_floating_point() else v for k, v in inputs.items()}
    with torch.no_grad():
        logits = logits_of(model, prompt + answer, inputs)
        rows = logits[len(prompt) - 1 : -1].log_softmax(-1)
        expected = {"features": features(model, inputs), "logits": logits}
    report = shape | {
        "prompt_ids": prompt,
        "answer_ids": answer,
        "answer_logps": rows.gather(1, torch.tensor(answer)[:, None])[:, 0].tolist(),
        "greedy": greedy(model, prompt, inputs),
    }
    if gradients:
        row = logits_of(model, prompt + answer, inputs)[len(prompt) - 1 : -1].log_softmax(-1)
        loss = -row.gather(1, torch.tensor(answer)[:, None]).mean()
        loss.backward()
        report["loss"] = loss.item()
        for key, parameter in model.named_parameters():
            if parameter.grad is not None and GRADIENTS.search(key):
                expected["gradient." + tiny.canonical(key)] = parameter.grad
    expected = {k: v.detach().float().contiguous() for k, v in expected.items()}
    save_file(expected | {"pixel_values": inputs["pixel_values"].float().contiguous()}, out / f"{name}.safetensors")
    tiny.write_json(out / f"{name}.json", report)
    print(f"{name}: logits {logits.std():.2f} std, least gap {report['greedy']['least_gap']:.1e}")


# LLaVA

CLIP = {
    "model_type": "clip_vision_model", "hidden_size": 24, "intermediate_size": 32, "num_hidden_layers": 2,
    "num_attention_heads": 3, "image_size": 24, "patch_size": 8, "projection_dim": 16,
}  # fmt: skip
SIGLIP = {
    "model_type": "siglip_vision_model", "hidden_size": 24, "intermediate_size": 36, "num_hidden_layers": 2,
    "num_attention_heads": 2, "image_size": 26, "patch_size": 8, "vision_use_head": False,
}  # fmt: skip
TEXT = {
    "vocab_size": 64, "hidden_size": 24, "intermediate_size": 40, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 128, "rms_norm_eps": 1e-5, "bos_token_id": 1,
    "eos_token_id": 2, "pad_token_id": 0,
}  # fmt: skip
LLAVAS = {
    "llava-linear": {
        "text": {
            "model_type": "llama", "num_attention_heads": 6, "num_key_value_heads": 2, "attention_bias": True,
            "mlp_bias": True, "rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 500.0},
        },
        "model": {"vision_feature_layer": [-2], "multimodal_projector_bias": False},
    },
    "llava-llama3": {
        "text": {
            "model_type": "llama",
            "rope_parameters": {
                "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                "original_max_position_embeddings": 32, "rope_theta": 5000.0,
            },
            "head_dim": 16,
        },
        "model": {"vision_feature_select_strategy": "full"},
    },
    "llava-mistral": {
        "text": {"model_type": "mistral", "head_dim": 10, "sliding_window": 100, "rms_norm_eps": 1e-6},
        "kind": "LlavaNext",
    },
    "llava-next": {
        "text": {"model_type": "llama", "head_dim": 8},
        "kind": "LlavaNext",
        "grid": [1, 2],
        "original": [21, 47],
    },
    "onevision": {
        "text": {"model_type": "qwen2", "num_attention_heads": 3, "num_key_value_heads": 1},
        "vision": SIGLIP,
        "model": {"vision_aspect_ratio": "anyres_max_2"},
        "kind": "LlavaOnevision",
        "grid": [2, 2],
        "original": [50, 57],
        "gradients": True,
    },
    "llava-phi3": {
        "text": {"model_type": "phi3", "rope_parameters": {"rope_type": "default", "rope_theta": 100.0}},
        "gradients": True,
    },
    "llava-qwen2": {
        "text": {
            "model_type": "qwen2", "num_attention_heads": 3, "num_key_value_heads": 1, "tie_word_embeddings": True,
            "rope_parameters": {
                "rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32, "rope_theta": 300.0,
            },
        },
        "vision": SIGLIP,
        "model": {
            "vision_feature_layer": -1, "vision_feature_select_strategy": "full", "tie_word_embeddings": True,
        },
        "gradients": True,
    },
    "llava-dynamic": {
        "text": {
            "model_type": "llama", "num_key_value_heads": 4, "num_hidden_layers": 3,
            "rope_parameters": {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 1000.0},
        },
        "vision": SIGLIP | {"vision_use_head": True},
        "model": {"vision_feature_layer": -2, "vision_feature_select_strategy": "full"},
    },
}  # fmt: skip


def write_llava(out, name):
    recipe = LLAVAS[name]
    kind = recipe.get("kind", "Llava")
    vision, text = recipe.get("vision", CLIP), TEXT | recipe["text"]
    image, side = text["vocab_size"] - 2, vision["image_size"]
    extra = recipe.get("model", {})
    grid, original = recipe.get("grid", [0, 0]), recipe.get("original", [side, side])
    if kind != "Llava":
        extra = extra | {"image_grid_pinpoints": [[side * max(grid[0], 1), side * max(grid[1], 1)]]}
    if kind == "LlavaOnevision":
        extra = extra | {"video_token_index": image + 1}
    config = getattr(transformers, kind + "Config")(
        vision_config=vision, text_config=text, image_token_index=image, **extra
    )
    model = getattr(transformers, kind + "ForConditionalGeneration")(config)
    tiles = 1 + grid[0] * grid[1]
    inputs = {"pixel_values": random_pixels((tiles, 3, side, side), 1)}
    if kind != "Llava":
        inputs = {"pixel_values": inputs["pixel_values"][None], "image_sizes": torch.tensor([original])}
        # One tile is what the model takes of a picture among several, and never what a processor makes of one alone.
        modeling = sys.modules[type(model).__module__]
        modeling.image_size_to_num_patches = lambda *_, **__: tiles
    if kind == "LlavaOnevision":
        inputs |= {"batch_num_images": torch.tensor([1])}

    def features(model, inputs):
        return torch.cat(list(model.model.get_image_features(**inputs).pooler_output))

    with torch.no_grad():
        rows = len(features(model.eval(), inputs))
    before, after = random_ids(4, text["vocab_size"], 2), random_ids(6, text["vocab_size"], 3)
    answer = random_ids(9, text["vocab_size"], 4) + [2]
    write(
        out, name, model, [1] + before + [image] * rows + after, answer, inputs, features,
        gradients=recipe.get("gradients", False), grid=grid, original=original,
    )  # fmt: skip


# SmolVLM

SMOLVLMS = {
    "idefics3": {
        "kind": "Idefics3",
        "vision": {"image_size": 24, "patch_size": 4, "num_attention_heads": 2, "num_hidden_layers": 2},
        "scale": 3, "grid": [1, 2], "text": {"num_attention_heads": 3, "num_key_value_heads": 1, "head_dim": 8},
    },
    "smolvlm": {
        "kind": "SmolVLM",
        "vision": {"image_size": 32, "patch_size": 8, "num_attention_heads": 3, "num_hidden_layers": 3},
        "scale": 2, "grid": [0, 0], "text": {}, "gradients": True,
    },
}  # fmt: skip


def write_smolvlm(out, name):
    recipe = SMOLVLMS[name]
    text = TEXT | {"model_type": "llama"} | recipe["text"]
    image = text["vocab_size"] - 2
    vision = {"hidden_size": 24, "intermediate_size": 36} | recipe["vision"]
    config = getattr(transformers, recipe["kind"] + "Config")(
        vision_config=vision, text_config=text, image_token_id=image, scale_factor=recipe["scale"]
    )
    model = getattr(transformers, recipe["kind"] + "ForConditionalGeneration")(config)
    tiles, side = 1 + recipe["grid"][0] * recipe["grid"][1], vision["image_size"]
    each = (side // vision["patch_size"] // recipe["scale"]) ** 2
    prompt = [1] + random_ids(3, text["vocab_size"], 2)
    for tile in range(tiles):
        prompt += random_ids(2, text["vocab_size"], 10 + tile) + [image] * each
    prompt += random_ids(5, text["vocab_size"], 3)
    inputs = {"pixel_values": random_pixels((1, tiles, 3, side, side), 1)}

    def features(model, inputs):
        return torch.cat(list(model.model.get_image_features(**inputs).pooler_output))

    write(
        out, name, model, prompt, random_ids(9, text["vocab_size"], 4) + [2], inputs, features,
        gradients=recipe.get("gradients", False), grid=recipe["grid"], original=[side, side],
    )  # fmt: skip


# Qwen2-VL

QWENS = {
    "qwen2-vl": {
        "kind": "Qwen2VL", "grid": [6, 4],
        "vision": {"embed_dim": 24, "hidden_size": 24, "depth": 2, "num_heads": 2, "mlp_ratio": 2, "patch_size": 4},
        "text": {"head_dim": 8, "num_attention_heads": 3, "num_key_value_heads": 1, "tie_word_embeddings": True},
        "sections": [2, 1, 1], "tied": True,
    },
    "qwen2.5-vl": {
        "kind": "Qwen2_5_VL", "grid": [6, 10],
        "vision": {
            "hidden_size": 32, "out_hidden_size": 24, "depth": 3, "num_heads": 4, "intermediate_size": 20,
            "patch_size": 4, "window_size": 16, "fullatt_block_indexes": [1],
        },
        "text": {}, "sections": [1, 1, 1], "tied": False,
    },
}  # fmt: skip


def write_qwen(out, name):
    recipe = QWENS[name]
    text = TEXT | {"rope_parameters": {"rope_type": "default", "mrope_section": recipe["sections"], "rope_theta": 200.0}}
    text |= recipe["text"]
    image = text["vocab_size"] - 2
    config = getattr(transformers, recipe["kind"] + "Config")(
        vision_config=recipe["vision"], text_config=text, image_token_id=image, video_token_id=image + 1,
        vision_start_token_id=image - 2, vision_end_token_id=image - 1, tie_word_embeddings=recipe["tied"],
    )  # fmt: skip
    model = getattr(transformers, recipe["kind"] + "ForConditionalGeneration")(config)
    (height, width), patch = recipe["grid"], recipe["vision"]["patch_size"]
    prompt = [1] + random_ids(3, text["vocab_size"], 2) + [image - 2] + [image] * (height * width // 4) + [image - 1]
    prompt += random_ids(5, text["vocab_size"], 3)
    inputs = {
        "pixel_values": random_pixels((height * width, 3 * 2 * patch * patch), 1),
        "image_grid_thw": torch.tensor([[1, height, width]]),
    }

    def features(model, inputs):
        return torch.cat(list(model.model.get_image_features(**inputs).pooler_output))

    write(
        out, name, model, prompt, random_ids(9, text["vocab_size"], 4) + [2], inputs, features,
        grid=recipe["grid"], original=[height * patch, width * patch],
    )  # fmt: skip


# Adapters, and what stands for a picture

ADAPTED = {
    "llava-phi3": r".*language_model.*\.(qkv_proj|o_proj|gate_up_proj|down_proj)",
    "smolvlm": r".*text_model.*\.(q|k|v|o|gate|up|down)_proj",
    "qwen2-vl": ["q_proj", "v_proj"],
    # Towers and projectors too: fused, gated, with a head that takes no part.
    "llava-dynamic": "all-linear",
    "onevision": "all-linear",
    "idefics3": "all-linear",
    "qwen2.5-vl": "all-linear",
    "llava-linear": ["q_proj", "v_proj", "linear_1"],
}


def saved_inputs(name, report, pixels):
    """The keyword arguments of forward that were written for a model."""
    inputs = {"pixel_values": pixels}
    if "qwen" in name:
        inputs["image_grid_thw"] = torch.tensor([[1, *report["grid"]]])
    if pixels.dim() == 5 and "idefics" not in name and "smolvlm" not in name:
        inputs["image_sizes"] = torch.tensor([report["original"]])
    return inputs


def write_half(out, _):
    """By how much transformers in bf16 is off the float64 of the same weights: per token of each model's answer."""
    errors = {}
    for name in [n for n in [*LLAVAS, *SMOLVLMS, *QWENS] if (out / f"{n}.json").exists()]:
        report = json.loads((out / f"{name}.json").read_text())
        pixels = load_file(out / f"{name}.safetensors")["pixel_values"].bfloat16()
        kind = json.loads((out / name / "config.json").read_text())["architectures"][0]
        model = getattr(transformers, kind).from_pretrained(
            out / name, dtype=torch.bfloat16, attn_implementation="sdpa"
        )
        if "Next" in kind or "Onevision" in kind:
            tiles = pixels.shape[1]
            sys.modules[type(model).__module__].image_size_to_num_patches = lambda *_, **__: tiles
        prompt, answer = report["prompt_ids"], report["answer_ids"]
        with torch.no_grad():
            logits = logits_of(model.eval(), prompt + answer, saved_inputs(name, report, pixels))
        rows = logits[len(prompt) - 1 : -1].double().log_softmax(-1)
        logps = rows.gather(1, torch.tensor(answer)[:, None])[:, 0]
        error = logps - torch.tensor(report["answer_logps"], dtype=torch.float64)
        errors[name] = {"rms": error.pow(2).mean().sqrt().item(), "largest": error.abs().max().item()}
        print(f"half/{name}: {errors[name]}")
    (out / "adapters").mkdir(exist_ok=True)
    tiny.write_json(out / "adapters" / "half.json", errors)


def write_adapters(out, _):
    """LoRA of PEFT over some models, B not zero, with the log-probabilities of their answers."""
    for name, targets in ADAPTED.items():
        report = json.loads((out / f"{name}.json").read_text())
        expected = load_file(out / f"{name}.safetensors")
        kind = json.loads((out / name / "config.json").read_text())["architectures"][0]
        model = getattr(transformers, kind).from_pretrained(
            out / name, dtype=torch.float32, attn_implementation="sdpa"
        )
        model = peft.get_peft_model(model, peft.LoraConfig(r=2, lora_alpha=3, target_modules=targets))
        with torch.no_grad():
            for key, parameter in model.named_parameters():
                # No gradient reaches a tower's pooling head: its B stays 0.
                if "lora_" in key and not (".head." in key and "lora_B" in key):
                    parameter.copy_(tiny.random_weight(key, parameter.shape, gain=0.5))
        folder = out / "adapters" / name
        model.save_pretrained(folder)
        (folder / "README.md").unlink(missing_ok=True)
        config = json.loads((folder / "adapter_config.json").read_text())
        tiny.write_json(folder / "adapter_config.json", config | {"base_model_name_or_path": name})
        model = double(model)
        inputs = saved_inputs(name, report, expected["pixel_values"].double())
        prompt, answer = report["prompt_ids"], report["answer_ids"]
        with torch.no_grad():
            rows = logits_of(model, prompt + answer, inputs)[len(prompt) - 1 : -1].log_softmax(-1)
        logps = rows.gather(1, torch.tensor(answer)[:, None])[:, 0].tolist()
        tiny.write_json(out / "adapters" / f"{name}.json", {"answer_logps": logps})
        print(f"adapters/{name}: {sum(logps):.3f} where the model alone has {sum(report['answer_logps']):.3f}")


def write_layouts(out, _):
    """How many rows pictures take in LLaVA-OneVision-0.5B, by their size, and SmolVLM's text for grids of tiles."""
    from transformers.models.idefics3.processing_idefics3 import Idefics3Processor
    from transformers.models.llava_onevision.configuration_llava_onevision import LlavaOnevisionConfig
    from transformers.models.llava_onevision.processing_llava_onevision import LlavaOnevisionProcessor

    class Sizes:
        image_grid_pinpoints = LlavaOnevisionConfig().image_grid_pinpoints

    processor = LlavaOnevisionProcessor.__new__(LlavaOnevisionProcessor)
    processor.image_processor, processor.vision_feature_select_strategy = Sizes(), "full"
    processor.num_image_tokens, processor.vision_aspect_ratio = 729, "anyres_max_9"
    generator = torch.Generator().manual_seed(5)
    sizes = torch.randint(20, 2400, (150, 2), generator=generator).tolist() + [[427, 640], [899, 1024], [3000, 300]]
    rows = [[h, w, processor._get_number_of_features(h, w, 384, 384)] for h, w in sizes]
    speller = Idefics3Processor.__new__(Idefics3Processor)
    speller.fake_image_token, speller.global_image_tag = "<fake_token_around_image>", "<global-img>"
    speller.image_token, speller.image_seq_len = "<image>", 1
    grids = [[0, 0], [1, 2], [3, 4]]
    texts = [speller.replace_image_token({"rows": [[r]], "cols": [[c]]}, 0) for r, c in grids]
    tiny.write_json(out / "adapters" / "layouts.json", {"rows": rows, "grids": grids, "texts": texts})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-o", "--out", type=Path, default=HERE / "families")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    wrong = {n: version(n) for n, v in PINNED.items() if version(n).split("+")[0] != v}
    if wrong:
        sys.exit(f"make_families.py: found {wrong}; install {PINNED}")
    torch.use_deterministic_algorithms(True)
    steps = {name: write_llava for name in LLAVAS} | {name: write_smolvlm for name in SMOLVLMS}
    steps |= {name: write_qwen for name in QWENS}
    steps |= {"adapters": write_adapters, "half": write_half, "layouts": write_layouts}
    if unknown := set(options.names) - set(steps):
        sys.exit(f"make_families.py: unknown {sorted(unknown)}; choose from {list(steps)}")
    options.out.mkdir(exist_ok=True)
    for name in options.names or steps:
        steps[name](options.out, name)


if __name__ == "__main__":
    main()
