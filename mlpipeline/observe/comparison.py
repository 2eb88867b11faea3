"""Versions and runs side by side: which parameters differ, metrics over seeds, which is best; pure."""

from __future__ import annotations

import functools
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mlpipeline import params, searches
from mlpipeline.observe import statistics, text
from mlpipeline.observe.results import PREFERRED, direction_of, metrics_of, resolve
from mlpipeline.observe.verdict import sentences
from mlpipeline.run import IMPORTED, OUTSIDE, Cause, Run, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """A search of a model, as its trials on disk tell it: by which metric they are compared, and which they are."""

    name: str
    model: str
    metric: str
    direction: str
    trials: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A metric of a version: its finite values by replicate, and what else its runs had there: `nan`, `inf`."""

    values: Mapping[int, float]
    odd: tuple[str, ...] = ()

    @property
    def mean(self) -> float | None:
        """The mean over replicates, None where none is finite."""
        return sum(self.values.values()) / len(self.values) if self.values else None

    @property
    def interval(self) -> statistics.Interval | None:
        """The mean with its 95 % interval."""
        return statistics.interval(list(self.values.values())) if self.values else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A version, or a single run.

    Attributes:
        label: what it is called within the comparison.
        runs: ids, by replicate.
        state: of its newest run, as the ledger has it.
        now: what has become of it meanwhile, where it lives by the ledger: `running 14%`, `lost`; else its state.
        seconds: how long its last attempts took on average.
        parameters: descriptions, by address.
        is_eligible: it may be the best: it came to its end, and no pruner ended it.
        is_by_hand: its parameters are all that was configured, not only those that a version names.
    """

    label: str
    model: str
    version: str
    runs: tuple[str, ...]
    state: str
    seconds: float | None
    parameters: Mapping[str, Any]
    scores: Mapping[str, Score]
    is_eligible: bool = True
    is_by_hand: bool = False
    study: str = ""
    now: str = ""


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


def by_version(runs: Iterable[Run]) -> list[list[Run]]:
    """Returns for each version the runs that speak for it: one for each replicate, all of the same code and parameters.

    These are the newest that succeeded; where none did, its newest run stands alone.

    Args:
        runs: newest first.
    """
    grouped: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        grouped.setdefault((run.model, run.version), []).append(run)
    found = []
    for group in grouped.values():
        good = [run for run in group if run.state is State.SUCCEEDED]
        if not good:
            found.append(group[:1])
            continue
        newest = good[0].params_digest, good[0].code_digest
        chosen: dict[int, Run] = {}
        for run in good:
            if (run.params_digest, run.code_digest) == newest:
                chosen.setdefault(run.replicate, run)
        found.append([chosen[each] for each in sorted(chosen)])
    return found


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
    rows = _rows(groups, studies, named, words or {})
    shown = {(row.model, row.study) for row in rows}
    is_one_model = len({row.model for row in rows}) == 1
    study = next((each for each in studies if is_one_model and (each.model, each.name) in shown), None)
    names = list(dict.fromkeys(name for row in rows for name in row.scores))
    wanted = metric or (study.metric if study is not None else None)
    chosen = resolve(wanted, names) if wanted and (metric or wanted in names) else _telling(rows, names)
    directions = {name: each for name in names if (each := direction_of(name)) is not None}
    if study is not None and study.metric == chosen:
        directions[chosen] = study.direction
    if direction is not None and chosen:
        directions[chosen] = direction
    best_first = _ranked(rows, chosen, directions.get(chosen))
    is_ranked = bool(best_first) and _value(best_first[0], chosen) is not None and chosen in directions
    others = [name for name in names if name != chosen]
    found = Comparison(
        rows=tuple(best_first),
        parameters=_differing(best_first),
        metrics=_distinct(best_first, [chosen, *others] if chosen else others),
        directions=directions,
        metric=chosen,
        best=0 if is_ranked and best_first[0].is_eligible else None,
        study=study,
    )
    return replace(found, sentences=tuple(sentences(found)))


def _rows(
    groups: Sequence[Sequence[Run]], studies: Sequence[Study], named: Collection[str], words: Mapping[str, str]
) -> list[Row]:
    has_models = len({group[0].model for group in groups}) > 1
    study_of = {(each.model, trial): each.name for each in reversed(studies) for trial in each.trials}
    flat: dict[str, Mapping[str, Any]] = {}
    titled = functools.cache(text.title)  # of a long history, most runs are of a version that ran before
    rows = []
    for group in groups:
        first, last = group[0], group[0].last
        title = titled(first.model, first.version) if has_models else first.version
        title += " (imported)" if last.executor == IMPORTED else ""
        if first.params_digest not in flat:
            flat[first.params_digest] = params.flatten(first.params)
        state = "pruned" if last.cause is Cause.PRUNED else last.state.value
        taken = [each for run in group if (each := run.last.seconds) is not None]
        rows.append(
            Row(
                label=f"{first.id} {title}" if first.id in named else title,
                model=first.model,
                version=first.version,
                runs=tuple(run.id for run in group),
                state=state,
                now=words.get(first.id, state),
                seconds=sum(taken) / len(taken) if taken else None,
                parameters=flat[first.params_digest],
                scores=_scores(group),
                is_eligible=any(run.state is State.SUCCEEDED and run.last.cause is not Cause.PRUNED for run in group),
                is_by_hand=last.executor in OUTSIDE,
                study=study_of.get((first.model, first.version), ""),
            )
        )
    return rows


def _scores(group: Sequence[Run]) -> dict[str, Score]:
    values: dict[str, dict[int, float]] = {}
    odd: dict[str, list[str]] = {}
    for run in group:
        for name, value in metrics_of(run).items():
            finite = values.setdefault(name, {})
            if searches.is_number(value):
                finite[run.replicate] = float(value)
            elif not isinstance(value, bool):
                odd.setdefault(name, []).append(text.one_line(str(value), 12))
    return {name: Score(values=each, odd=tuple(odd[name]) if name in odd else ()) for name, each in values.items()}


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


def _value(row: Row, metric: str) -> float | None:
    score = row.scores.get(metric)
    return None if score is None else score.mean


def _ranked(rows: Sequence[Row], metric: str, direction: str | None) -> list[Row]:
    """Returns the rows, best first; then those that a pruner ended, then those without a value, each in their order."""
    if direction is None:
        return list(rows)
    sign = 1 if direction == "minimize" else -1

    def key(row: Row) -> tuple[bool, bool, float]:
        value = _value(row, metric)
        return value is None, not row.is_eligible, 0.0 if value is None else sign * value

    return sorted(rows, key=key)


def _differing(rows: Sequence[Row]) -> tuple[str, ...]:
    """Returns the addresses whose values differ. What only runs by hand name is none."""
    seen: dict[str, set[Any]] = {}
    counts: dict[str, int] = {}
    queued = {row.model for row in rows if not row.is_by_hand}
    naming = _mappings(row for row in rows if not row.is_by_hand or row.model not in queued)
    for mapping in _mappings(rows):
        for address, value in mapping.items():
            seen.setdefault(address, set()).add(_told_apart(value))
    for mapping in naming:
        for address in mapping:
            counts[address] = counts.get(address, 0) + 1
    return tuple(each for each, values in seen.items() if len(values) > 1 or 0 < counts.get(each, 0) < len(naming))


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
