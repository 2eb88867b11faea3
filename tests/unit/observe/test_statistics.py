"""Intervals and tests are those of SciPy, and are silent where there is too little to say."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpipeline.observe import statistics

VALUES = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30)


@pytest.mark.parametrize("count", [2, 3, 5, 30, 400])
def test_an_interval_is_that_of_scipy(count: int) -> None:
    scipy = pytest.importorskip("scipy.stats")
    values = [math.sin(7 * each) + 0.1 * each for each in range(count)]
    found = statistics.interval(values)
    low, high = scipy.t.interval(0.95, count - 1, loc=sum(values) / count, scale=scipy.sem(values))
    assert found.half is not None
    assert (found.mean - found.half, found.mean + found.half) == pytest.approx((low, high), rel=1e-9)


@pytest.mark.parametrize("freedom", [1, 2, 3, 7, 29, 1000])
@pytest.mark.parametrize("t", [0.0, 1e-9, 0.3, 1.0, 2.5, 12.0, 300.0])
def test_the_chance_of_a_t_is_that_of_scipy(t: float, freedom: int) -> None:
    scipy = pytest.importorskip("scipy.stats")
    expected = 2 * scipy.t.sf(t, freedom)
    assert statistics.two_sided(t, freedom) == pytest.approx(expected, rel=1e-8, abs=1e-290)
    assert statistics.two_sided(-t, freedom) == pytest.approx(expected, rel=1e-8, abs=1e-290)


def test_a_paired_test_is_that_of_scipy() -> None:
    scipy = pytest.importorskip("scipy.stats")
    # Sleep gained by ten patients of two drugs: Student's own data (1908).
    one = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
    other = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
    found = statistics.paired(dict(enumerate(one)), dict(enumerate(other)))
    expected = scipy.ttest_rel(one, other)
    assert found is not None
    assert (found.t, found.p) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-9)
    assert found.p == pytest.approx(0.00283289, abs=1e-8)
    assert found.count == 10


def test_replicates_are_paired_by_their_number_and_the_others_left_out() -> None:
    one = {0: 1.0, 1: 2.0, 2: 3.0, 7: 100.0}
    other = {2: 2.0, 1: 1.5, 0: 0.0, 9: -100.0}
    found = statistics.paired(one, other)
    assert found is not None
    assert (found.count, found.difference) == (3, pytest.approx(2.5 / 3))


def test_two_pairs_are_not_enough() -> None:
    assert statistics.paired({0: 1.0, 1: 2.0}, {0: 5.0, 1: 7.0}) is None
    assert statistics.paired({0: 1.0, 1: 2.0, 2: 3.0}, {3: 5.0, 4: 7.0, 5: 1.0}) is None
    assert statistics.interval([3.0]) == statistics.Interval(mean=3.0, half=None, count=1)


def test_pairs_that_all_differ_alike_leave_no_doubt() -> None:
    one = {each: 0.1 * each for each in range(4)}
    found = statistics.paired({each: value + 0.3 for each, value in one.items()}, one)
    assert found is not None
    assert (found.t, found.p) == (math.inf, 0.0)
    same = statistics.paired(one, dict(one))
    assert same is not None
    assert (same.t, same.p) == (0.0, 1.0)


def test_the_correction_is_holms() -> None:
    assert statistics.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert statistics.holm([0.9, 0.8]) == [1.0, 1.0]
    assert statistics.holm([]) == []


@given(VALUES)
def test_the_mean_lies_within_the_values_and_the_interval_around_it(values: list[float]) -> None:
    found = statistics.interval(values)
    assert found.half is not None
    assert min(values) - 1e-6 <= found.mean <= max(values) + 1e-6
    assert found.half >= 0
