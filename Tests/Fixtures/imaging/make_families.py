"""Makes the oracle of ProcessorTests: what transformers' image processors, by torchvision and by Pillow, make of a few
pictures, family by family.

    pip install pillow==13.0.0 numpy==2.4.6 torch==2.13.0 torchvision==0.28.0 transformers==5.24.0
    python make_families.py

Writes two pictures beside make_imaging.py's, `families.bin` (8-bit levels, which the processors' floats are turned back
into) and `families.json` (configurations, where their levels stand, and sizes that need no pixels).
"""

import json
import pathlib
import random

import numpy as np
import PIL
import torch

for name in ("nms", "qnms"):
    # A torchvision built for CUDA can't load its operators beside a torch without; resizing needs none of them.
    if not hasattr(torch.ops.torchvision, name):
        torch.library.define(f"torchvision::{name}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

import torchvision
import transformers
from PIL import Image
from torchvision.transforms.v2 import functional
from transformers import AutoImageProcessor  # noqa: F401  (fails early where torchvision is broken)
from transformers.image_processing_utils import select_best_resolution
from transformers.models.clip import image_processing_clip, image_processing_pil_clip
from transformers.models.idefics3 import image_processing_idefics3, image_processing_pil_idefics3
from transformers.models.llava import image_processing_llava, image_processing_pil_llava
from transformers.models.llava_next import image_processing_llava_next, image_processing_pil_llava_next
from transformers.models.llava_onevision import image_processing_llava_onevision, image_processing_pil_llava_onevision
from transformers.models.qwen2_vl import image_processing_pil_qwen2_vl, image_processing_qwen2_vl
from transformers.models.siglip import image_processing_pil_siglip, image_processing_siglip
from transformers.models.siglip2 import image_processing_pil_siglip2, image_processing_siglip2
from transformers.models.smolvlm import image_processing_pil_smolvlm, image_processing_smolvlm

assert PIL.__version__ == "13.0.0" and np.__version__ == "2.4.6" and transformers.__version__ == "5.24.0"
assert torch.__version__.startswith("2.13.0") and torchvision.__version__.startswith("0.28.0")

HERE = pathlib.Path(__file__).parent
MODULES = {
    "CLIP": (image_processing_clip, image_processing_pil_clip),
    "Llava": (image_processing_llava, image_processing_pil_llava),
    "Siglip": (image_processing_siglip, image_processing_pil_siglip),
    "Siglip2": (image_processing_siglip2, image_processing_pil_siglip2),
    "Idefics3": (image_processing_idefics3, image_processing_pil_idefics3),
    "SmolVLM": (image_processing_smolvlm, image_processing_pil_smolvlm),
    "LlavaNext": (image_processing_llava_next, image_processing_pil_llava_next),
    "LlavaOnevision": (image_processing_llava_onevision, image_processing_pil_llava_onevision),
    "Qwen2VL": (image_processing_qwen2_vl, image_processing_pil_qwen2_vl),
}
HALF = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
PINPOINTS = [[20 * h, 20 * w] for h in range(1, 4) for w in range(1, 4)]
CASES = {
    "clip": ("CLIP", {"size": {"shortest_edge": 24}, "crop_size": {"height": 24, "width": 24}}),
    "overhanging": ("CLIP", {"size": {"shortest_edge": 20}, "crop_size": {"height": 27, "width": 33}, "resample": 2}),
    "nearest": ("CLIP", {"size": {"shortest_edge": 18}, "crop_size": {"height": 18, "width": 18}, "resample": 0}),
    "padded": ("Llava", {"size": {"shortest_edge": 24}, "crop_size": {"height": 24, "width": 24}, "do_pad": True}),
    "siglip": ("Siglip", {"size": {"height": 26, "width": 26}}),
    "siglip-bilinear": ("Siglip", {"size": {"height": 26, "width": 26}, "resample": 2, **HALF}),
    "naflex": ("Siglip2", {"patch_size": 4, "max_num_patches": 30}),
    "smolvlm": ("SmolVLM", {"size": {"longest_edge": 64}, "max_image_size": {"longest_edge": 16}}),
    "idefics3": ("Idefics3", {"size": {"longest_edge": 50}, "max_image_size": {"longest_edge": 20}, "do_pad": False}),
    "smolvlm-whole": ("SmolVLM", {"size": {"longest_edge": 64}, "max_image_size": {"longest_edge": 24}, "do_image_splitting": False}),
    "onevision": ("LlavaOnevision", {"size": {"height": 20, "width": 20}, "image_grid_pinpoints": PINPOINTS, **HALF}),
    "onevision-whole": ("LlavaOnevision", {"size": {"height": 20, "width": 20}, "image_grid_pinpoints": PINPOINTS, "image_mean": [0.1, 0.5, 0.9]}),
    "next-whole": ("LlavaNext", {"size": {"shortest_edge": 20}, "crop_size": {"height": 20, "width": 20}, "image_grid_pinpoints": PINPOINTS}),
    "qwen2-vl": ("Qwen2VL", {"patch_size": 5, "merge_size": 2, "min_pixels": 600, "max_pixels": 1500}),
    "qwen2-vl-size": ("Qwen2VL", {"patch_size": 4, "merge_size": 2, "size": {"shortest_edge": 64, "longest_edge": 2500}}),
}
FILES = ["small.png", "tall.png", "upright.png", "tiny.png"]
blob = bytearray()


def store(array):
    offset = len(blob)
    blob.extend(np.ascontiguousarray(array).tobytes())
    return offset


def draw(width, height, seed):
    y, x = np.mgrid[0:height, 0:width]
    noise = np.random.default_rng(seed).normal(0, 30, (height, width, 3))
    waves = 128 + 110 * np.sin(x[..., None] * (0.3 + 0.1 * np.arange(3)) + seed) * np.cos(y[..., None] * 0.17)
    return Image.fromarray(np.clip(waves + noise, 0, 255).astype(np.uint8))


def levels(pixels, processor, channel_axis):
    """The 8-bit levels that normalize to `pixels`."""
    shape = [1] * pixels.ndim
    shape[channel_axis] = 3
    mean, std = (np.reshape(np.float32(v), shape) for v in (processor.image_mean, processor.image_std))
    found = np.rint((pixels * std + mean) * 255)
    assert np.abs((found / 255 - mean) / std - pixels).max() < 1e-5
    return found.astype(np.uint8)


def case(name, backend, file):
    family, options = CASES[name]
    module = MODULES[family][backend]
    processor = getattr(module, family + "ImageProcessor" + ("Pil" if backend else ""))(**options)
    image = Image.open(HERE / file).convert("RGB")
    grid = [0, 0]
    if family == "Qwen2VL":
        out = processor(images=image, return_tensors="np")
        grid = [int(n) for n in out["image_grid_thw"][0][1:]]
        side = options["patch_size"]
        rows = np.asarray(out["pixel_values"]).reshape(-1, 3, 2, side, side)
        found = levels(rows, processor, 1)
    elif family == "Siglip2":
        out = processor(images=image, return_tensors="np")
        grid = [int(n) for n in out["spatial_shapes"][0]]
        rows = np.asarray(out["pixel_values"])[0][: grid[0] * grid[1]]
        found = levels(rows.reshape(len(rows), -1, 3), processor, 2)
    else:
        nested = [[image, image]] if name == "onevision-whole" else [[image]] if family in ("Idefics3", "SmolVLM") else image
        split = {"return_row_col_info": True} if family in ("Idefics3", "SmolVLM") else {}
        out = processor(images=nested, return_tensors="np", **split)
        tiles = np.asarray(out["pixel_values"])
        tiles = tiles[0] if tiles.ndim == 5 else tiles
        if split:
            grid = [int(out["rows"][0][0]), int(out["cols"][0][0])]
        elif name == "onevision":
            best = select_best_resolution((image.height, image.width), PINPOINTS)
            grid = [side // 20 for side in best]
        else:
            tiles = tiles[:1]
        found = levels(tiles, processor, 1)
    count = 1 if family in ("Qwen2VL", "Siglip2") else len(found)
    return {
        "name": name, "resize": ["torchvision", "pillow"][backend], "file": file, "tiles": count, "grid": grid,
        "values": int(found.size), "offset": store(found),
        "config": {"image_processor_type": family + "ImageProcessor", **options},
        "whole": name.endswith("-whole") and family.startswith("Llava"),
        "layout": {"Qwen2VL": [6 * options.get("patch_size", 0) ** 2, 2 * options.get("patch_size", 0) ** 2], "Siglip2": [3, 1]}.get(
            family, [int(found[0].size), int(found[0].size) // 3]),
    }


def resizes():
    modes = {"nearest": "nearest-exact", "lanczos": "lanczos", "bilinear": "bilinear", "bicubic": "bicubic"}
    for file, sizes in {"small.png": [(61, 20), (20, 43), (100, 90), (7, 5), (1, 1)], "upright.png": [(30, 20), (50, 21)], "tall.png": [(3, 40)]}.items():
        image = torch.from_numpy(np.asarray(Image.open(HERE / file).convert("RGB")).copy()).permute(2, 0, 1)
        for width, height in sizes:
            for filter, mode in modes.items():
                mode = functional.InterpolationMode(mode) if hasattr(functional, "InterpolationMode") else mode
                out = functional.resize(image, [height, width], interpolation=mode, antialias=True)
                yield {"file": file, "filter": filter, "width": width, "height": height, "resize": "torchvision",
                       "offset": store(out.permute(1, 2, 0).numpy())}
    image = Image.open(HERE / "upright.png")
    for width, height in [(30, 20), (50, 21), (20, 60)]:
        # sizes at which Pillow 13 takes its passes in the other order than Pillow 12, and one at which it doesn't
        yield {"file": "upright.png", "filter": "bicubic", "width": width, "height": height, "resize": "pillow",
               "offset": store(np.asarray(image.resize((width, height), Image.BICUBIC)))}


def sizes():
    r = random.Random(4)
    shapes = [(427, 640), (640, 427), (480, 640), (336, 336), (1080, 1920), (10, 20), (899, 1024), (100, 1000), (13, 2600)]
    shapes += [(r.randint(1, 3000), r.randint(1, 3000)) for _ in range(60)]
    hub = {"min_pixels": 3136, "max_pixels": 12845056}
    return {
        "qwen2vl": [[h, w, *image_processing_qwen2_vl.smart_resize(h, w, **hub)] for h, w in shapes if max(h, w) <= 200 * min(h, w)],
        "qwen2vl-default": [[h, w, *image_processing_qwen2_vl.smart_resize(h, w, max_pixels=28 * 28 * 1280)] for h, w in shapes if max(h, w) <= 200 * min(h, w)],
        "naflex": [[h, w, *image_processing_siglip2.get_image_size_for_max_num_patches(h, w, 16, 256)] for h, w in shapes],
        "onevision": [[h, w, *select_best_resolution((h, w), [[384 * a, 384 * b] for a in range(1, 7) for b in range(1, 7)])] for h, w in shapes],
    }


def main():
    draw(37, 95, 3).save(HERE / "upright.png")
    draw(5, 3, 4).save(HERE / "tiny.png")
    result = {"process": [], "resize": list(resizes()), "sizes": sizes()}
    for name in CASES:
        for file in FILES:
            result["process"].append(case(name, 0, file))
            if file == "upright.png":
                result["process"].append(case(name, 1, file))
    (HERE / "families.bin").write_bytes(blob)
    text = json.dumps(result).replace('{"name"', '\n{"name"').replace('{"file"', '\n{"file"')
    (HERE / "families.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
