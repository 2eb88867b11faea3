"""Checks that nothing of the future is learnt from."""

from itertools import pairwise


def check(train, splits, data):
    """Every part begins after the one before it ended."""
    times = [frame[splits.time_index] for _, frame in splits.parts()]
    pairs = list(pairwise(times))
    return all(one.max() < two.min() for one, two in pairs), f"{len(times)} parts"
