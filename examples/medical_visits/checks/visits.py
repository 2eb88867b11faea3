"""Checks of what the model learns from."""


def check(train, splits, data):
    """Nobody goes to a doctor less often than never; no row is lost."""
    rows = sum(len(frame) for _, frame in splits.parts())
    return bool((splits.truth() >= 0).all()) and rows == len(data), f"{rows} person-years"
