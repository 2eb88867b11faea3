"""How long versions take: reckoned from earlier runs, with an interval that says how sure that is."""

from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpipeline.durations import (
    Estimate,
    Past,
    Size,
    Try,
    Work,
    estimate,
    forecast,
    quantile,
    remaining,
    size,
    training_seconds,
)

SECONDS = st.floats(0.001, 1e6)
STEPS = st.none() | st.integers(0, 10_000)
TIMES = st.lists(SECONDS, min_size=1, max_size=40)
WORKS = st.lists(
    st.builds(
        lambda times, kind, after: Work(
            takes=estimate([Past(each) for each in times], Size(), "version"), kind=(kind,), after=after
        ),
        st.lists(st.floats(1, 1000), min_size=1, max_size=12),
        st.sampled_from("abc"),
        st.sampled_from([0.0, 0.0, 500.0]),
    ),
    min_size=1,
    max_size=12,
)


def known(seconds: float, runs: int = 20) -> Estimate:
    return Estimate(seconds, seconds, seconds, runs)


def past(*seconds: float) -> Estimate:
    found = estimate([Past(each) for each in seconds], Size(), "version")
    assert found is not None
    return found


@given(TIMES, st.floats(0, 1))
def test_a_quantile_is_that_of_the_standard_library(times: list[float], share: float) -> None:
    values = sorted(times)
    assert values[0] <= quantile(values, share) <= values[-1]
    if len(values) >= 9:
        tenths = statistics.quantiles(values, n=10)
        assert quantile(values, 0.1) == pytest.approx(tenths[0])
        assert quantile(values, 0.9) == pytest.approx(tenths[8])
    assert quantile(values, 0.5) == pytest.approx(statistics.median(values))


@given(TIMES)
def test_the_median_lies_within_the_interval(times: list[float]) -> None:
    found = past(*times)
    assert 0 < found.low <= found.seconds <= found.high
    assert found.runs == len(times)


def test_few_runs_say_less_than_many() -> None:
    widths = [past(*[10.0] * count).high for count in range(1, 12)]
    assert widths == sorted(widths, reverse=True)
    assert widths[0] == pytest.approx(10 * 17 / 9)
    assert widths[8:] == [10.0] * 3


def test_nothing_is_known_of_what_never_ran() -> None:
    assert estimate([], Size(), "version") is None


def test_more_epochs_take_longer_in_proportion_and_a_larger_batch_is_fewer_steps() -> None:
    then = [Past(10.0, 100, Size(epochs=5, batch=10))] * 9
    found = estimate(then, Size(epochs=20, batch=20), "version")
    assert found is not None
    assert (found.seconds, found.steps) == (40.0, 200.0)
    unknown = estimate(then, Size(), "version")
    assert unknown is not None
    assert (unknown.seconds, unknown.steps) == (10.0, 100.0)


def test_other_versions_steps_say_nothing() -> None:
    found = estimate([Past(10.0, 100)], Size(), "model")
    assert found is not None
    assert found.steps is None


def test_what_was_only_evaluated_does_not_count_beside_what_was_trained() -> None:
    found = estimate([Past(1.0, 0), Past(60.0, 100)], Size(), "version")
    assert found is not None
    assert (found.seconds, found.runs) == (60.0, 1)


@pytest.mark.parametrize("value", [0, -1, True, "3", None, float("inf"), float("nan")])
def test_a_size_is_a_number_above_nothing(value: object) -> None:
    assert size({"epoc_count": value, "batch_size": value}) == Size()
    assert size({"epoc_count": 3, "batch_size": 0.5}) == Size(3.0, 0.5)


@pytest.mark.parametrize(
    ("attempts", "seconds"),
    [
        ([(60.0, 100)], 60.0),
        ([(30.0, 50), (60.0, 100)], 60.0),  # from scratch: only the second attempt counts
        ([(30.0, 50), (30.0, 100)], 60.0),  # from its last step
        ([(30.0, 50), (40.0, 100)], 60.0),  # from step 33: what was trained twice counts once
        ([(30.0, 50, 25), (45.0, 100)], 60.0),  # from its checkpoint at step 25
        ([(30.0, 50, 0), (60.0, 100)], 60.0),
        ([(30.0, 50, 25), (20.0, 45, 40), (36.0, 100)], 67.11111111111111),  # 15 + 20 s, of which 8/9, and 36
        ([(30.0, 50, 70), (30.0, 100)], 60.0),  # a checkpoint later than what it last said of its steps
        ([(30.0, 50), (None, None), (30.0, 100)], 60.0),  # an attempt that never started
        ([(30.0, 0), (60.0, 100)], 60.0),  # it failed before its first step
        ([(50.0, 100), (5.0, 0)], 55.0),  # killed after the training: only evaluated then
        ([(30.0, None), (30.0, None)], 60.0),  # it tells no steps: all that is known is the sum
        ([(5.0, 0)], 5.0),  # nothing but an evaluation
        ([(-3.0, 50)], None),  # the clock was set back
        ([(30.0, 50), (-1.0, 100)], None),
        ([(None, None)], None),
        ([], None),
    ],
)
def test_training_time_counts_once(attempts: list[tuple[float | None, int | None]], seconds: float | None) -> None:
    assert training_seconds([Try(*each) for each in attempts]) == seconds


