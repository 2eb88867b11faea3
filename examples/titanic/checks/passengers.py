"""Checks of what the workflow reads and splits."""


def check(process, rows, source):
    """Every passenger's fate is known."""
    return bool(rows["survived"].isin([0, 1]).all()), f"{len(rows)} passengers in {source}"


def no_overlap(train, data):
    """No passenger is learnt from and tested on."""
    parts = [set(frame.index) for _, frame in data.parts()]
    assert sum(map(len, parts)) == len(set.union(*parts))
