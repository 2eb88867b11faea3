"""How often the times of a series come, as pandas calls it: found out, and as a period of the calendar."""

from __future__ import annotations

import warnings

import pandas as pd


def inferred(times: pd.DatetimeIndex) -> str | None:
    """Returns the frequency of times in order, e.g. `MS`; None where they are too few or not evenly spaced."""
    if len(times) < 3:
        return None
    with warnings.catch_warnings():  # of text, which an offset will take the place of: both are read below
        warnings.simplefilter("ignore")
        found = pd.infer_freq(times)
    return None if found is None else str(getattr(found, "freqstr", found))


def period_of(frequency: str) -> str:
    """Returns the period that a frequency of dates steps by: M for MS, the first day of each month."""
    try:
        return str(pd.date_range("1970-01-01", periods=3, freq=frequency).to_period().freqstr)
    except ValueError:  # it is a period already, or nothing: who counts by it says which
        return frequency
