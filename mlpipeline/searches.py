"""A search over parameters: the space, how trials are drawn from it, and by which metric they are compared. Pure."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mlpipeline import params
from mlpipeline.config_text import near_miss
from mlpipeline.errors import VersionsError
from mlpipeline.spaces import is_listed, listed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SAMPLERS = {"tpe": "optuna", "random": "", "grid": "", "cmaes": "cmaes"}
"""How trials may be drawn, and the module of the extra `tune` that this needs beside Optuna itself, if any."""
PRUNERS = ("median", "hyperband", "halving")
DIRECTIONS = ("minimize", "maximize")
GROUP = "search"
"""The group of a run's metrics in which the value of its trial stands."""
_SMALLER_IS_BETTER = frozenset(
    (
        *("loss", "error", "rmse", "mae", "mse", "mape", "mdae", "smape", "msle", "rmsle"),
        *("logloss", "perplexity", "deviance"),
    )
)
_GREATER_IS_BETTER = frozenset(
    ("accuracy", "acc", "auc", "rocauc", "prauc", "f1", "r2", "precision", "recall", "score", "iou", "reward")
)
_TRIES = 200
_MOST_CELLS = 1_000_000


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some values."""

    values: tuple[Any, ...]

    def value(self, drawn: Any) -> Any:
        """Returns what a place in the list stands for."""
        return self.values[drawn["choice"]]

    def described(self) -> dict[str, Any]:
        """Returns it as JSON-like data."""
        return {"kind": "choice", "choices": [params.describe(each) for each in self.values]}


@dataclass(frozen=True, slots=True)
class Between:
    """A number between two others, both included; whole where `is_whole`, uniform in its logarithm where `log`."""

    low: float
    high: float
    is_whole: bool = False
    log: bool = False

    def value(self, drawn: Any) -> Any:
        """Returns the number itself."""
        return drawn

    def described(self) -> dict[str, Any]:
        """Returns it as JSON-like data."""
        kind = "whole" if self.is_whole else "real"
        return {"kind": kind, "low": self.low, "high": self.high, "log": self.log}


def space_of(name: str, given: Any) -> Choice | Between:
    """Reads what a person wrote: a list, (low, high), or (low, high, "log").

    Raises:
        VersionsError: it is none of them, empty, or its low end is above the high one.
    """
    if isinstance(given, Choice | Between):
        return given
    if isinstance(given, tuple):
        return _between(name, given)
    if not is_listed(given):
        told = f"{given!r} is one value: give it outside the space, as a constant" if not callable(given) else ""
        raise VersionsError(f"{name}: {told or 'a function is no space'}; a space is a list or (low, high)")
    return Choice(tuple(listed(name, given)))


def _between(name: str, given: tuple[Any, ...]) -> Between:
    numbers, rest = given[:2], given[2:]
    fits = len(numbers) == 2 and all(isinstance(each, int | float) and not isinstance(each, bool) for each in numbers)
    if not fits or rest not in ((), ("log",)):
        raise VersionsError(f'{name}: {given!r} is no space: give (low, high), (low, high, "log") or a list of values')
    low, high = numbers
    if not (math.isfinite(low) and math.isfinite(high)):
        raise VersionsError(f"{name}: {given!r}: both ends must be finite")
    if low > high:
        raise VersionsError(f"{name}: low {low!r} is above high {high!r}: swap them")
    if rest and low <= 0:
        raise VersionsError(f"{name}: {given!r}: low must be above 0 for a logarithm")
    return Between(low, high, isinstance(low, int) and isinstance(high, int), bool(rest))


def direction_of(metric: str) -> str | None:
    """Returns in which direction a metric gets better, by the last word of its name; None where that says nothing."""
    last = metric.rpartition("_")[2].lower()
    if last in _SMALLER_IS_BETTER:
        return "minimize"
    return "maximize" if last in _GREATER_IS_BETTER else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is searched, and how. `base` are the parameters that all trials have in common."""

    space: Mapping[str, Choice | Between]
    trials: int
    metric: str
    direction: str
    sampler: str
    pruner: str | None
    seed: int
    base: Mapping[str, Any]

    def parameters(self, drawn: Mapping[str, Any]) -> dict[str, Any]:
        """Returns all parameters of a trial, by what was drawn for it."""
        return {**self.base, **{name: self.space[name].value(each) for name, each in drawn.items()}}

    def described(self) -> dict[str, Any]:
        """Returns all of it but the common parameters as JSON-like data. The number of trials makes no difference to
        the digest of the study: more of them continue it."""
        told: dict[str, Any] = {"space": {name: each.described() for name, each in self.space.items()}}
        names = ("metric", "direction", "sampler", "pruner", "seed", "trials")
        return told | {name: getattr(self, name) for name in names}


