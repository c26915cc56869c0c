"""Values of AdamW, learning-rate schedules and the DPO loss, from torch and transformers."""

import torch
import torch.nn.functional as F
from transformers import get_scheduler

import tiny

STEPS = 5
OPTIMISERS = [
    {"lr": 0.05, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0.0, "max_norm": None},
    {"lr": 0.05, "betas": [0.9, 0.95], "eps": 1e-6, "weight_decay": 0.1, "max_norm": None},
    {"lr": 0.02, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0.01, "max_norm": 1.0},
]
SCHEDULES = [("constant", 10, 0), ("constant_with_warmup", 10, 3), ("linear", 10, 0), ("linear", 20, 5),
             ("cosine", 10, 0), ("cosine", 20, 5), ("cosine", 7, 1)]  # fmt: skip
# β, then summed log-probabilities: policy and reference of chosen, policy and reference of rejected
LOSSES = [
    (0.1, -40.0, -42.0, -55.0, -52.0), (0.5, -1.2, -1.3, -1.5, -1.4), (0.1, -30.0, -30.0, -25.0, -25.0),
    (0.1, -80.0, -20.0, -10.0, -70.0), (2.0, -1000.0, -10.0, -10.0, -1000.0), (0.5, -3.0, -60.0, -200.0, -4.0),
]  # fmt: skip


def adamw(settings):
    """Five steps on a vector of 6 and a matrix of 2 × 3, given gradients, float64."""
    generator = torch.Generator().manual_seed(11)
    shapes = {"vector": (6,), "matrix": (2, 3)}
    start = {n: torch.randn(s, generator=generator, dtype=torch.float64) for n, s in shapes.items()}
    values = {n: torch.nn.Parameter(t.clone()) for n, t in start.items()}
    group = {k: settings[k] for k in ("lr", "eps", "weight_decay")}
    optimiser = torch.optim.AdamW(values.values(), betas=tuple(settings["betas"]), foreach=False, **group)
    steps = []
    for step in range(STEPS):
        gradients = {
            n: torch.randn(s, generator=generator, dtype=torch.float64) * 3.0 ** (step - 2) for n, s in shapes.items()
        }
        for name, value in values.items():
            value.grad = gradients[name].clone()
        norm = torch.nn.utils.clip_grad_norm_(values.values(), settings["max_norm"] or float("inf"))
        optimiser.step()
        steps.append({
            "gradients": {n: g.tolist() for n, g in gradients.items()},
            "norm": norm.item(),
            "values": {n: v.detach().tolist() for n, v in values.items()},
        })  # fmt: skip
    return {**settings, "start": {n: t.tolist() for n, t in start.items()}, "steps": steps}


def schedule(kind, total, warmup):
    """The factor on the learning rate in optimiser steps 0 ..< total."""
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = get_scheduler(kind, optimiser, num_warmup_steps=warmup, num_training_steps=total)
    factors = []
    for _ in range(total):
        factors.append(scheduler.get_last_lr()[0])
        optimiser.step()
        scheduler.step()
    return {"kind": kind, "total_steps": total, "warmup_steps": warmup, "factors": factors}


def dpo_loss(beta, chosen, ref_chosen, rejected, ref_rejected):
    """Sigmoid DPO on summed log-probabilities, with its derivatives by the policy's two."""
    policy = torch.tensor([chosen, rejected], dtype=torch.float64, requires_grad=True)
    rewards = beta * (policy - torch.tensor([ref_chosen, ref_rejected], dtype=torch.float64))
    loss = -F.logsigmoid(rewards[0] - rewards[1])
    loss.backward()
    return {
        "beta": beta, "chosen": chosen, "ref_chosen": ref_chosen, "rejected": rejected, "ref_rejected": ref_rejected,
        "loss": loss.item(), "reward_chosen": rewards[0].item(), "reward_rejected": rewards[1].item(),
        "gradient_chosen": policy.grad[0].item(), "gradient_rejected": policy.grad[1].item(),
    }  # fmt: skip


def write(folder):
    losses = [dpo_loss(*case) for case in LOSSES]
    assert abs(losses[0]["loss"] - 0.474077) < 1e-6 and abs(losses[1]["loss"] - 0.644397) < 1e-6
    tiny.write_json(folder / "dpo-losses.json", losses)
    tiny.write_json(folder / "adamw.json", [adamw(settings) for settings in OPTIMISERS])
    tiny.write_json(folder / "schedules.json", [schedule(*case) for case in SCHEDULES])
    print("optimiser:", len(OPTIMISERS), "AdamW,", len(SCHEDULES), "schedules,", len(losses), "losses")
