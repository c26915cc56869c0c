"""Tiny random models in Hugging Face layout: LLaVA in three key layouts, CLIP in two pooling rules."""

import json
import re
import zlib
from pathlib import Path

import torch
from PIL import Image, ImageDraw
from safetensors.torch import save_file
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import CLIPConfig, CLIPModel, LlavaConfig, LlavaForConditionalGeneration

CORPUS = [
    f"{article} {size} {colour} {thing} stands {place}."
    for article in ("A", "The")
    for size in ("small", "large", "round")
    for colour in ("red", "blue", "green", "yellow", "white", "black")
    for thing in ("car", "house", "tree", "dog", "cup", "lamp", "chair", "boat")
    for place in ("on the left", "on the right", "in the middle", "next to a tree", "above the table")
] + [
    "USER: Describe the picture. ASSISTANT:",
    "USER: Is there a dog in the picture? Answer yes or no. ASSISTANT: Yes, there is.",
    "USER: How many cups are there? ASSISTANT: No, there are two cups and three chairs.",
]
CHAT_TEMPLATE = (
    "{% for message in messages %}{{ message['role'].upper() + ': ' }}"
    "{% for part in message['content'] | selectattr('type', 'equalto', 'image') %}{{ '<image>\\n' }}{% endfor %}"
    "{% for part in message['content'] | selectattr('type', 'equalto', 'text') %}{{ part['text'] + ' ' }}{% endfor %}"
    "{% endfor %}{% if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}"
)
MEAN = [0.48145466, 0.4578275, 0.40821073]
STD = [0.26862954, 0.26130258, 0.27577711]


def write_json(path, value):
    """Indented JSON with every list of numbers on one line."""
    text = json.dumps(value, indent=1, ensure_ascii=False)
    text = re.sub(r"\[[-\d\s.,e+]*\]", lambda m: re.sub(r"\s+", " ", m[0]).replace("[ ", "[").replace(" ]", "]"), text)
    assert json.loads(text) == value
    Path(path).write_text(text + "\n")


