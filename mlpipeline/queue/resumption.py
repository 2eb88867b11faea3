"""Compares a training that was killed and resumed with one that was left alone. Decides, and touches nothing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

CLOSE = 1e-3
"""The largest relative difference between two values that still count as the same result."""

Values = Mapping[tuple[float, str], list[Any]]
"""What was recorded, by step and name; a list, since a step may record the same name more than once."""


class Result(StrEnum):
    """What a drill found out about a version."""

    EXACT = "exact"
    CLOSE = "close"
    BROKEN = "broken"
    NO_CHECKPOINTS = "no_checkpoints"
    NO_STEPS = "no_steps"
    NO_METRICS = "no_metrics"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A result and what it rests on.

    Attributes:
        text: the result in words, with what differs first or what to do.
        largest_difference: relative; None where nothing was compared, or where a difference has no size.
        metric: what differs first by more than `CLOSE`.
        step: where it does; None for an evaluation.
    """

    result: Result
    text: str
    largest_difference: float | None = None
    metric: str | None = None
    step: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """What an attempt recorded.

    Attributes:
        rows: of `metrics.jsonl`, oldest first.
        evaluation: the final metrics by input and name.
        steps: those done when it ended, earlier attempts' included.
        taken: those that it took itself.
    """

    rows: Iterable[Mapping[str, Any]] = ()
    evaluation: Mapping[str, Any] = field(default_factory=dict)
    steps: int = 0
    taken: int = 0


@dataclass(frozen=True, slots=True)
class _Difference:
    where: tuple[float, str]
    size: float
    what: str


def compare(straight: Training, killed: Training, resumed: Training, checkpoint_step: int) -> Finding:
    """Says whether the resumed training came to the same as the one that was left alone.

    Args:
        straight: never interrupted.
        killed: up to the kill; its steps are those done by then.
        resumed: from the checkpoint on.
        checkpoint_step: the step of that checkpoint.
    """
    if (fault := _lost_count(straight, killed, resumed, checkpoint_step)) is not None:
        return Finding(result=Result.BROKEN, text=f"broken ({fault})")
    after = _series(resumed.rows)
    before = {key: found for key, found in _series(killed.rows).items() if key[0] <= checkpoint_step}
    expected = _series(straight.rows) | _evaluation(straight.evaluation)
    found = before | after | _evaluation(resumed.evaluation)
    earlier = before.keys() - after.keys()
    if not (expected.keys() | found.keys()) - earlier:
        text = "nothing to compare: use run.record, or return metrics from evaluate_model"
        return Finding(result=Result.NO_METRICS, text=text)
    return _judge(_differences(expected, found), earlier=earlier)


def _lost_count(straight: Training, killed: Training, resumed: Training, checkpoint_step: int) -> str | None:
    if checkpoint_step > killed.steps:
        return (
            f"the checkpoint made by step {killed.steps} says step {checkpoint_step}: "
            "let run.checkpoint count, or pass it the number of steps done"
        )
    left = straight.steps - checkpoint_step
    if resumed.taken == left:
        return None
    return (
        f"took {resumed.taken} steps after the checkpoint at step {checkpoint_step}, where {left} were left: "
        "it does not go on at the checkpoint's step"
    )


def _series(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[float, str], list[Any]]:
    """Returns values by step and name. What was recorded outside a loop has no step, and no counterpart."""
    found: dict[tuple[float, str], list[Any]] = {}
    for row in rows:
        step = row.get("step")
        if step is not None:
            for name, value in row["values"].items():
                found.setdefault((step, name), []).append(value)
    return found


def _evaluation(metrics: Mapping[str, Any]) -> dict[tuple[float, str], list[Any]]:
    """Returns the final metrics, as if they followed the last step.

    What train_model returned is left out: it may speak of the steps of one attempt only.
    """
    groups = {group: values for group, values in metrics.items() if group != "training"}
    return {
        (math.inf, f"{group} {name}"): [value] for group, values in groups.items() for name, value in _flat("", values)
    }


def _flat(prefix: str, values: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(f"{prefix}{name} ", value)
        else:
            yield f"{prefix}{name}", value


def _differences(expected: Values, found: Values) -> list[_Difference]:
    """Returns what differs at all, in the order of steps."""
    differences = []
    for key in sorted(expected.keys() | found.keys()):
        mine, theirs = expected.get(key, []), found.get(key, [])
        if len(mine) != len(theirs):
            what = f"recorded {_times(len(theirs))} instead of {_times(len(mine))}"
            differences.append(_Difference(key, math.inf, what))
            continue
        for one, other in zip(mine, theirs, strict=True):
            if (size := relative_difference(one, other)) > 0:
                differences.append(_Difference(key, size, f"{_shown(other)} instead of {_shown(one)}"))
    return differences


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _shown(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def relative_difference(one: Any, other: Any) -> float:
    """Returns the difference of two metrics, relative to the larger; infinite where only one is a number.

    Infinities and what is no number stand as texts in the records.
    """
    if one == other:
        return 0.0
    if not isinstance(one, int | float) or not isinstance(other, int | float):
        return math.inf
    return abs(one - other) / max(abs(one), abs(other))


def _judge(differences: list[_Difference], *, earlier: Iterable[tuple[float, str]]) -> Finding:
    """Makes a finding; a difference among `earlier`, before the kill, has another reason than the resumption."""
    if not differences:
        return Finding(result=Result.EXACT, text="exact", largest_difference=0.0)
    largest = max(each.size for each in differences)
    size = largest if largest < math.inf else None
    first = next((each for each in differences if each.size > CLOSE), None)
    if first is None:
        text = f"close (largest relative difference {largest:.2g})"
        return Finding(result=Result.CLOSE, text=text, largest_difference=size)
    step, name = first.where
    place = f"at step {step:g}" if step < math.inf else "in the evaluation"
    text = f"{name} differs first {place}: {first.what}"
    if first.where in set(earlier):
        text += "; that is before the kill: the seed alone does not decide this training"
    return Finding(
        result=Result.BROKEN,
        text=f"broken ({text})",
        largest_difference=size,
        metric=name,
        step=step if step < math.inf else None,
    )
