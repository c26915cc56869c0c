"""Write `siglip-*`: tiny random SigLIPs as transformers saves them, and what it makes of pictures and texts.

    pip install torch==2.13.0 torchvision==0.28.0 transformers==5.24.0 safetensors==0.8.0 sentencepiece==0.2.3 protobuf
    python -B Tests/Fixtures/oracle/make_siglip.py

`fixed` reads pictures of one size and has a SentencePiece model alone; `masked` is what the same would say, did its
tokenizer's files say that padding is masked; `flexible` is a SigLIP 2 that keeps the aspect of pictures, with Gemma's kind of tokenizer. Weights
are stored in bfloat16 to stay small; what is expected is computed from them in float64.
"""

import json
import shutil
from pathlib import Path

import torch

for name in ("nms", "qnms"):
    # A torchvision built for CUDA can't load its operators beside a torch without; resizing needs none of them.
    if not hasattr(torch.ops.torchvision, name):
        torch.library.define(f"torchvision::{name}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

import transformers
from PIL import Image
from transformers import Siglip2Config, Siglip2Model, SiglipConfig, SiglipModel
from transformers.models.siglip.image_processing_siglip import SiglipImageProcessor
from transformers.models.siglip.tokenization_siglip import SiglipTokenizer
from transformers.models.siglip2.image_processing_siglip2 import Siglip2ImageProcessor
from transformers.models.siglip2.tokenization_siglip2 import Siglip2Tokenizer

import tiny

assert transformers.__version__ == "5.24.0" and torch.__version__.startswith("2.13.0")

HERE = Path(__file__).resolve().parent
TOKENIZERS = HERE.parent / "tokenizers"
LENGTH = 16
TEXTS = [
    "A small red car, on the left.", "two quiet bottles near the top of the golden mountain, and behind them a river", "A",
    "In front of a wall stands a WOODEN horse!", "  a lamp?",
]  # fmt: skip
TEXT = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "max_position_embeddings": LENGTH}
VISION = {"hidden_size": 32, "intermediate_size": 56, "num_hidden_layers": 2, "num_attention_heads": 2}


def fill(model):
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            value = tiny.random_weight(name, parameter.shape)
            if name == "logit_bias":
                value = torch.tensor([-1.5])
            elif name == "logit_scale":
                value = torch.tensor([1.25])
            parameter.copy_(value)
    return model.to(torch.bfloat16)


def save(folder, model, processor, settings):
    folder.mkdir(exist_ok=True)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    (folder / "model.safetensors").chmod(0o644)
    tiny.write_json(folder / "tokenizer_config.json", settings)


def expect(name, model, inputs, ids):
    model = model.double().eval()
    logits = []
    with torch.no_grad():
        for picture in inputs:
            picture = {k: v.double() if v.is_floating_point() else v for k, v in picture.items()}
            logits.append(model(**ids, **picture).logits_per_image[0].tolist())
    scale = float(model.logit_scale.exp())
    bias = float(model.logit_bias)
    cosines = [[(z - bias) / scale for z in row] for row in logits]
    ids = ids["input_ids"].tolist()
    value = {"texts": TEXTS, "ids": ids, "logits": logits, "cosines": cosines}
    (HERE / f"{name}.json").write_text(json.dumps(value, indent=1) + "\n")


def main():
    pictures = [Image.open(HERE / "pictures" / f"picture-{i}.png").convert("RGB") for i in range(4)]
    tokenizer = SiglipTokenizer(str(TOKENIZERS / "siglip.model"), model_max_length=LENGTH)
    ids = tokenizer(TEXTS, padding="max_length", truncation=True, return_tensors="pt")
    # 30 pixels are three patches of eight, and six that make none
    config = SiglipConfig(
        text_config={**TEXT, "vocab_size": 640, "pad_token_id": 0}, vision_config={**VISION, "image_size": 30, "patch_size": 8})
    processor = SiglipImageProcessor(size={"height": 30, "width": 30})
    for name, inputs in {"siglip-fixed": ["input_ids"], "siglip-masked": ["input_ids", "attention_mask"]}.items():
        model = fill(SiglipModel(config))
        settings = {"tokenizer_class": "SiglipTokenizer", "do_lower_case": True, "model_input_names": inputs}
        if name == "siglip-fixed":
            save(HERE / name, model, processor, settings)
            shutil.copy(TOKENIZERS / "siglip.model", HERE / name / "spiece.model")
        expect(name, model, [dict(processor(p, return_tensors="pt")) for p in pictures], {k: ids[k] for k in inputs})

    config = Siglip2Config(
        text_config={**TEXT, "vocab_size": 816, "pad_token_id": 0}, vision_config={**VISION, "patch_size": 4, "num_patches": 36})
    model = fill(Siglip2Model(config))
    processor = Siglip2ImageProcessor(patch_size=4, max_num_patches=40)
    folder = HERE / "siglip-flexible"
    save(folder, model, processor, {
        "tokenizer_class": "Siglip2Tokenizer", "pad_token": "<unk>", "eos_token": "</s>", "bos_token": "<s>", "unk_token": "<unk>"})  # fmt: skip
    shutil.copy(TOKENIZERS / "gemma.json", folder / "tokenizer.json")
    library = transformers.PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"), pad_token="<unk>", padding_side="left")
    assert Siglip2Tokenizer.padding_side == "left"
    ids = library([t.lower() for t in TEXTS], padding="max_length", max_length=LENGTH, truncation=True, return_tensors="pt")
    expect("siglip-flexible", model, [dict(processor(p, return_tensors="pt")) for p in pictures], {"input_ids": ids["input_ids"]})


if __name__ == "__main__":
    main()
