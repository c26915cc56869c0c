"""Write the fixtures of `original/`: tiny LLaVAs of this folder in the layout of LLaVA's own code (haotian-liu/LLaVA).

    python -m venv venv
    venv/bin/pip install torch==2.13.0 torchvision==0.28.0 transformers==5.24.0 tokenizers==0.23.3 safetensors==0.8.0 \
        pillow==13.0.0 numpy==2.4.6
    venv/bin/python -B Tests/Fixtures/oracle/make_original.py

Weights are those of `llava-legacy` and `families/llava-next` under other names, so that what is expected of these holds.
What else is expected (ids, pixels, rows) is computed here by the rules of llava/mm_utils.py and llava/model/llava_arch.py.
"""

import os

os.environ |= {"HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": "", "TOKENIZERS_PARALLELISM": "false"}

import json
import math
import sys
from importlib.metadata import version
from pathlib import Path

import torch

for name in ("nms", "qnms"):
    # A torchvision built for CUDA can't load its operators beside a torch without; resizing needs none of them.
    if not hasattr(torch.ops.torchvision, name):
        torch.library.define(f"torchvision::{name}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer, CLIPVisionConfig, CLIPVisionModel
from transformers.models.clip.image_processing_clip import CLIPImageProcessor
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

import tiny

PINNED = {
    "torch": "2.13.0", "torchvision": "0.28.0", "transformers": "5.24.0", "tokenizers": "0.23.3",
    "safetensors": "0.8.0", "pillow": "13.0.0", "numpy": "2.4.6",
}  # fmt: skip
HERE = Path(__file__).resolve().parent
OUT = HERE / "original"
# conv_vicuna_v1 of llava/conversation.py
SYSTEM = (
    "A chat between a curious user and an artificial intelligence assistant. "
    "The assistant gives helpful, detailed, and polite answers to the user's questions."
)
TURNS = [("Describe the picture.", "A small red car."), ("  né? Two", "there are two cups")]
IMAGE = -200
# Width and height, in tiles; LLaVA-1.6 has these.
SHAPES = [(1, 2), (2, 1), (2, 2), (3, 1), (1, 3)]


def load_all(folder):
    return {k: v for file in sorted(folder.glob("*.safetensors")) for k, v in load_file(file).items()}


def original(key):
    """The name that LLaVA's own code has for a tensor; transformers' is of any version."""
    key = key.removeprefix("model.").replace("language_model.model.", "language_model.").replace("vision_model.", "")
    if key.endswith("lm_head.weight"):
        return "lm_head.weight"
    if key.startswith("vision_tower."):
        return "model.vision_tower.vision_tower.vision_model." + key.removeprefix("vision_tower.")
    key = key.replace("language_model.", "", 1).replace("multi_modal_projector", "mm_projector")
    return "model." + key.replace("linear_1", "0").replace("linear_2", "2")


def text_keys(text):
    """The decoder's keys as transformers 4 wrote them."""
    rope = text.get("rope_parameters") or {}
    kept = {k: v for k, v in text.items() if k not in ("model_type", "rope_parameters", "dtype", "torch_dtype")}
    return kept | ({"rope_theta": rope["rope_theta"]} if "rope_theta" in rope else {})


# The two layouts


def write_tokenizer(folder, source):
    """The tokenizer of `source` as it was before a token for pictures came in."""
    tokenizer = json.loads((source / "tokenizer.json").read_text())
    tokenizer["added_tokens"] = [t for t in tokenizer["added_tokens"] if t["content"] not in ("<image>", "<pad>")]
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False) + "\n")
    tiny.write_json(
        folder / "tokenizer_config.json",
        {
            "add_bos_token": True, "add_eos_token": False, "bos_token": "<s>", "eos_token": "</s>",
            "unk_token": "<unk>", "pad_token": "<unk>", "clean_up_tokenization_spaces": False,
            "model_max_length": 256, "padding_side": "right", "tokenizer_class": "PreTrainedTokenizerFast",
        },
    )  # fmt: skip


