"""Write the fixtures of a VILA: tiny ones in `families/` in the folders of its own code, and `vila/`: ids and pixels.

    python -m venv venv
    venv/bin/pip install torch==2.15.0 torchvision==0.29.2 transformers==5.24.0 peft==0.21.2 tokenizers==0.23.3 \
        safetensors==0.8.0 pillow==13.0.0 numpy==2.4.6
    venv/bin/python -B Tests/Fixtures/oracle/make_vila.py

transformers has no VILA. Tower and decoder are its classes; what lies between them, folders, ids and pixels are written
here by what NVlabs/VILA does at 6b941da (branch vila1.5): llava/model/multimodal_projector/base_projector.py,
llava_arch.py, multimodal_encoder/vision_encoder.py, mm_utils.py and conversation.py. Weights and expectations as in
make_families.py; in prompts a row of the picture is -200, which is what VILA has for a whole picture.
"""

import os

os.environ |= {"HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": "", "TOKENIZERS_PARALLELISM": "false"}

import json
import re
import shutil
import sys
from importlib.metadata import version
from pathlib import Path

import peft
import torch
from torch import nn

import make_original
import tiny
from make_families import CLIP, SIGLIP, TEXT, double, greedy, logits_of, random_ids, random_pixels
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import (
    CLIPVisionConfig,
    CLIPVisionModel,
    LlamaConfig,
    LlamaForCausalLM,
    SiglipVisionConfig,
    SiglipVisionModel,
)
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

PINNED = {
    "torch": "2.15.0", "torchvision": "0.29.2", "transformers": "5.24.0", "peft": "0.21.2", "tokenizers": "0.23.3",
    "safetensors": "0.8.0", "pillow": "13.0.0", "numpy": "2.4.6",
}  # fmt: skip
HERE = Path(__file__).resolve().parent
FAMILIES, OUT = HERE / "families", HERE / "vila"
PICTURE = -200
GRADIENTS = re.compile(r"projector|position_embedding|vision_model.*layers\.0\.self_attn")
TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


# The model


class Joined(nn.Module):
    """Four patches that share a corner as one row, upper ones first; the rows go down, then across.

    Behind an odd side stand zeros."""

    def forward(self, patches):
        count, rows, width = patches.shape
        side = round(rows**0.5)
        odd = side % 2
        grid = nn.functional.pad(patches.view(count, side, side, width), (0, 0, 0, odd, 0, odd))
        corners = [grid[:, y::2, x::2] for y in (0, 1) for x in (0, 1)]
        return torch.cat(corners, -1).transpose(1, 2).flatten(1, 2)


class Tower(nn.Module):
    def __init__(self, tower):
        super().__init__()
        self.vision_tower = tower


class Projector(nn.Module):
    def __init__(self, kind, inputs, width):
        super().__init__()
        joins = kind == "mlp_downsample"
        inputs *= 4 if joins else 1
        first = [Joined(), nn.LayerNorm(inputs)] if joins else []
        self.layers = nn.Sequential(*first, nn.Linear(inputs, width), nn.GELU(), nn.Linear(width, width))


class Vila(nn.Module):
    """Modules as VILA's code nests them, so that PEFT names them as there."""

    def __init__(self, recipe):
        super().__init__()
        vision = recipe["vision"]
        self.recipe = recipe
        self.llm = LlamaForCausalLM(LlamaConfig(**recipe["text"]))
        if vision["model_type"] == "siglip_vision_model":
            self.vision_tower = Tower(SiglipVisionModel(SiglipVisionConfig(**vision)))
        else:
            self.vision_tower = Tower(CLIPVisionModel(CLIPVisionConfig(**vision)))
        self.mm_projector = Projector(recipe["projector"], vision["hidden_size"], recipe["text"]["hidden_size"])

    def features(self, pixels):
        states = self.vision_tower.vision_tower(pixels, output_hidden_states=True).hidden_states[-2]
        if self.recipe["feature"] == "patch":
            states = states[:, 1:]
        return self.mm_projector.layers(states)[0]

    def forward(self, input_ids, attention_mask, pixel_values):
        ids = input_ids[0]
        rows = self.llm.model.embed_tokens(ids.clamp(min=0))
        rows = rows.index_put(((ids == PICTURE).nonzero()[:, 0],), self.features(pixel_values))
        return self.llm(inputs_embeds=rows[None], attention_mask=attention_mask)


