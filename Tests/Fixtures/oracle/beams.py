"""Diverse beam search with groups of one beam, written out from the description of transformers 4.37.

`group_beam_search` left the core of transformers; what it does with as many groups as beams is little. At every
step the groups choose one after the other:

    score of a token = log-probability - penalty * (earlier groups that report it at this step) + own score so far

The best one is taken. If it is the full stop, the group is closed with score / length, its own full stop counted,
and reports the runner-up at this step and the pad token from then on; otherwise it reports what it took. What is
open after `max_tokens` is closed as it stands. The sentences come out by score, of equal ones the later group first.
"""

import torch


@torch.no_grad()
def search(logits_after, groups, penalty, period, pad, max_tokens, runner_up=True):
    """`logits_after(ids)` are the next token's logits after new ids. Returns the closed groups in their order.

    `runner_up` False reports the full stop itself, to see whether a case tells the difference.
    """
    ids = [[] for _ in range(groups)]
    logps = [[] for _ in range(groups)]
    sums = [0.0] * groups
    closed = {}
    gap = float("inf")
    for _ in range(max_tokens):
        reported = []
        for group in range(groups):
            if group in closed:
                reported.append(pad)
                continue
            bare = logits_after(ids[group]).log_softmax(-1)
            counts = torch.bincount(torch.tensor(reported, dtype=torch.long), minlength=len(bare))
            best = (bare - penalty * counts + sums[group]).topk(3)
            gap = min(gap, (best.values[:-1] - best.values[1:]).min().item())
            first, second = best.indices[:2].tolist()
            ids[group].append(first)
            logps[group].append(bare[first].item())
            sums[group] = best.values[0].item()
            if first == period:
                closed[group] = sums[group] / len(ids[group])
            reported.append(second if first == period and runner_up else first)
        if len(closed) == groups:
            break
    scores = {g: closed.get(g, sums[g] / len(ids[g])) for g in range(groups)}
    order = sorted(range(groups), key=lambda g: (scores[g], g), reverse=True)
    found = [{"group": g, "ids": ids[g], "logps": logps[g], "score": scores[g]} for g in order]
    return found, gap


def case(logits_after, groups, penalty, pad, max_tokens):
    """The search with the full stop that tells most: some groups close by it, some don't, and the runner-up counts."""
    free, _ = search(logits_after, groups, penalty, -1, pad, max_tokens)
    for period in dict.fromkeys(i for step in zip(*(f["ids"] for f in free)) for i in step):
        found, gap = search(logits_after, groups, penalty, period, pad, max_tokens)
        plain, _ = search(logits_after, groups, penalty, period, pad, max_tokens, runner_up=False)
        ends = [f["ids"][-1] == period for f in found]
        if any(ends) and not all(ends) and found != plain and gap > 1e-4:
            return {"groups": groups, "penalty": penalty, "period": period, "pad": pad, "max_tokens": max_tokens,
                    "least_gap": gap, "sentences": found}  # fmt: skip
    raise SystemExit("beams.py: no full stop shows the runner-up; choose other settings")