def write_apart():
    """LLaVA-1.5's layout: shards of projector and decoder, the tower in a folder of its own."""
    source, folder = HERE / "llava-legacy", OUT / "llava-1.5"
    (folder / "vision_tower").mkdir(parents=True, exist_ok=True)
    config = json.loads((source / "config.json").read_text())
    weights = {original(k): v for k, v in load_all(source).items()}
    inner = "model.vision_tower.vision_tower."
    tower = CLIPVisionModel(CLIPVisionConfig(**config["vision_config"])).to(torch.bfloat16)
    names = {k.removeprefix("vision_model."): k for k in tower.state_dict()}
    given = {names[k.removeprefix(inner + "vision_model.")]: v for k, v in weights.items() if k.startswith(inner)}
    missing, unexpected = tower.load_state_dict(given, strict=False)
    assert not unexpected and all("position_ids" in k for k in missing)
    tower.save_pretrained(folder / "vision_tower")
    tiny.write_preprocessor(folder / "vision_tower", 32)

    weights = {k: v for k, v in weights.items() if not k.startswith(inner)}
    keys, index = sorted(weights), {}
    for number, part in enumerate([keys[: len(keys) // 2], keys[len(keys) // 2 :]], 1):
        file = f"model-{number:05d}-of-00002.safetensors"
        save_file({k: weights[k] for k in part}, folder / file, metadata={"format": "pt"})
        index |= {k: file for k in part}
    tiny.write_json(folder / "model.safetensors.index.json", {"metadata": {}, "weight_map": index})
    tiny.write_json(
        folder / "config.json",
        {
            "_name_or_path": "llava-v1.5-tiny", "architectures": ["LlavaLlamaForCausalLM"], "bos_token_id": 1,
            "eos_token_id": 2, "freeze_mm_mlp_adapter": False, "hidden_act": "silu", "image_aspect_ratio": "pad",
            "image_grid_pinpoints": None, "mm_hidden_size": config["vision_config"]["hidden_size"],
            "mm_projector_type": "mlp2x_gelu", "mm_resampler_type": None, "mm_use_im_patch_token": False,
            "mm_use_im_start_end": False, "mm_vision_select_feature": "patch", "mm_vision_select_layer": -2,
            "mm_vision_tower": "openai/clip-vit-large-patch14-336", "model_type": "llava", "pad_token_id": 0,
            "rope_scaling": None, "torch_dtype": "bfloat16", "transformers_version": "4.31.0", "tune_mm_mlp_adapter": False,
            "unfreeze_mm_vision_tower": False, "use_cache": True, "use_mm_proj": True, **text_keys(config["text_config"]),
        },
    )  # fmt: skip
    write_tokenizer(folder, source)


def write_inside():
    """LLaVA-1.6's layout: one file with the tower in it, pictures in tiles."""
    source, folder = HERE / "families" / "llava-next", OUT / "llava-1.6"
    (folder / "vision_tower").mkdir(parents=True, exist_ok=True)
    config = json.loads((source / "config.json").read_text())
    side = config["vision_config"]["image_size"]
    save_file(
        {original(k): v for k, v in load_all(source).items()}, folder / "model.safetensors", metadata={"format": "pt"}
    )
    tiny.write_json(folder / "vision_tower" / "config.json", {"model_type": "clip", "vision_config": config["vision_config"]})
    tiny.write_json(
        folder / "config.json",
        {
            "architectures": ["LlavaLlamaForCausalLM"], "image_aspect_ratio": "anyres", "image_crop_resolution": 224,
            "image_grid_pinpoints": [[side * w, side * h] for w, h in SHAPES],
            "mm_hidden_size": config["vision_config"]["hidden_size"], "mm_patch_merge_type": "spatial_unpad",
            "mm_projector_type": "mlp2x_gelu", "mm_resampler_type": None, "mm_use_im_patch_token": False,
            "mm_use_im_start_end": False, "mm_vision_select_feature": "patch", "mm_vision_select_layer": -2,
            "mm_vision_tower": "clip-tiny", "model_type": "llava_llama", "torch_dtype": "bfloat16",
            "unfreeze_mm_vision_tower": True, "use_mm_proj": True, **text_keys(config["text_config"]),
        },
    )  # fmt: skip


# Ids: a prompt is cut at its pictures, its parts are read apart


def ids_around_pictures(tokenizer, prompt):
    parts = [tokenizer(part)["input_ids"] for part in prompt.split("<image>")]
    start = int(parts[0][:1] == [tokenizer.bos_token_id])
    ids = parts[0]
    for part in parts[1:]:
        ids = ids + [IMAGE] + part[start:]
    return ids


def prompts(source):
    """What a tokenizer makes of the dialogues, the second question after the first one's answer."""
    tokenizer = AutoTokenizer.from_pretrained(source)
    cases, history = [], f"{SYSTEM} USER: <image>\n"
    for question, answer in TURNS:
        prompt = f"{history}{question} ASSISTANT:"
        ids = ids_around_pictures(tokenizer, prompt)
        whole = ids_around_pictures(tokenizer, f"{prompt} {answer}</s>")
        assert whole[: len(ids)] == ids and whole.count(IMAGE) == 1
        cases.append({"prompt": question, "answer": answer, "prompt_ids": ids, "answer_ids": whole[len(ids) :]})
        history = f"{prompt} {answer}</s>USER: "
    return cases


# Pixels, by Pillow


def squared(picture, color):
    """The picture in the middle of a square, the odd pixel after it."""
    side = max(picture.size)
    canvas = Image.new("RGB", (side, side), color)
    canvas.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    return canvas


def best_shape(size, shapes):
    """Where most pixels survive, then least is wasted, then the first."""
    def merit(shape):
        scale = min(shape[0] / size[0], shape[1] / size[1])
        kept = min(int(size[0] * scale) * int(size[1] * scale), size[0] * size[1])
        return kept, -(shape[0] * shape[1] - kept)

    return max(shapes, key=merit)


def tiles(picture, side):
    """The picture squeezed into a square, then the squares of the picture fitted into its best shape."""
    width, height = best_shape(picture.size, [(side * w, side * h) for w, h in SHAPES])
    across, down = width / picture.width, height / picture.height
    if across < down:
        fitted = (width, min(math.ceil(picture.height * across), height))
    else:
        fitted = (min(math.ceil(picture.width * down), width), height)
    canvas = Image.new("RGB", (width, height), (0, 0, 0))
    canvas.paste(picture.resize(fitted), ((width - fitted[0]) // 2, (height - fitted[1]) // 2))
    boxes = [(x, y, x + side, y + side) for y in range(0, height, side) for x in range(0, width, side)]
    return [picture.resize((side, side))] + [canvas.crop(box) for box in boxes]


def pixels():
    pictures = [Image.open(HERE / "pictures" / f"picture-{i}.png").convert("RGB") for i in (1, 2)]
    color = tuple(int(x * 255) for x in tiny.MEAN)
    found = {}
    for backend, kind in (("pillow", CLIPImageProcessorPil), ("torchvision", CLIPImageProcessor)):
        processor = kind.from_pretrained(OUT / "llava-1.5" / "vision_tower")
        padded = [squared(picture, color) for picture in pictures]
        found[f"pad.{backend}"] = processor(padded, return_tensors="pt")["pixel_values"]
    processor = CLIPImageProcessorPil(size={"shortest_edge": 24}, crop_size={"height": 24, "width": 24})
    for index, picture in zip((1, 2), pictures):
        found[f"tiles.{index}"] = processor(tiles(picture, 24), return_tensors="pt")["pixel_values"]
    return found


# Rows: those of the whole, and of the map of tiles without its padding, each with a row's end


def rows(size, side, patches, rounds=False):
    width, height = size
    shape = best_shape(size, [(side * w, side * h) for w, h in SHAPES])
    across, down = (patches * length // side for length in shape)
    wide = width / height > across / down
    covered = height * (across / width) if wide else width * (down / height)
    covered = int(round(covered, 7) if rounds else covered)
    length = down if wide else across
    left = length - 2 * ((length - covered) // 2)
    map_rows, map_columns = (left, across) if wide else (down, left)
    return [shape[1] // side, shape[0] // side, patches * patches + map_rows * (map_columns + 1)]


def layouts():
    """[height, width, tiles down, tiles across, rows] by LLaVA-1.6; the last have others by transformers' rounding."""
    generator = torch.Generator().manual_seed(6)
    sizes = torch.randint(20, 2400, (80, 2), generator=generator).tolist() + [[100, 100], [336, 336], [480, 640]]
    everywhere = [[w, h] for w in range(1, 900, 4) for h in range(1, 900, 5)]
    rounded = [s for s in everywhere if rows(s, 336, 24) != rows(s, 336, 24, rounds=True)]
    assert rounded
    return [[h, w, *rows((w, h), 336, 24)] for w, h in sizes + rounded]


def main():
    wrong = {n: version(n) for n, v in PINNED.items() if version(n).split("+")[0] != v}
    if wrong:
        sys.exit(f"make_original.py: found {wrong}; install {PINNED}")
    write_apart()
    write_inside()
    save_file({k: v.contiguous() for k, v in pixels().items()}, OUT / "pixels.safetensors")
    found = layouts()
    tiny.write_json(
        OUT / "expected.json",
        {"prepended": prompts(OUT / "llava-1.5"), "first_only": prompts(HERE / "llava-tied"), "layouts": found},
    )
    print(f"{len(found)} sizes; files of {sum(f.stat().st_size for f in OUT.rglob('*') if f.is_file())} bytes")


if __name__ == "__main__":
    main()