def tower_name(key):
    """The name that transformers of VILA's day had for a tensor or module of a tower."""
    return key if key.startswith("vision_model.") else "vision_model." + key


def canonical(key):
    """The name that the tests have for a tensor of `Vila`."""
    if key.startswith("vision_tower."):
        return "model.vision_tower." + tower_name(key.removeprefix("vision_tower.vision_tower."))
    if key.startswith("llm."):
        return key.removeprefix("llm.").replace("model.", "model.language_model.", 1)
    part, index, kind = key.removeprefix("mm_projector.").rsplit(".", 2)
    assert part == "layers"
    return f"model.multi_modal_projector.{index}.{kind}"


# The folders


def save(model, folder):
    """What VILA's `save_pretrained` writes: three folders and a config.json that repeats theirs."""
    shutil.rmtree(folder, ignore_errors=True)
    recipe = model.recipe
    tower, projector = model.vision_tower.vision_tower, model.mm_projector
    model.llm.save_pretrained(folder / "llm", max_shard_size=recipe.get("shards", "1GB"))
    (folder / "llm" / "generation_config.json").unlink(missing_ok=True)
    llm = json.loads((folder / "llm" / "config.json").read_text())
    tower.save_pretrained(folder / "vision_tower")
    weights = {tower_name(k): v for k, v in load_file(folder / "vision_tower" / "model.safetensors").items()}
    save_file(weights, folder / "vision_tower" / "model.safetensors", metadata={"format": "pt"})
    vision = json.loads((folder / "vision_tower" / "config.json").read_text())
    (folder / "mm_projector").mkdir()
    save_file(projector.state_dict(), folder / "mm_projector" / "model.safetensors", metadata={"format": "pt"})
    kind = {
        "architectures": ["MultimodalProjector"], "mm_projector_type": recipe["projector"],
        "model_type": "v2l_projector", "torch_dtype": "bfloat16", "transformers_version": "4.36.2",
    }  # fmt: skip
    tiny.write_json(folder / "mm_projector" / "config.json", kind)
    tiny.write_json(
        folder / "config.json",
        {
            "_name_or_path": "./vlm", "architectures": ["LlavaLlamaModel"], "drop_path_rate": 0.0,
            "hidden_size": llm["hidden_size"], "image_aspect_ratio": recipe["ratio"], "interpolate_mode": "linear",
            "llm_cfg": llm, "mm_hidden_size": vision["hidden_size"], "mm_projector_cfg": kind, "mm_projector_lr": None,
            "mm_use_im_patch_token": False, "mm_use_im_start_end": False,
            "mm_vision_select_feature": recipe["feature"], "mm_vision_select_layer": -2,
            "model_dtype": "torch.bfloat16", "model_type": "llava_llama", "num_video_frames": 8,
            "resume_path": "./vlm", "s2": False, "s2_max_split_size": 336, "s2_scales": "336,672,1008",
            "transformers_version": "4.36.2", "tune_language_model": True, "tune_mm_projector": True,
            "tune_vision_tower": True, "vision_resolution": -1, "vision_tower_cfg": vision,
        },
    )  # fmt: skip
    size = vision["image_size"]
    if vision["model_type"] == "siglip_vision_model":
        tiny.write_json(
            folder / "vision_tower" / "preprocessor_config.json",
            {
                "do_convert_rgb": None, "do_normalize": True, "do_rescale": True, "do_resize": True,
                "image_mean": [0.5] * 3, "image_processor_type": "SiglipImageProcessor", "image_std": [0.5] * 3,
                "processor_class": "SiglipProcessor", "resample": 3, "rescale_factor": 1 / 255,
                "size": {"height": size, "width": size},
            },
        )  # fmt: skip
    else:
        tiny.write_preprocessor(folder / "vision_tower", size)


