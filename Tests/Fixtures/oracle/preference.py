"""LoRA gradients and ten-step DPO runs: TRL and PEFT, checked against a plain float64 loop."""

import math
import tempfile

import torch
import torch.nn.functional as F
from datasets import Dataset
from peft import LoraConfig, get_peft_model
from PIL import Image
from safetensors.torch import save_file
from transformers import AutoTokenizer, LlavaProcessor, TrainerCallback, get_scheduler
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from trl import DPOConfig, DPOTrainer

import exact
import tiny

BETA = 0.1
LORA = LoraConfig(
    r=4, lora_alpha=8, lora_dropout=0.0, bias="none", task_type="CAUSAL_LM",
    target_modules=r".*language_model\..*\.(q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)",
)  # fmt: skip
RUNS = {
    "constant": {"batch_size": 1, "learning_rate": 2e-3, "lr_scheduler_type": "constant", "warmup_steps": 0},
    "cosine": {"batch_size": 2, "learning_rate": 5e-3, "lr_scheduler_type": "cosine", "warmup_steps": 2},
}
STEPS = 10
# The losses beside sigmoid, a few steps each. TRL takes IPO of token means.
VARIANTS = {
    "hinge": {"loss_type": ["hinge"]},
    "ipo": {"loss_type": ["ipo"]},
    "robust": {"loss_type": ["robust"], "label_smoothing": 0.1},
    "normalised": {"loss_type": ["sigmoid_norm"]},
    "likelihood": {"loss_type": ["sigmoid", "sft"], "loss_weights": [1.0, 0.3]},
}
VARIANT_STEPS = 3


def make_pairs():
    things = ["car", "house", "tree", "dog", "cup", "lamp", "chair", "boat"]
    colours = ["red", "blue", "green", "yellow", "white", "black"]
    questions = ["Describe the picture.", "What is there?", "Is there a dog in the picture? Answer yes or no."]
    pairs = []
    for i in range(20):
        kept, other = things[i % 8], things[(3 * i + 1) % 8]
        chosen = f"A small {colours[i % 6]} {kept} stands on the left."
        rejected = f"A large {colours[(i + 1) % 6]} {other} stands next to a tree. The {kept} stands in the middle."
        if i % 3 == 2:
            chosen, rejected = "Yes.", "No, there is no " + other + "."
        pairs.append({"id": f"pair-{i}", "picture": f"picture-{i % 4}", "prompt": questions[i % 3],
                      "chosen": chosen, "rejected": rejected})  # fmt: skip
    return pairs


PAIRS = make_pairs()


def encode_pair(tokenizer, pair, encode_turn):
    prompt, chosen = encode_turn(tokenizer, pair["prompt"], pair["chosen"])
    same, rejected = encode_turn(tokenizer, pair["prompt"], pair["rejected"])
    assert prompt == same
    return {"prompt_ids": prompt, "chosen_ids": chosen, "rejected_ids": rejected}


def fill_adapter(model):
    """Set A and B to values that depend only on their names; B is not zero."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_" in name:
                gain = 1.0 if "lora_A" in name else 0.25
                parameter.copy_(tiny.random_weight(adapter_key(name), parameter.shape, gain=gain))
    return model


def wrap(base):
    return fill_adapter(get_peft_model(base, LORA)).eval()


def adapter_key(name):
    """The key of a LoRA tensor in PEFT's layout for transformers 4.52 and later."""
    return name.replace(".default.weight", ".weight")


def sequence_log_probabilities(model, item, pixels):
    """Summed log-probabilities of chosen and rejected."""
    return [
        exact.label_log_probabilities(model, item["prompt_ids"], item[key], pixels).sum()
        for key in ("chosen_ids", "rejected_ids")
    ]


def reference_log_probabilities(model, item, pixels):
    with torch.no_grad(), model.disable_adapter():
        return sequence_log_probabilities(model, item, pixels)


def pair_loss(model, item, pixels, reference):
    policy = sequence_log_probabilities(model, item, pixels)
    return -F.logsigmoid(BETA * ((policy[0] - reference[0]) - (policy[1] - reference[1]))), policy


