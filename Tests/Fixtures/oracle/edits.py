"""Changed tokens of a correction as RLHF-V's released trainer finds them: difflib's matching blocks of the ids of
rejected and chosen, those under three tokens dropped, a gap counted where both sides have tokens in it."""

import difflib
import random

import tiny

CASES = 60


def changed(chosen, rejected):
    matcher = difflib.SequenceMatcher(None, rejected, chosen, autojunk=False)
    blocks = [b for b in matcher.get_matching_blocks() if b.size >= 3] + [(len(rejected), len(chosen), 0)]
    spans, left, right = {"chosen": [], "rejected": []}, 0, 0
    for a, b, size in blocks:
        if a > left and b > right:
            spans["rejected"].append([left, a])
            spans["chosen"].append([right, b])
        left, right = a + size, b + size
    return spans


def mutate(ids, rng):
    """A few runs replaced, put in or taken out; from a small alphabet, so that runs repeat."""
    ids = list(ids)
    for _ in range(rng.randrange(5)):
        at, gone, new = rng.randrange(len(ids) + 1), rng.choice([0, 0, 1, 2, 4]), rng.choice([0, 1, 2, 5])
        ids[at : at + gone] = [rng.randrange(9) for _ in range(new)]
    return ids


def write(folder):
    rng = random.Random(7)
    cases = [([1, 2, 3, 4], [1, 2, 3, 4]), ([1, 2, 3, 9, 4, 5, 6], [1, 2, 3, 4, 5, 6]), ([], [1, 2]), ([5], [6]),
             ([1, 2, 3, 20, 7, 8, 21, 4, 5, 6], [1, 2, 3, 22, 7, 8, 23, 4, 5, 6])]  # fmt: skip
    while len(cases) < CASES:
        chosen = [rng.randrange(9) for _ in range(rng.randrange(1, 40))]
        cases.append((chosen, mutate(chosen, rng)))
    tiny.write_json(
        folder / "edits.json", [{"chosen": c, "rejected": r, "spans": changed(c, r)} for c, r in cases]
    )
    print("edits:", len(cases), "pairs")