def draw_pictures(folder):
    """Four small RGB pictures of different shapes, all known from arithmetic alone."""
    folder.mkdir(exist_ok=True)
    for index, (width, height) in enumerate([(32, 32), (48, 40), (36, 52), (64, 64)]):
        picture = Image.new("RGB", (width, height))
        for y in range(height):
            for x in range(width):
                picture.putpixel((x, y), (255 * x // width, 255 * y // height, (37 * index + 2 * x + 3 * y) % 256))
        draw = ImageDraw.Draw(picture)
        draw.rectangle([4 + index, 6, width // 2, height // 2 + 3], fill=(220 - 50 * index, 40 * index, 60))
        draw.ellipse([width // 2, height // 2, width - 4, height - 5], fill=(30, 90 + 40 * index, 230 - 60 * index))
        picture.save(folder / f"picture-{index}.png")


# Tokenizers


def train_merges(size, alphabet_from, **trainer):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = trainer.pop("normalizer", None)
    tokenizer.pre_tokenizer = trainer.pop("pre_tokenizer")
    tokenizer.train_from_iterator(
        CORPUS, trainers.BpeTrainer(vocab_size=size, show_progress=False, initial_alphabet=alphabet_from, **trainer)
    )
    model = json.loads(tokenizer.to_str())["model"]
    return sorted(model["vocab"], key=model["vocab"].get), [tuple(pair) for pair in model["merges"]]


def llama_tokenizer(size, prepends_by_normalizer):
    """A LLaMA tokenizer (BPE with byte fallback) of `size` ids; the last two are <image> and <pad>.

    `prepends_by_normalizer` picks the older layout of tokenizer.json (normalizer Prepend and Replace)
    instead of the newer one (Metaspace pre-tokenizer, first segment only).
    """
    special = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    learned, merges = train_merges(
        size - len(special) - 2, [], pre_tokenizer=pre_tokenizers.Metaspace(prepend_scheme="always", split=True)
    )
    vocabulary = {token: index for index, token in enumerate(special + learned)}
    tokenizer = Tokenizer(
        models.BPE(vocab=vocabulary, merges=merges, byte_fallback=True, fuse_unk=True, unk_token="<unk>")
    )
    if prepends_by_normalizer:
        tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(content=" ", left=1)]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)]
    )
    tokenizer.add_special_tokens(["<unk>", "<s>", "</s>", "<image>", "<pad>"])
    assert tokenizer.get_vocab_size() == size
    return tokenizer


def clip_tokenizer(size):
    """A CLIP tokenizer (byte-level BPE with </w>) of `size` ids; the last two are its start and end."""
    word = Regex(
        r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
    )
    split = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(word, "removed", invert=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    clean = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    base = letters + [letter + "</w>" for letter in letters]
    learned, merges = train_merges(
        10_000, letters, normalizer=clean, pre_tokenizer=split, end_of_word_suffix="</w>"
    )
    merges = merges[: size - 2 - len(base)]
    vocabulary = {token: index for index, token in enumerate(base + ["".join(pair) for pair in merges])}
    start, end = "<|startoftext|>", "<|endoftext|>"
    vocabulary |= {start: size - 2, end: size - 1}
    tokenizer = Tokenizer(
        models.BPE(
            vocab=vocabulary, merges=merges, continuing_subword_prefix="", end_of_word_suffix="</w>", unk_token=end
        )
    )
    tokenizer.normalizer, tokenizer.pre_tokenizer, tokenizer.decoder = clean, split, decoders.ByteLevel()
    tokenizer.post_processor = processors.RobertaProcessing((end, size - 1), (start, size - 2), False, False)
    tokenizer.add_special_tokens([start, end])
    assert tokenizer.get_vocab_size() == size
    return tokenizer


def write_preprocessor(folder, size):
    write_json(
        folder / "preprocessor_config.json",
        {
            "image_processor_type": "CLIPImageProcessor",
            "do_convert_rgb": True,
            "do_resize": True,
            "size": {"shortest_edge": size},
            "resample": 3,
            "do_center_crop": True,
            "crop_size": {"height": size, "width": size},
            "do_rescale": True,
            "rescale_factor": 1 / 255,
            "do_normalize": True,
            "image_mean": MEAN,
            "image_std": STD,
        },
    )


# Weights


def random_weight(name, shape, gain=1.3):
    """Normal values that depend only on the tensor's name; scaled so that no logit is near flat."""
    generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    value = torch.randn(shape, generator=generator)
    if "norm" in name.lower():
        return 1 + 0.2 * value if name.endswith("weight") else 0.1 * value
    if name.endswith("bias") or "position_embedding" in name:
        return 0.15 * value
    if "embed_tokens" in name or "token_embedding" in name or "class_embedding" in name:
        return 0.3 * value
    if name == "logit_scale":
        return torch.tensor(1.7)
    return gain * value / (value[0].numel() ** 0.5)


def fill(model):
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(random_weight(canonical(name), parameter.shape))
    return model.eval()


def check_loaded(model, stored):
    """Every tensor of a loaded LLaVA is the one that was written: no key was missed and left random."""
    for name, parameter in model.named_parameters():
        written = random_weight(canonical(name), parameter.shape).to(stored).to(parameter.dtype)
        assert torch.equal(parameter, written), name


def canonical(name):
    """The name that transformers 4.52 to 4.57 gave a LLaVA tensor in memory; fixtures speak of tensors by it."""
    if "vision_tower." in name and "vision_model." not in name:
        return name.replace("vision_tower.", "vision_tower.vision_model.")
    return name


def hub_name(name):
    """The name of the same tensor in the checkpoints published before transformers 4.52."""
    name = name.removeprefix("model.")
    if name.startswith("lm_head"):
        return "language_model." + name
    return name.replace("language_model.", "language_model.model.", 1)


def build_llava(folder, name):
    """Write the LLaVA called `name` (grouped, tied or legacy) into `folder`."""
    folder.mkdir(exist_ok=True)
    recipe = LLAVAS[name]
    size = recipe["tokens"]
    tokenizer = llama_tokenizer(size, prepends_by_normalizer=recipe["prepends_by_normalizer"])
    tokenizer.save(str(folder / "tokenizer.json"))
    config = LlavaConfig(
        vision_config={"model_type": "clip_vision_model", "image_size": 32, "patch_size": 8, **recipe["vision"]},
        text_config={
            "model_type": "llama", "max_position_embeddings": 256, "bos_token_id": 1, "eos_token_id": 2,
            "pad_token_id": size - 1, **recipe["text"],
        },
        image_token_index=size - 2,
        image_seq_length=16,
        vision_feature_layer=-2,
        vision_feature_select_strategy="default",
        tie_word_embeddings=recipe["text"].get("tie_word_embeddings", False),
    )  # fmt: skip
    model = fill(LlavaForConditionalGeneration(config))
    recipe["write"](model, folder, recipe)
    write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "</s>",
            "unk_token": "<unk>", "pad_token": "<pad>", "add_bos_token": True, "add_eos_token": False,
            "clean_up_tokenization_spaces": False, "model_max_length": 256, "padding_side": "left",
            "chat_template": CHAT_TEMPLATE, "processor_class": "LlavaProcessor",
        },
    )  # fmt: skip
    write_json(
        folder / "processor_config.json",
        {
            "image_token": "<image>", "num_additional_image_tokens": 1, "patch_size": 8,
            "processor_class": "LlavaProcessor", "vision_feature_select_strategy": "default",
        },
    )  # fmt: skip
    write_preprocessor(folder, 32)


def weights_of(model, rename):
    tied = {"lm_head.weight"} if model.config.tie_word_embeddings else set()
    return {rename(canonical(n)): p.detach().contiguous() for n, p in model.named_parameters() if n not in tied}


def write_renamed(model, folder, recipe):
    """The names of transformers 4.52 and later: model.language_model.…, model.vision_tower.vision_model.…"""
    save_file(weights_of(model, lambda n: n), folder / "model.safetensors", metadata={"format": "pt"})
    model.config.architectures = ["LlavaForConditionalGeneration"]
    write_json(folder / "config.json", json.loads(model.config.to_json_string()))


def write_as_saved(model, folder, recipe):
    """What save_pretrained of the pinned transformers writes."""
    model.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)