def gradients(model, item, pixels, gradients_of):
    """Gradients by every A and B of −log p(chosen) and of the DPO loss, in the model's dtype."""
    reference = reference_log_probabilities(model, item, pixels)
    losses = {
        "sequence": lambda: -sequence_log_probabilities(model, item, pixels)[0],
        "dpo": lambda: pair_loss(model, item, pixels, reference)[0],
    }
    tensors, report = {}, {}
    for name, loss_of in losses.items():
        model.zero_grad()
        loss = loss_of()
        loss.backward()
        exact.check_gradient(loss_of, [p for p in model.parameters() if p.requires_grad])
        given, without = gradients_of(model, adapter_key)
        assert not without
        tensors |= {f"{name}.{key}": value for key, value in given.items()}
        report[f"{name}_loss"] = loss.item()
    policy = sequence_log_probabilities(model, item, pixels)
    report |= {
        "beta": BETA,
        "logps_chosen": policy[0].item(), "logps_rejected": policy[1].item(),
        "ref_logps_chosen": reference[0].item(), "ref_logps_rejected": reference[1].item(),
    }  # fmt: skip
    return report, tensors


# Ten steps


class Recorder(TrainerCallback):
    """Keeps TRL's logged metrics and the learning rate that each step used."""

    def __init__(self):
        self.logs, self.rates = [], []

    def on_pre_optimizer_step(self, args, state, control, optimizer=None, **kwargs):
        self.rates.append(optimizer.param_groups[0]["lr"])

    def on_log(self, args, state, control, logs=None, **kwargs):
        if "rewards/margins" in logs:
            self.logs.append(dict(logs))


class ExactLossTrainer(DPOTrainer):
    """DPOTrainer that keeps each loss before the logger rounds it, and the ids that it saw."""

    def compute_loss(self, model, inputs, *args, **kwargs):
        loss = super().compute_loss(model, inputs, *args, **kwargs)
        self.losses.append(loss.item())
        rows = zip(inputs["input_ids"], inputs["attention_mask"])
        self.batches.append([ids[mask.bool()].tolist() for ids, mask in rows])
        return loss


def trl_dataset(folder, count):
    """TRL's vision format as plain text: the collator puts nothing in, so template and end token stand here."""
    rows = []
    for pair in PAIRS[:count]:
        rows.append({
            "images": [Image.open(folder / "pictures" / f"{pair['picture']}.png").convert("RGB")],
            "prompt": f"<s>USER: <image>\n{pair['prompt']} ASSISTANT:",
            "chosen": f"{pair['chosen']}</s>",
            "rejected": f"{pair['rejected']}</s>",
        })  # fmt: skip
    return Dataset.from_list(rows)


def trl_run(folder, settings, load_llava, count=STEPS):
    """TRL's DPOTrainer over a fresh PEFT adapter whose B is then set; reference = adapter off."""
    checkpoint = folder / "llava-grouped"
    processor = LlavaProcessor(
        image_processor=CLIPImageProcessorPil.from_pretrained(checkpoint),
        tokenizer=AutoTokenizer.from_pretrained(checkpoint),
        patch_size=8, vision_feature_select_strategy="default", num_additional_image_tokens=1,
        chat_template=tiny.CHAT_TEMPLATE,
    )  # fmt: skip
    options = {k: v for k, v in settings.items() if k != "batch_size"}
    recorder = Recorder()
    with tempfile.TemporaryDirectory() as scratch:
        config = DPOConfig(
            output_dir=scratch, per_device_train_batch_size=settings["batch_size"], max_steps=count, beta=BETA,
            train_sampling_strategy="sequential", logging_steps=1, report_to="none", save_strategy="no",
            gradient_checkpointing=False, bf16=False, use_cpu=True, max_length=None, adam_beta1=0.9,
            adam_beta2=0.999, adam_epsilon=1e-8, weight_decay=0.0, max_grad_norm=1.0, optim="adamw_torch",
            disable_tqdm=True, dataloader_num_workers=0, **options,
        )  # fmt: skip
        trainer = ExactLossTrainer(
            model=load_llava("grouped", torch.float32), args=config, peft_config=LORA, processing_class=processor,
            train_dataset=trl_dataset(folder, count * settings["batch_size"]), callbacks=[recorder],
        )  # fmt: skip
        fill_adapter(trainer.model)
        trainer.losses, trainer.batches = [], []
        trainer.train()
    steps = []
    for loss, rate, log in zip(trainer.losses, recorder.rates, recorder.logs, strict=True):
        steps.append({"loss": loss, "learning_rate": rate, "grad_norm": float(log["grad_norm"])} | {
            key: log[key] for key in ("logps/chosen", "logps/rejected", "rewards/chosen", "rewards/rejected",
                                      "rewards/margins", "rewards/accuracies")
        })  # fmt: skip
    final = {adapter_key(n): p.detach().float().clone() for n, p in trainer.model.named_parameters() if "lora_" in n}
    return steps, final, trainer.batches


