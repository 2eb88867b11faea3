"""Versions and runs side by side: which parameters differ, metrics over seeds, which is best; pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mlpipeline.observe.comparison_rows import Row, Score, Study, rows_of
from mlpipeline.observe.results import PREFERRED, direction_of, resolve
from mlpipeline.observe.verdict import sentences
from mlpipeline.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All rows, those first that are best by the metric.

    Attributes:
        parameters: addresses whose values differ between rows.
        metrics: names, that one first which is compared by.
        directions: of the metrics whose direction is known.
        metric: which one is compared by; empty where there is none.
        best: the place of the best row.
        sentences: what the replicates say of the best one and those after it.
    """

    rows: tuple[Row, ...]
    parameters: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    directions: Mapping[str, str] = field(default_factory=dict)
    metric: str = ""
    best: int | None = None
    sentences: tuple[str, ...] = ()
    study: Study | None = None


def compared(
    groups: Sequence[Sequence[Run]],
    *,
    metric: str | None = None,
    direction: str | None = None,
    studies: Sequence[Study] = (),
    named: Collection[str] = (),
    words: Mapping[str, str] | None = None,
) -> Comparison:
    """Compares.

    Args:
        groups: of runs, each one row; see `by_version`.
        metric: what decides; None for that of the newest study, else the one that says most.
        direction: where the metric's name does not say it.
        studies: of the models, newest first; the newest one with a trial among the rows says metric and direction.
        named: runs that a person named: rows of these are called by their ids.
        words: what has become of live runs meanwhile, by their ids.

    Raises:
        UsageError: no row has this metric.
    """
    rows = rows_of(groups, studies, named, words or {})
    study = _study_of(rows, studies)
    names = list(dict.fromkeys(name for row in rows for name in row.scores))
    chosen = _metric(rows, names, metric, study)
    directions = _directions(names, chosen, direction, study)
    best_first = _ranked(rows, chosen, directions.get(chosen))
    others = [name for name in names if name != chosen]
    found = Comparison(
        rows=tuple(best_first),
        parameters=_differing(best_first),
        metrics=_distinct(best_first, [chosen, *others] if chosen else others),
        directions=directions,
        metric=chosen,
        best=0 if chosen in directions and _may_be_best(best_first, chosen) else None,
        study=study,
    )
    return replace(found, sentences=tuple(sentences(found)))


def _study_of(rows: Sequence[Row], studies: Sequence[Study]) -> Study | None:
    """Returns the newest study with a trial among the rows; None where these are of several models."""
    if len({row.model for row in rows}) != 1:
        return None
    shown = {(row.model, row.study) for row in rows}
    return next((each for each in studies if (each.model, each.name) in shown), None)


def _metric(rows: Sequence[Row], names: Sequence[str], asked: str | None, study: Study | None) -> str:
    """Returns what decides: what was asked for, else the study's metric where a row has it, else what says most."""
    if asked:
        return resolve(asked, names)
    if study is not None and study.metric in names:
        return resolve(study.metric, names)
    return _telling(rows, names)


def _directions(names: Sequence[str], chosen: str, asked: str | None, study: Study | None) -> dict[str, str]:
    """Returns in which direction metrics get better: as asked, as the study says, else by their names."""
    directions = {name: each for name in names if (each := direction_of(name)) is not None}
    if study is not None and study.metric == chosen:
        directions[chosen] = study.direction
    if asked is not None and chosen:
        directions[chosen] = asked
    return directions


def _telling(rows: Sequence[Row], names: Sequence[str]) -> str:
    """Returns the metric that most rows have, of the group that says most, and whose direction is known."""
    counts = {name: sum(bool(row.scores[name].values) for row in rows if name in row.scores) for name in names}

    def place(group: str) -> int:
        return PREFERRED.index(group) if group in PREFERRED else len(PREFERRED)

    def rank(name: str) -> tuple[bool, int, int, int, int]:
        group, _, rest = name.rpartition(" ")
        part = rest.partition("__")[0] if "__" in rest else ""  # a workflow tells of all its parts in one group
        return direction_of(name) is None, place(group), place(part), -counts[name], names.index(name)

    return min((name for name in names if counts[name]), key=rank, default="")


def _ranked(rows: Sequence[Row], metric: str, direction: str | None) -> list[Row]:
    """Returns the rows, best first; then those that a pruner ended, then those without a value, each in their order."""
    if direction is None:
        return list(rows)
    sign = 1 if direction == "minimize" else -1

    def key(row: Row) -> tuple[bool, bool, float]:
        value = row.mean(metric)
        return value is None, not row.is_eligible, 0.0 if value is None else sign * value

    return sorted(rows, key=key)


def _may_be_best(ranked: Sequence[Row], metric: str) -> bool:
    return bool(ranked) and ranked[0].is_eligible and ranked[0].mean(metric) is not None


def _differing(rows: Sequence[Row]) -> tuple[str, ...]:
    """Returns the addresses whose values differ, or that only some rows of a model name.

    What all rows of a model name alike, and no other model has, tells models apart and not versions. What only runs by
    hand name is none.
    """
    seen: dict[str, set[Any]] = {}
    for mapping in _mappings(rows):
        for address, value in mapping.items():
            seen.setdefault(address, set()).add(_told_apart(value))
    partly = _partly_named(rows)
    return tuple(each for each, values in seen.items() if len(values) > 1 or each in partly)


def _partly_named(rows: Sequence[Row]) -> set[str]:
    """Returns the addresses that only some rows of a model name; where some ran in the queue, only those count."""
    queued = {row.model for row in rows if not row.is_by_hand}
    naming: dict[str, list[Row]] = {}
    for row in rows:
        if not row.is_by_hand or row.model not in queued:
            naming.setdefault(row.model, []).append(row)
    partly: set[str] = set()
    for mappings in map(_mappings, naming.values()):
        counts = Counter(address for mapping in mappings for address in mapping)
        partly.update(address for address, count in counts.items() if count < len(mappings))
    return partly


def _mappings(rows: Iterable[Row]) -> list[Mapping[str, Any]]:
    """Returns the parameters of rows; those that many rows share, once."""
    return list({id(row.parameters): row.parameters for row in rows}.values())


def _told_apart(value: Any) -> Any:
    """Returns what stands for a value in a set: 1, 1.0 and True are three values, and a list is one."""
    if value is None or isinstance(value, str | int | float):
        return type(value), value
    return json.dumps(value, sort_keys=True)


def _distinct(rows: Sequence[Row], names: Sequence[str]) -> tuple[str, ...]:
    """Leaves out what says the same as the first one, by another name: a trial's value is also one of its results."""
    if not any(name.endswith(f" {names[0]}") for name in names):
        return tuple(names)
    first = [_column(row.scores.get(names[0])) for row in rows]
    return tuple(
        name
        for name in names
        if not (name.endswith(f" {names[0]}") and [_column(row.scores.get(name)) for row in rows] == first)
    )


def _column(score: Score | None) -> Any:
    return None if score is None else (tuple(score.values.items()), score.odd)
