"""Running means, windows, and containers of them."""

import copy
import logging
import statistics
import warnings
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpipeline.errors import MetricError
from mlpipeline.metrics import Metric, MetricContainer, number

_numbers = st.floats(-1e6, 1e6)


def test_means_are_zero_when_nothing_was_added() -> None:
    metric = Metric()
    assert metric.avg() == metric.avg_epoc() == metric.get_tracking_average() == 0
    assert metric.get_tracking_delta() == metric.get_tracking_stdev() == 0


def test_a_value_is_the_sum_over_count_items() -> None:
    metric = Metric()
    metric.update(6, 3)
    metric.update(4.0)
    assert metric.avg() == 2.5
    metric.reset()
    assert (metric.avg(), metric.avg_epoc()) == (0, 2.5)
    metric.reset_epoc()
    assert metric.avg_epoc() == 0
    assert metric.get_tracking_average() == 2.5


@given(st.lists(_numbers, max_size=12), st.integers(1, 6))
def test_the_window_is_that_of_the_last_epochs(epochs: list[float], window: int) -> None:
    metric = Metric(window)
    for value in epochs:
        metric.update(value)
        metric.reset_epoc()
    last = epochs[-window:]
    expected = statistics.mean(last) if last and len(last) >= window / 2 else 0
    assert metric.get_tracking_average() == pytest.approx(expected, abs=1e-6)
    assert metric.get_tracking_delta() == (last[-1] - last[0] if len(last) == window else 0)
    deviation = statistics.stdev(last) if len(last) > 1 else 0
    assert metric.get_tracking_stdev() == pytest.approx(deviation, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("value", ["1", None, [1], object()])
def test_what_is_no_number_is_refused(value: Any) -> None:
    with pytest.raises(MetricError, match="int or float"):
        Metric().update(value)


@pytest.mark.parametrize("window", [0, -1, 1.5, "3"])
def test_a_window_below_one_is_a_value_error(window: Any) -> None:
    with pytest.raises(ValueError, match="track_average_epoc_count"):
        Metric(window)


def test_a_container_gives_its_metrics_by_attribute_and_by_key() -> None:
    container = MetricContainer(["loss", "1"], track_average_epoc_count=2)
    container.loss.update(3)
    container["1"].update(1, count=2)
    assert getattr(container, "1").avg() == 0.5
    assert container.to_dict() == {"loss": 3, "1": 0.5}
    assert container.loss.track_average_epoc_count == 2
    assert copy.deepcopy(container).to_dict() == container.to_dict()


def test_sets_of_names_have_windows_of_their_own() -> None:
    container = MetricContainer([{"metrics": ["a"], "track_average_epoc_count": 5}, {"metrics": ["b", "c"]}], 2)
    assert [container[name].track_average_epoc_count for name in "abc"] == [5, 2, 2]


@pytest.mark.parametrize("metrics", ["loss", ("a",), {"a": 1}, [["a"]], [{"names": ["a"]}], ["a", {"metrics": ["b"]}]])
def test_anything_but_a_list_of_names_or_sets_is_a_type_error(metrics: Any) -> None:
    with pytest.raises(TypeError, match="list of names"):
        MetricContainer(metrics)


def test_unknown_names_and_plain_values_are_refused() -> None:
    container = MetricContainer(["a"])
    with pytest.raises(AttributeError, match="there are a"):
        _ = container.b
    with pytest.raises(TypeError, match="must be a Metric"):
        container.a = 3
    with pytest.raises(MetricError, match="no metric b"):
        container.reset(["b"])
    with pytest.raises(MetricError, match="own words"):
        MetricContainer(["reset"])


def test_resets_take_all_or_the_named() -> None:
    container = MetricContainer(["a", "b"])
    for metric in container.values():
        metric.update(1)
    container.reset(["a"])
    assert [metric.count for metric in container.values()] == [0, 1]
    assert container.to_dict() == {"a": 1, "b": 1}  # the epoch's mean stands in for a
    container.reset_epoc()
    assert [metric.epoc_count for metric in container.values()] == [0, 0]


def test_means_are_logged_in_rows_and_returned(caplog: pytest.LogCaptureFixture) -> None:
    container = MetricContainer(["a", "b", "c", "d"])
    container.a.update(1.23456)
    with caplog.at_level(logging.INFO, "mlpipeline.model"):
        text = container.log_metrics(log_to_file=False)
    assert text == "a: 1.2346    b: 0.0000    c: 0.0000\nd: 0.0000"
    assert [record.getMessage() for record in caplog.records] == text.splitlines()
    assert all(record.log_to_file is False for record in caplog.records)  # type: ignore[attr-defined]
    assert container.log_metrics(["d"], complete_epoc=True, items_per_row=1, charachters_per_row=1) == "d: 0.0000"
    assert len(container.log_metrics(charachters_per_row=20).splitlines()) == 4


def test_a_loss_with_its_gradient_is_read_without_a_warning() -> None:
    class Loss:
        shape = ()
        has_gradient = True

        def detach(self) -> "Loss":
            found = Loss()
            found.has_gradient = False
            return found

        def __float__(self) -> float:
            if self.has_gradient:
                warnings.warn("Converting a tensor with requires_grad=True to a scalar", stacklevel=2)
            return 0.5

    assert number("loss", Loss()) == 0.5, "each warning is an error here"