def search(
    space: Mapping[str, Any],
    base: Mapping[str, Any],
    *,
    trials: Any = 100,
    metric: Any = "validation_loss",
    direction: Any = None,
    sampler: Any = "tpe",
    pruner: Any = None,
    seed: Any = 0,
) -> Search:
    """Makes a search; see `Versions.search`.

    Raises:
        VersionsError: with what is wrong, and what to write instead.
    """
    spaces = {name: space_of(name, each) for name, each in space.items()}
    if not spaces:
        raise VersionsError("the space of the search is empty: give at least one parameter with its values or range")
    _among("sampler", sampler, SAMPLERS)
    if pruner is not None:
        _among("pruner", pruner, PRUNERS)
    for name, number, least in (("trials", trials, 1), ("seed", seed, 0)):
        if isinstance(number, bool) or not isinstance(number, int) or number < least:
            raise VersionsError(f"search: {name} is {number!r}: give a whole number, at least {least}")
    if not isinstance(metric, str) or not metric:
        raise VersionsError(f"search: metric is {metric!r}: give the name of a recorded metric or of a score")
    if direction is None:
        direction = direction_of(metric)
        if direction is None:
            raise VersionsError(
                f"search: is more of the metric '{metric}' better or worse? Say direction='maximize' or 'minimize' "
                "(mlpipeline tune: --direction)"
            )
    _among("direction", direction, DIRECTIONS)
    made = Search(
        space=spaces,
        trials=trials,
        metric=metric,
        direction=direction,
        sampler=sampler,
        pruner=pruner,
        seed=seed,
        base=dict(base),
    )
    if sampler in ("grid", "cmaes"):
        _check_kinds(made)
    return made


def _among(name: str, given: Any, known: Any) -> None:
    if given not in known:
        near = near_miss(str(given), known)
        raise VersionsError(f"search: there is no {name} {given!r}.{near} Known: {', '.join(known)}")


def _check_kinds(made: Search) -> None:
    cells = 1
    for name, each in made.space.items():
        if made.sampler == "cmaes" and isinstance(each, Choice):
            raise VersionsError(f"search: {name} is a list, and cmaes draws numbers: give (low, high), or take tpe")
        if made.sampler == "grid":
            if isinstance(each, Between) and not each.is_whole:
                raise VersionsError(
                    f"search: {name}: a grid has no cells between {each.low} and {each.high}: list them"
                )
            cells *= len(each.values) if isinstance(each, Choice) else int(each.high - each.low) + 1
    if cells > _MOST_CELLS:
        raise VersionsError(f"search: the grid has {cells} cells: give fewer values, or take sampler='random'")


def draws(described: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yields what each trial of a grid, or of a random search, gets: the same on every machine, nothing twice.

    Args:
        described: a search as `Search.described` gives it.
    """
    space = described["space"]
    if described["sampler"] == "grid":
        for cell in itertools.product(*(_cells(each) for each in space.values())):
            yield dict(zip(space, cell, strict=True))
        return
    import random

    chance = random.Random(f"mlpipeline search {described['seed']}")
    seen: set[str] = set()
    misses = 0
    while misses < _TRIES:
        row = {name: _drawn(each, chance) for name, each in space.items()}
        mark = params.digest(row)
        misses = misses + 1 if mark in seen else 0
        if not misses:
            seen.add(mark)
            yield row


def _cells(space: Mapping[str, Any]) -> list[Any]:
    if space["kind"] == "choice":
        return [{"choice": place} for place in range(len(space["choices"]))]
    return list(range(int(space["low"]), int(space["high"]) + 1))


def _drawn(space: Mapping[str, Any], chance: Any) -> Any:
    part = chance.random()
    if space["kind"] == "choice":
        return {"choice": int(part * len(space["choices"]))}
    low, high, is_whole = space["low"], space["high"], space["kind"] == "whole"
    if space["log"]:
        value = low * (high / low) ** part
        return min(high, max(low, round(value))) if is_whole else min(high, max(low, value))
    return low + int(part * (high - low + 1)) if is_whole else low + part * (high - low)


def described_parameters(base: Mapping[str, Any], space: Mapping[str, Any], drawn: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a trial's parameters for the record; `base` and `space` are descriptions."""
    told = {
        name: space[name]["choices"][each["choice"]] if space[name]["kind"] == "choice" else each
        for name, each in drawn.items()
    }
    return {name: each for name, each in {**base, **told}.items() if each is not None}


def value_of(metric: str, evaluated: Mapping[str, Any], recorded: Mapping[str, float]) -> tuple[Any, list[str]]:
    """Returns a run's value of a metric, None where it has none, and the names of all metrics that it has.

    A value that is no finite number stays what it is: the run has the metric, and is no success.

    Args:
        metric: `validation_auc` is `auc` of the evaluation on `validation`; `auc` is the first of those on validation,
            test and train; else it is the last value recorded under this very name.
        evaluated: what the evaluations returned, by group and name.
        recorded: the last value recorded under each name.
    """
    groups = {name: group for name, group in evaluated.items() if isinstance(group, Mapping) and name != GROUP}
    found: dict[str, Any] = dict(recorded)
    for name in sorted(groups, key=_preference, reverse=True):
        found |= groups[name]
    for name, group in groups.items():
        found |= {f"{name}_{key}": each for key, each in group.items()}
    return found.get(metric), sorted(found)


def _preference(group: str) -> int:
    order = ("validation", "test", "train", "training")
    return order.index(group) if group in order else len(order)


def is_number(value: Any) -> bool:
    """Whether trials can be compared by it."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def is_better(one: float, than: float | None, direction: str) -> bool:
    """Whether a value is better than another, or the first one."""
    return than is None or (one < than if direction == "minimize" else one > than)


def fault_of_trial(content: Mapping[str, Any]) -> str:
    """Returns what is wrong with the content of a trial's file, and what to do; nothing where it is whole."""
    kinds = {"study": str, "drawn": dict, "params": dict, "params_digest": str}
    wrong = next((name for name, kind in kinds.items() if not isinstance(content.get(name), kind)), None)
    if wrong is None:
        return ""
    told = "is missing" if wrong not in content else f"is {content[wrong]!r}"
    return f"is no trial of a search, its '{wrong}' {told}: put back what stood there, or remove the file"