LLAMA = TEXT | {"model_type": "llama", "hidden_size": 16, "intermediate_size": 24}
RECIPES = {
    # Four by four patches, a tokenizer, an adapter.
    "vila": {
        "projector": "mlp_downsample", "vision": SIGLIP | {"patch_size": 4, "image_size": 16},
        "feature": "cls_patch", "ratio": "resize",
        "text": LLAMA | {"vocab_size": 350, "max_position_embeddings": 512},
    },
    # Three by three, an odd side as the 27 of VILA-1.5; the tower keeps its pooling head.
    "vila-odd": {
        "projector": "mlp_downsample",
        "vision": SIGLIP | {"patch_size": 4, "image_size": 13, "vision_use_head": True},
        "feature": "cls_patch", "ratio": "resize", "text": LLAMA, "gradients": True,
    },
    # CLIP without its class token under LLaVA's projector; shards.
    "vila-mlp": {
        "projector": "mlp2x_gelu", "vision": CLIP | {"patch_size": 4, "image_size": 12},
        "feature": "patch", "ratio": "pad", "text": LLAMA | {"tie_word_embeddings": True}, "shards": "5KB",
    },
}  # fmt: skip


@torch.no_grad()
def filled(recipe):
    """In float32, with weights that bfloat16 holds."""
    model = Vila(recipe)
    for key, parameter in model.named_parameters():
        # A LayerNorm, which its name doesn't tell.
        name = "norm." + key if key.startswith("mm_projector.layers.1.") else canonical(key)
        parameter.copy_(tiny.random_weight(name, parameter.shape).bfloat16())
    return model.eval()


def halved(model):
    """The same in bfloat16 but for rotary frequencies, as transformers loads it."""
    for parameter in model.parameters():
        parameter.data = parameter.data.bfloat16()
    return model


def expectations(model, pixels, prompt, answer):
    """Logits of prompt and answer, and the log-probabilities of the answer's tokens."""
    logits = logits_of(model, prompt + answer, {"pixel_values": pixels})
    rows = logits[len(prompt) - 1 : -1].log_softmax(-1)
    return logits, rows.gather(1, torch.tensor(answer)[:, None])[:, 0]


def write(name):
    recipe = RECIPES[name]
    stored = halved(filled(recipe))
    save(stored, FAMILIES / name)
    vocabulary, side = recipe["text"]["vocab_size"], recipe["vision"]["image_size"]
    pixels = random_pixels((1, 3, side, side), 1)
    with torch.no_grad():
        rough = Vila.features(stored, pixels.bfloat16())
    prompt = [1] + random_ids(4, vocabulary, 2) + [PICTURE] * len(rough) + random_ids(6, vocabulary, 3)
    answer = random_ids(9, vocabulary, 4) + [2]
    half = expectations(stored, pixels.bfloat16(), prompt, answer)[1].double()

    model = double(filled(recipe))
    pixels = pixels.double()
    with torch.no_grad():
        features = model.features(pixels)
        logits, logps = expectations(model, pixels, prompt, answer)
        said = greedy(model, prompt, {"pixel_values": pixels})
    error = half.detach() - logps
    report = {
        "grid": [0, 0], "original": [side, side], "prompt_ids": prompt, "answer_ids": answer,
        "answer_logps": logps.tolist(), "greedy": said,
    }  # fmt: skip
    expected = {"features": features, "logits": logits, "pixel_values": pixels}
    if recipe.get("gradients"):
        loss = -expectations(model, pixels, prompt, answer)[1].mean()
        loss.backward()
        report["loss"] = loss.item()
        names = {"1": "norm", "2": "linear_1", "4": "linear_2"}
        for key, parameter in model.named_parameters():
            key = canonical(key)
            for index, layer in names.items():
                key = key.replace(f"projector.{index}.", f"projector.{layer}.")
            if parameter.grad is not None and GRADIENTS.search(key):
                expected["gradient." + key] = parameter.grad
    save_file({k: v.detach().float().contiguous() for k, v in expected.items()}, FAMILIES / f"{name}.safetensors")
    tiny.write_json(FAMILIES / f"{name}.json", report)
    print(f"{name}: logits {logits.std():.2f} std, least gap {said['least_gap']:.1e}, {len(features)} rows")
    return {"rms": error.pow(2).mean().sqrt().item(), "largest": error.abs().max().item()}


