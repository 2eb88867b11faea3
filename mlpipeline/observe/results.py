"""What an evaluation returned, by name; which name a person means, and in which direction it gets better; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mlpipeline import searches
from mlpipeline.config_text import near_miss
from mlpipeline.errors import UsageError
from mlpipeline.observe import text
from mlpipeline.run import Run

PREFERRED = ("validation", "test", "", "train", "training")
"""Groups of metrics, the one first that says most about a version; `search` has no group of its own here."""


def direction_of(metric: str) -> str | None:
    """Returns in which direction a metric gets better, `test log_loss`, say; None where its name does not tell."""
    return searches.direction_of(metric.replace(" ", "_").replace("-", "_"))


def resolve(wanted: str, names: Sequence[str]) -> str:
    """Returns the metric that a person means: `test accuracy`, `test_accuracy`, or `accuracy` of the best group.

    Raises:
        UsageError: there is none; the message names the nearest.
    """
    folded = {name.replace(" ", "_"): name for name in reversed(names)}
    tried = [wanted.replace(" ", "_"), *(f"{group}_{wanted}" for group in PREFERRED if group)]
    for each in tried:
        if each in folded:
            return folded[each]
    ends = [name for name in names if name.endswith(f" {wanted}")]
    if ends:
        return ends[0]
    if not names:
        raise UsageError(f"there is no metric '{wanted}': none of these runs has recorded any result yet")
    bare = [name.partition(" ")[2] or name for name in names]
    raise UsageError(
        f"there is no metric '{wanted}'.{near_miss(wanted, [*folded, *bare])} Known: {', '.join(folded.values())}"
    )


def metrics_of(run: Run) -> dict[str, Any]:
    """Returns a run's results by name, `test accuracy`; the value of a trial by the name of its metric alone."""
    found = run.last.metrics or {}
    trial = found.get(searches.GROUP)
    if trial is None:
        return text.flat_metrics(found)
    flat = text.flat_metrics({name: each for name, each in found.items() if name != searches.GROUP})
    return {**trial, **flat} if isinstance(trial, Mapping) else flat


def recorded(wanted: str, names: Sequence[str]) -> str | None:
    """Returns the recorded metric that a person means, however its words are joined; None where there is none."""
    return next((name for name in names if name.replace(" ", "_") == wanted.replace(" ", "_")), None)


def told_recorded(wanted: str | None, names: Sequence[str]) -> str:
    """Returns the recorded metric that is meant; where none is named, the one that says most.

    Raises:
        UsageError: there is none of this name.
    """
    if wanted is None:
        return min(names, key=_telling)
    found = recorded(wanted, names)
    if found is None:
        raise UsageError(
            f"none of these runs has recorded '{wanted}'.{near_miss(wanted, names)} Recorded: {', '.join(names)}"
        )
    return found


def _telling(name: str) -> tuple[bool, bool]:
    return direction_of(name) is None, not name.startswith(("val", "test"))
