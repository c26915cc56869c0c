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

    Without a pad closed groups report nothing, with `runner_up` False the full stop itself: to see whether a case tells
    the difference.
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
                reported += [] if pad is None else [pad]
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


def case(logits_after, groups, penalty, max_tokens):
    """The search with the full stop and the pad token that tell most: some groups close and some don't, and both the
    runner-up and the pad token change what comes out."""

    def run(period, pad, runner_up=True):
        return search(logits_after, groups, penalty, period, pad, max_tokens, runner_up)

    by_step = zip(*(f["ids"] for f in run(period=-1, pad=None)[0]))
    for period in dict.fromkeys(i for step in by_step for i in step):
        unpadded, _ = run(period, None)
        ends = [f["ids"][-1] == period for f in unpadded]
        if all(ends) or not any(ends) or unpadded == run(period, None, runner_up=False)[0]:
            continue
        for pad in dict.fromkeys(i for f in unpadded for i in reversed(f["ids"]) if i != period):
            found, gap = run(period, pad)
            if found not in (unpadded, run(period, pad, runner_up=False)[0]) and gap > 1e-4:
                return {"groups": groups, "penalty": penalty, "period": period, "pad": pad, "max_tokens": max_tokens,
                        "least_gap": gap, "sentences": found}  # fmt: skip
    raise SystemExit("beams.py: no full stop shows the runner-up; choose other settings")
