"""Curves are what was recorded over all attempts, and keep their look when most of their points are left out."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpipeline import metrics
from mlpipeline.observe import curves
from mlpipeline.observe.curves import Curve
from mlpipeline.run import State
from tests.unit.sample_runs import sample_attempt, sample_run


def write(path: Path, *rows: tuple[int | None, dict[str, Any]]) -> Path:
    """Writes rows as a run does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(metrics.lines((1.0, step, values) for step, values in rows))
    return path


def line(values: list[float]) -> Curve:
    return Curve(np.arange(len(values)), np.array(values, dtype=np.float64))


def test_metrics_of_different_steps_are_curves_of_their_own(tmp_path: Path) -> None:
    path = write(tmp_path / "m", (1, {"loss": 3.0}), (2, {"loss": 2.0, "accuracy": 0.5}), (4, {"loss": 1.0}))
    found = curves.read(path)
    assert found["loss"].steps.tolist() == [1, 2, 4]
    assert found["accuracy"].values.tolist() == [0.5]


def test_what_is_not_finite_stays_and_can_be_left_out(tmp_path: Path) -> None:
    values = [1.0, math.nan, math.inf, -math.inf, 2.0]
    curve = curves.read(write(tmp_path / "m", *((n, {"loss": each}) for n, each in enumerate(values, 1))))["loss"]
    np.testing.assert_array_equal(curve.values, values)
    assert curve.finite.steps.tolist() == [1, 5]


def test_torn_and_foreign_lines_are_passed_over(tmp_path: Path) -> None:
    path = write(tmp_path / "m", (1, {"loss": 3.0}), (2, {"loss": 2.0}))
    with path.open("a") as file:
        file.write('{"t": "x", "step": 3, "values": {"loss": "high", "name": [1]}}\n[1]\n{"values": 7}\n')
        file.write('{"step": null, "values": {"loss": 0.5}}\n{"step": 9, "val')
    found = curves.read(path)
    assert found["loss"].steps.tolist() == [1, 2, 5]
    assert list(found) == ["loss"]
    assert curves.read(tmp_path / "nowhere") == {}


def test_a_resumed_attempt_knows_better_from_its_checkpoint_on(tmp_path: Path) -> None:
    run = sample_run()
    run = replace(run, attempts=(sample_attempt(run.id, 1, State.LOST), sample_attempt(run.id, 2)))
    write(tmp_path / run.attempts[0].directory / "metrics.jsonl", *((n, {"loss": 1.0}) for n in (1, 2, 3, 4)))
    write(tmp_path / run.attempts[1].directory / "metrics.jsonl", *((n, {"loss": 2.0}) for n in (3, 4, 5)))
    curve = curves.of_run(tmp_path, run)["loss"]
    assert (curve.steps.tolist(), curve.values.tolist()) == ([1, 2, 3, 4, 5], [1.0, 1.0, 2.0, 2.0, 2.0])


def test_steps_out_of_order_are_sorted_and_the_last_value_of_a_step_counts(tmp_path: Path) -> None:
    path = write(tmp_path / "m", (2, {"loss": 1.0}), (1, {"loss": 5.0}), (2, {"loss": 9.0}))
    curve = curves.read(path)["loss"]
    assert (curve.steps.tolist(), curve.values.tolist()) == ([1, 2], [5.0, 9.0])


def test_many_points_are_read_and_keep_their_peak(tmp_path: Path) -> None:
    count = 100_000
    row = '{"t": "2026-11-21T21:06:05.711+00:00", "step": %d, "values": {"loss": %r}}\n'
    with (tmp_path / "m").open("w") as file:
        file.writelines(row % (n, 50.0 if n == 65_432 else 1 / (n + 1)) for n in range(count))
    curve = curves.read(tmp_path / "m")["loss"]
    assert len(curve) == count
    few = curves.downsampled(curve)
    assert len(few) == curves.POINTS
    assert (few.steps[0], few.steps[-1]) == (0, count - 1)
    assert 65_432 in few.steps


def test_it_is_the_algorithm_as_published() -> None:
    chance = np.random.default_rng(3)
    curve = line(list(chance.normal(size=503).cumsum()))
    assert curves.downsampled(curve, 40).steps.tolist() == published(curve, 40)


def published(curve: Curve, most: int) -> list[int]:
    """The pseudocode of Steinarsson's thesis, bucket by bucket, point by point."""
    x, y = curve.steps.astype(float), curve.values
    edges = np.linspace(1, len(x) - 1, most - 1).astype(int).tolist()
    chosen = [0]
    for place in range(len(edges) - 1):
        after = range(edges[place + 1], edges[place + 2]) if place + 2 < len(edges) else [len(x) - 1]
        mean = sum(x[n] for n in after) / len(after), sum(y[n] for n in after) / len(after)
        a = chosen[-1]
        areas = {
            n: 0.5 * abs((x[a] - mean[0]) * (y[n] - y[a]) - (x[a] - x[n]) * (mean[1] - y[a]))
            for n in range(edges[place], edges[place + 1])
        }
        chosen.append(max(areas, key=areas.__getitem__))
    return [*chosen, len(x) - 1]


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=300), st.integers(3, 50))
def test_few_points_are_some_of_the_finite_ones_in_order(values: list[float], most: int) -> None:
    curve = line(values)
    few, finite = curves.downsampled(curve, most), curve.finite
    assert len(few) == min(len(finite), most)
    assert (np.diff(few.steps) > 0).all()
    np.testing.assert_array_equal(few.values, curve.values[few.steps])
    if len(finite):
        assert (few.steps[0], few.steps[-1]) == (finite.steps[0], finite.steps[-1])


@pytest.mark.parametrize("values", [[], [1.0], [math.nan] * 5, [0.0] * 5000, [1e308, -1e308] * 2000])
def test_odd_curves_become_few_points_too(values: list[float]) -> None:
    few = curves.downsampled(line(values))
    assert len(few) <= curves.POINTS
    assert json.dumps(few.values.tolist())


def test_over_logarithmic_axes_the_first_steps_and_the_deepest_dip_are_kept() -> None:
    values = np.full(100_000, 0.1)
    values[[0, 500, 70_000]] = 0.0, 1e-9, -1.0
    few = curves.downsampled(line(list(values)), 200, log_x=True, log_y=True)
    assert len(few) <= 200
    assert (few.values > 0).all()
    assert few.steps[:5].tolist() == [1, 2, 3, 4, 5]
    assert 500 in few.steps
    linear = curves.downsampled(line(list(values)), 200)
    assert 2 not in linear.steps