def write_half(errors):
    """Adds to what make_families.py measured."""
    file = FAMILIES / "adapters" / "half.json"
    tiny.write_json(file, json.loads(file.read_text()) | errors)


def write_adapter(name):
    """LoRA as VILA's training asks PEFT for it: on all that is named like the decoder's projections."""
    report = json.loads((FAMILIES / f"{name}.json").read_text())
    pixels = load_file(FAMILIES / f"{name}.safetensors")["pixel_values"]
    model = filled(RECIPES[name])
    model = peft.get_peft_model(model, peft.LoraConfig(r=2, lora_alpha=3, target_modules=TARGETS))
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            if "lora_" in key:
                parameter.copy_(tiny.random_weight(key, parameter.shape, gain=0.5))
    folder = FAMILIES / "adapters" / name
    model.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    config = json.loads((folder / "adapter_config.json").read_text())
    fixed = {"base_model_name_or_path": name, "auto_mapping": None, "target_modules": TARGETS}
    tiny.write_json(folder / "adapter_config.json", config | fixed)
    inner = "base_model.model.vision_tower.vision_tower."
    weights = {
        inner + tower_name(k.removeprefix(inner)) if k.startswith(inner) else k: v
        for k, v in load_file(folder / "adapter_model.safetensors").items()
    }
    assert any(".llm.model.layers." in k for k in weights) and any(k.startswith(inner) for k in weights)
    save_file(weights, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    model = double(model)
    with torch.no_grad():
        logps = expectations(model, pixels.double(), report["prompt_ids"], report["answer_ids"])[1].tolist()
    tiny.write_json(FAMILIES / "adapters" / f"{name}.json", {"answer_logps": logps})
    print(f"adapters/{name}: {sum(logps):.3f} where the model alone has {sum(report['answer_logps']):.3f}")


# Ids and pixels


def write_pixels(tower, size):
    """Squeezed to the tower's square by Pillow, whatever resizes for the tower; then its own preprocessing."""
    processor = SiglipImageProcessorPil.from_pretrained(tower)
    pictures = [Image.open(HERE / "pictures" / f"picture-{i}.png").convert("RGB") for i in (1, 2)]
    squeezed = [picture.resize((size, size)) for picture in pictures]
    pixels = processor(squeezed, return_tensors="pt")["pixel_values"]
    save_file({"resize": pixels.contiguous()}, OUT / "pixels.safetensors")


def main():
    wrong = {n: version(n) for n, v in PINNED.items() if version(n).split("+")[0] != v}
    if wrong:
        sys.exit(f"make_vila.py: found {wrong}; install {PINNED}")
    torch.use_deterministic_algorithms(True)
    OUT.mkdir(exist_ok=True)
    write_half({name: write(name) for name in RECIPES})
    write_adapter("vila")
    language = FAMILIES / "vila" / "llm"
    make_original.write_tokenizer(language, HERE / "llava-legacy")
    write_pixels(FAMILIES / "vila" / "vision_tower", RECIPES["vila"]["vision"]["image_size"])
    tiny.write_json(OUT / "expected.json", {"turns": make_original.prompts(language)})


if __name__ == "__main__":
    main()
