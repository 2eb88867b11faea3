"""How distributions differ: the tests are SciPy's, the effect is a distance between 0 and 1."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mlpipeline.data import drift

VALUES = st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), min_size=1, max_size=60)
WORDS = st.lists(st.sampled_from(["a", "b", "c", None]), min_size=1, max_size=60)


def one(before: pd.Series, after: pd.Series) -> drift.Drift:
    return drift.compare(before.to_frame("x"), after.to_frame("x"))[0]


@settings(max_examples=30, deadline=None)
@given(before=st.one_of(VALUES, WORDS), after=st.one_of(VALUES, WORDS))
def test_it_holds_for_any_columns(before: list[object], after: list[object]) -> None:
    found = one(pd.Series(before), pd.Series(after))
    assert 0 <= found.p_value <= 1
    assert 0 <= found.effect <= 1 + 1e-12
    assert 0 <= found.missing_change <= 1


@settings(max_examples=20, deadline=None)
@given(values=st.one_of(VALUES, WORDS))
def test_a_column_does_not_differ_from_itself(values: list[object]) -> None:
    found = one(pd.Series(values), pd.Series(values))
    assert (found.effect, found.missing_change) == (0, 0)
    assert found.p_value == pytest.approx(1)


def test_numbers_are_compared_by_kolmogorov_and_smirnov() -> None:
    draw = np.random.default_rng(0)
    before, after = draw.normal(size=300), draw.normal(0.3, size=200)
    found, expected = one(pd.Series(before), pd.Series(after)), stats.ks_2samp(before, after, method="asymp")
    assert (found.test, found.statistic, found.p_value) == ("KS", expected.statistic, expected.pvalue)


def test_classes_are_compared_by_chi_square() -> None:
    before, after = pd.Series(["a"] * 60 + ["b"] * 40), pd.Series(["a"] * 30 + ["b"] * 70)
    found = one(before, after)
    expected = stats.chi2_contingency([[60, 30], [40, 70]], correction=False)
    assert (found.test, found.statistic, found.p_value) == ("chi-square", expected.statistic, expected.pvalue)
    assert found.effect == pytest.approx(0.3)


def test_rare_classes_are_tested_as_one() -> None:
    draw = np.random.default_rng(0)
    names = [f"n{number}" for number in range(400)]
    before, after = (pd.Series(draw.choice(names, 500)) for _ in range(2))
    assert one(before, after).p_value == 1.0


def test_times_are_compared_whatever_their_units() -> None:
    times = pd.Series(pd.date_range("2026-01-01", periods=50, freq="h", tz="UTC"))
    assert one(times.dt.as_unit("s"), times.dt.as_unit("ns")).effect == 0
    assert one(times, times + pd.Timedelta("50h")).effect == 1


def test_numbers_that_became_words_are_another_kind() -> None:
    found = one(pd.Series([1.0, 2.0]), pd.Series(["1", "2"]))
    assert (found.test, found.p_value, found.effect) == ("kind", 0, 1)