def write_hub_shards(model, folder, recipe):
    """The hub's layout before 4.52: old names, bfloat16, two shards, a config that leaves defaults out."""
    weights = {n: w.to(torch.bfloat16) for n, w in weights_of(model, hub_name).items()}
    names = sorted(weights)
    shards = {1: names[: len(names) // 2], 2: names[len(names) // 2 :]}
    index = {"metadata": {"total_size": sum(2 * w.numel() for w in weights.values())}, "weight_map": {}}
    for number, members in shards.items():
        file = f"model-{number:05d}-of-00002.safetensors"
        save_file({n: weights[n] for n in members}, folder / file, metadata={"format": "pt"})
        index["weight_map"] |= {n: file for n in members}
    write_json(folder / "model.safetensors.index.json", index)
    config = {
        "architectures": ["LlavaForConditionalGeneration"], "ignore_index": -100, "model_type": "llava",
        "image_token_index": model.config.image_token_index, "pad_token_id": recipe["tokens"] - 1,
        "projector_hidden_act": "gelu", "torch_dtype": "bfloat16", "transformers_version": "4.36.0.dev0",
        "vision_feature_layer": -2, "vision_feature_select_strategy": "default",
        "vision_config": {"model_type": "clip_vision_model", "image_size": 32, "patch_size": 8, **recipe["vision"]},
        "text_config": {
            "model_type": "llama", "max_position_embeddings": 256, "torch_dtype": "bfloat16", **recipe["text"],
        },
    }  # fmt: skip
    write_json(folder / "config.json", config)


LLAVAS = {
    "grouped": {
        "tokens": 382, "prepends_by_normalizer": True, "write": write_renamed,
        "vision": {
            "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 3, "num_attention_heads": 4,
            "hidden_act": "quick_gelu", "projection_dim": 32,
        },
        "text": {
            "vocab_size": 384, "hidden_size": 48, "intermediate_size": 80, "num_hidden_layers": 2,
            "num_attention_heads": 4, "num_key_value_heads": 2, "rms_norm_eps": 1e-5,
        },
    },
    "tied": {
        "tokens": 347, "prepends_by_normalizer": False, "write": write_as_saved,
        "vision": {
            "hidden_size": 36, "intermediate_size": 52, "num_hidden_layers": 2, "num_attention_heads": 3,
            "hidden_act": "gelu", "projection_dim": 20,
        },
        "text": {
            "vocab_size": 347, "hidden_size": 40, "intermediate_size": 52, "num_hidden_layers": 3,
            "num_attention_heads": 4, "num_key_value_heads": 4, "head_dim": 10, "rms_norm_eps": 1e-6,
            "rope_parameters": {"rope_type": "default", "rope_theta": 500.0}, "tie_word_embeddings": True,
        },
    },
    "legacy": {
        "tokens": 352, "prepends_by_normalizer": True, "write": write_hub_shards,
        "vision": {
            "hidden_size": 48, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
            "projection_dim": 24,
        },
        "text": {
            "vocab_size": 352, "hidden_size": 32, "intermediate_size": 56, "num_hidden_layers": 2,
            "num_attention_heads": 4, "rms_norm_eps": 1e-5,
        },
    },
}  # fmt: skip


def build_clip(folder, name):
    """Write the CLIP called `name`: first-eos, or highest-id (the pooling of configs with eos_token_id 2)."""
    folder.mkdir(exist_ok=True)
    recipe = CLIPS[name]
    size = recipe["tokens"]
    clip_tokenizer(size).save(str(folder / "tokenizer.json"))
    ids = {"bos_token_id": size - 2, "eos_token_id": size - 1, "pad_token_id": size - 1, **recipe["ids"]}
    config = CLIPConfig(
        text_config={"vocab_size": size + 2, "max_position_embeddings": 32, **recipe["text"], **ids},
        vision_config={"image_size": 32, "patch_size": 8, **recipe["vision"]},
        projection_dim=recipe["projection"],
    )
    fill(CLIPModel(config)).save_pretrained(folder)
    end = "<|endoftext|>"
    write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<|startoftext|>", "eos_token": end,
            "unk_token": end, "pad_token": end, "model_max_length": 32, "clean_up_tokenization_spaces": False,
        },
    )  # fmt: skip
    write_preprocessor(folder, 32)


CLIPS = {
    "first-eos": {
        "tokens": 560, "projection": 20, "ids": {},
        "text": {
            "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
            "hidden_act": "quick_gelu", "projection_dim": 20,
        },
        "vision": {
            "hidden_size": 24, "intermediate_size": 40, "num_hidden_layers": 2, "num_attention_heads": 3,
            "hidden_act": "quick_gelu", "projection_dim": 20,
        },
    },
    "highest-id": {
        "tokens": 540, "projection": 16, "ids": {"bos_token_id": 0, "eos_token_id": 2, "pad_token_id": 1},
        "text": {
            "hidden_size": 20, "intermediate_size": 36, "num_hidden_layers": 2, "num_attention_heads": 2,
            "hidden_act": "gelu", "projection_dim": 16,
        },
        "vision": {
            "hidden_size": 28, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
            "hidden_act": "gelu", "projection_dim": 16,
        },
    },
}  # fmt: skip
