"""Checks that nothing of the future is learnt from."""

import itertools


def check(train, splits, data):
    """Every part begins after the one before it ended."""
    times = [frame[splits.time_index] for _, frame in splits.parts()]
    pairs = list(itertools.pairwise(times))
    return all(one.max() < two.min() for one, two in pairs), f"{len(times)} parts"
