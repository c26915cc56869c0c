"""Float64 evaluation of transformers models, and the log-probabilities the fixtures are made of.

transformers computes RMSNorm, rotary angles and the eager softmax in float32 whatever the dtype of
the model is. A float64 reference needs all of it in float64, so the first two are replaced here and
models are loaded with the `sdpa` attention, which keeps its dtype.
"""

import torch
from transformers.models.llama import modeling_llama

_NORM_FORWARD = modeling_llama.LlamaRMSNorm.forward
_ROTARY_FORWARD = modeling_llama.LlamaRotaryEmbedding.forward


def _norm_forward(self, x):
    if x.dtype != torch.float64:
        return _NORM_FORWARD(self, x)
    return self.weight * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.variance_epsilon)


@torch.no_grad()
def _rotary_forward(self, x, position_ids):
    if x.dtype != torch.float64:
        return _ROTARY_FORWARD(self, x, position_ids)
    width = self.config.head_dim
    exponent = torch.arange(0, width, 2, dtype=torch.float64) / width
    frequency = self.config.rope_parameters["rope_theta"] ** -exponent
    angle = position_ids[..., None].double() * frequency
    angle = torch.cat((angle, angle), dim=-1)
    return angle.cos(), angle.sin()


def install():
    """Make Llama models in float64 compute everything in float64."""
    modeling_llama.LlamaRMSNorm.forward = _norm_forward
    modeling_llama.LlamaRotaryEmbedding.forward = _rotary_forward


def logits_of(model, ids, pixels):
    """Logits of one sequence with one picture: ids [T], pixels [3 H W] -> [T V]."""
    batch = torch.tensor([ids])
    return model(
        input_ids=batch, pixel_values=pixels[None].to(model.dtype), attention_mask=torch.ones_like(batch)
    ).logits[0]


def label_log_probabilities(model, prompt, answer, pixels):
    """Log-probability of each token of `answer` after `prompt`, with the model's own dtype: [len(answer)]."""
    logits = logits_of(model, prompt + answer, pixels)
    rows = logits[len(prompt) - 1 : -1].log_softmax(-1)
    return rows.gather(1, torch.tensor(answer)[:, None])[:, 0]


def check_gradient(loss_of, parameters, step=1e-5):
    """Compare the gradients in `parameters` with one central difference along a random direction."""
    generator = torch.Generator().manual_seed(7)
    parameters = [p for p in parameters if p.grad is not None]
    directions = [torch.randn(p.shape, generator=generator, dtype=p.dtype) for p in parameters]
    analytic = sum((p.grad * d).sum() for p, d in zip(parameters, directions)).item()

    def shifted(amount):
        with torch.no_grad():
            for p, d in zip(parameters, directions):
                p.add_(d, alpha=amount)
            value = loss_of().item()
            for p, d in zip(parameters, directions):
                p.sub_(d, alpha=amount)
        return value

    numeric = (shifted(step) - shifted(-step)) / (2 * step)
    assert abs(analytic - numeric) <= 1e-5 * max(1.0, abs(analytic)), (analytic, numeric)