@given(st.lists(st.builds(Try, SECONDS, STEPS, STEPS), min_size=1, max_size=5))
def test_training_takes_no_longer_than_all_attempts_and_no_shorter_than_the_last(
    attempts: list[Try],
) -> None:
    found = training_seconds(attempts)
    assert found is not None
    seconds = [each.seconds or 0.0 for each in attempts]
    assert seconds[-1] <= found <= sum(seconds) * (1 + 1e-9)


def test_what_runs_is_estimated_by_its_own_rate() -> None:
    found = remaining(known(1000), 10.0, step=20, total=100, rate=2.0, age=5.0)
    assert found is not None
    assert (found.seconds, found.source) == (35.0, "progress")
    assert found.low < 35.0 < found.high


def test_a_loop_that_ends_before_earlier_runs_did_is_one_of_several() -> None:
    found = remaining(known(1000)._replace(steps=400.0), 10.0, step=20, total=100, rate=2.0)
    assert found is not None
    assert found.seconds == 190.0


@pytest.mark.parametrize("progress", [{}, {"step": 100, "total": 100, "rate": 2.0}, {"step": 1, "rate": 2.0}])
def test_without_a_rate_it_is_what_such_runs_take_less_what_has_passed(progress: dict[str, float]) -> None:
    found = remaining(Estimate(60, 50, 80, 5), 55.0, **progress)
    assert found == Estimate(5, 0, 25, 5)


def test_what_runs_longer_than_usual_is_said_to() -> None:
    found = remaining(Estimate(60, 50, 80, 5), 70.0)
    assert found == Estimate(0, 0, 10, 5, is_late=True)
    assert remaining(None, 70.0) is None
    assert remaining(known(60), None) == known(60)  # it has just begun


@given(st.none() | SECONDS, st.none() | st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 1e3))
def test_what_is_left_is_never_negative(
    seconds: float | None, elapsed: float | None, step: float, total: float, rate: float
) -> None:
    whole = past(seconds) if seconds else None
    found = remaining(whole, elapsed, step=step, total=total, rate=rate, age=3.0)
    assert found is None or 0 <= found.low <= found.seconds <= found.high


def test_works_that_are_known_exactly_are_scheduled_exactly() -> None:
    works = [Work(known(each)) for each in (30.0, 10.0, 10.0, 20.0)]
    assert [forecast(works, slots) for slots in (1, 2, 4)] == [
        Estimate(each, each, each) for each in (70.0, 40.0, 30.0)
    ]


def test_who_waits_for_a_moment_keeps_no_slot_meanwhile() -> None:
    works = [Work(known(10.0), after=100.0), Work(known(30.0))]
    found = forecast(works, 1)
    assert found is not None
    assert found.seconds == 110.0


@given(WORKS, st.integers(1, 5))
def test_the_interval_of_a_queue_holds_its_median(works: list[Work], slots: int) -> None:
    found = forecast(works, slots)
    assert found is not None
    assert 0 <= found.low <= found.seconds <= found.high


@given(WORKS, st.integers(1, 5))
def test_one_more_slot_makes_nothing_later(works: list[Work], slots: int) -> None:
    few, many = forecast(works, slots), forecast(works, slots + 1)
    assert few is not None
    assert many is not None
    assert all(more <= less + 1e-9 for more, less in zip(many.span, few.span, strict=True))


@given(WORKS, WORKS, st.integers(1, 4))
def test_more_works_make_nothing_earlier(works: list[Work], more: list[Work], slots: int) -> None:
    few, many = forecast(works, slots), forecast(works + more, slots)
    assert few is not None
    assert many is not None
    assert all(less <= longer + 1e-9 for longer, less in zip(many.span, few.span, strict=True))


def test_errors_of_one_kind_do_not_cancel_each_other_out() -> None:
    takes = past(50.0, 100.0, 200.0)
    one = forecast([Work(takes, kind=("a",), runs=40)], 1)
    several = forecast([Work(takes, kind=(str(number),)) for number in range(40)], 1)
    assert one is not None
    assert several is not None
    assert one.high - one.low > 2 * (several.high - several.low)


def test_a_long_queue_takes_as_long_as_its_works() -> None:
    found = forecast([Work(known(10.0), kind=(str(number % 7),), runs=3) for number in range(3000)], 4)
    assert found is not None
    assert found.seconds == pytest.approx(3000 * 3 * 10.0 / 4, rel=0.02)


def test_what_is_unknown_is_left_out() -> None:
    assert forecast([Work(None)], 1) is None
    assert forecast([], 1) is None
    assert forecast([Work(None), Work(known(5.0))], 1) == Estimate(5.0, 5.0, 5.0)
