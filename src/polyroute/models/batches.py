"""Batches of sequences of like length, under a budget of padded tokens."""

from collections.abc import Sequence


def plan_batches(lengths: Sequence[int], budget: int, *, alike: bool = False) -> list[list[int]]:
    """Group sequences so that little is padding and no batch exceeds the budget.

    Longest first: if memory runs out, it does so in the first batch and not after an hour.

    Args:
        lengths: tokens of each sequence.
        budget: padded tokens a batch (longest of the batch times its size). A single sequence longer than
            that makes a batch by itself.
        alike: whether a batch holds sequences of one length alone, so that nothing is padding.

    Returns:
        Lists of indices into `lengths`; every index once. Depends on nothing but the arguments.
    """
    batches: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        begun = bool(batches) and not (alike and lengths[batches[-1][0]] != lengths[index])
        if begun and (len(batches[-1]) + 1) * lengths[batches[-1][0]] <= budget:
            batches[-1].append(index)
        else:
            batches.append([index])
    return batches