def plain_run(settings, items, pixels, load_llava):
    """The same ten steps written out, float64."""
    model = wrap(load_llava("grouped", torch.float32)).double()
    trained = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=settings["learning_rate"], eps=1e-8, weight_decay=0.0)
    scheduler = get_scheduler(settings["lr_scheduler_type"], optimiser, settings["warmup_steps"], STEPS)
    size, steps = settings["batch_size"], []
    for step in range(STEPS):
        batch = [(i, pixels[PAIRS[n]["picture"]]) for n, i in enumerate(items)][step * size : (step + 1) * size]
        references = [reference_log_probabilities(model, i, x) for i, x in batch]
        results = [pair_loss(model, i, x, r) for (i, x), r in zip(batch, references)]
        loss = torch.stack([one for one, _ in results]).mean()
        optimiser.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(trained, 1.0)
        logps = [torch.stack([policy[side] for _, policy in results]).detach() for side in (0, 1)]
        rewards = [BETA * (logps[s] - torch.stack([r[s] for r in references])) for s in (0, 1)]
        steps.append({
            "loss": loss.item(), "learning_rate": scheduler.get_last_lr()[0], "grad_norm": norm.item(),
            "logps/chosen": logps[0].mean().item(), "logps/rejected": logps[1].mean().item(),
            "rewards/chosen": rewards[0].mean().item(), "rewards/rejected": rewards[1].mean().item(),
            "rewards/margins": (rewards[0] - rewards[1]).mean().item(),
            "rewards/accuracies": (rewards[0] > rewards[1]).double().mean().item(),
            "ref_logps": [[r[0].item(), r[1].item()] for r in references],
        })  # fmt: skip
        optimiser.step()
        scheduler.step()
    return steps, {adapter_key(n): p.detach().float() for n, p in model.named_parameters() if p.requires_grad}


def check_ids(batches, items, size):
    """TRL tokenises answers apart from prompts; its ids must be those of the joint text."""
    for step, batch in enumerate(batches):
        rows = items[step * size : (step + 1) * size]
        expected = [i["prompt_ids"] + i[key] for key in ("chosen_ids", "rejected_ids") for i in rows]
        assert batch == expected, (step, batch, expected)


def write_run(folder, name, items, pixels, load_llava):
    settings = RUNS[name]
    trl_steps, trl_final, batches = trl_run(folder, settings, load_llava)
    check_ids(batches, items, settings["batch_size"])
    plain_steps, plain_final = plain_run(settings, items, pixels, load_llava)
    worst = 0.0
    for ours, theirs in zip(plain_steps, trl_steps, strict=True):
        for key in ("loss", "learning_rate", "logps/chosen", "logps/rejected", "grad_norm"):
            assert math.isclose(ours[key], theirs[key], rel_tol=2e-5, abs_tol=1e-9), (key, ours, theirs)
            worst = max(worst, abs(ours[key] - theirs[key]) / max(abs(ours[key]), 1e-9))
    tiny.write_json(
        folder / f"dpo-{name}.json",
        {"pairs": "dpo-pairs.json", "beta": BETA, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0.0,
         "max_grad_norm": 1.0, "loss_type": "sigmoid", **settings, "trl_f32": trl_steps, "plain_f64": plain_steps},
    )  # fmt: skip
    moved = max((trl_final[k] - t).abs().max().item() for k, t in plain_final.items())
    assert trl_final.keys() == plain_final.keys() and moved < settings["learning_rate"] / 10
    save_file({k: t.contiguous() for k, t in trl_final.items()}, folder / f"dpo-{name}.final.safetensors")
    print(f"dpo-{name}: TRL f32 against the f64 loop, worst relative difference {worst:.1e}, of weights {moved:.1e}")


def write_variants(folder, load_llava):
    """One pair a step: TRL's likelihood term is a mean over the batch's tokens, ours over each answer's."""
    runs = []
    for name, loss in VARIANTS.items():
        steps, _, _ = trl_run(folder, RUNS["constant"] | loss, load_llava, VARIANT_STEPS)
        runs.append({"name": name, "steps": [{k: s[k] for k in ("loss", "grad_norm", "learning_rate")} for s in steps]})
    tiny.write_json(folder / "dpo-variants.json", {"beta": BETA, "max_grad_norm": 1.0, "runs": runs})
    print("dpo-variants:", ", ".join(f"{r['name']} {r['steps'][0]['loss']:.4f}" for r in runs))
