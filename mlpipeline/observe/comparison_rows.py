"""What a comparison has in its rows: versions, or single runs, with their parameters and scores; pure."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mlpipeline import params, searches
from mlpipeline.observe import statistics, text
from mlpipeline.observe.results import metrics_of
from mlpipeline.run import BY_HAND, IMPORTED, OUTSIDE, Cause, Run, State


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

    def mean(self, metric: str) -> float | None:
        """Returns the mean of a metric, None where the row has no finite value of it."""
        score = self.scores.get(metric)
        return None if score is None else score.mean


def by_version(runs: Iterable[Run]) -> list[list[Run]]:
    """Returns for each version the runs that speak for it: one for each replicate, all of the same code and parameters.

    These are the newest that succeeded; where none did, its newest run stands alone. What was fitted by hand with other
    parameters than the version's does not speak for the version, but for itself.

    Args:
        runs: newest first.
    """
    grouped: dict[tuple[str, str, str], list[Run]] = {}
    for run in runs:
        own = _otherwise(run) if run.state is State.SUCCEEDED else ""
        grouped.setdefault((run.model, run.version, own), []).append(run)
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


def _otherwise(run: Run) -> str:
    """Returns with which parameters a version was fitted by hand, other than its own."""
    is_changed = run.last.executor == BY_HAND and run.last.changes
    told = ", ".join(f"{name}={text.number(value)}" for name, value in run.last.changes.items()) if is_changed else ""
    return f" with {told}" if told else ""


def rows_of(
    groups: Sequence[Sequence[Run]], studies: Sequence[Study], named: Collection[str], words: Mapping[str, str]
) -> list[Row]:
    """Returns a row for each group of runs.

    Args:
        groups: see `by_version`.
        studies: of the models, newest first.
        named: runs that a person named: rows of these are called by their ids.
        words: what has become of live runs meanwhile, by their ids.
    """
    has_models = len({group[0].model for group in groups}) > 1
    study_of = {(each.model, trial): each.name for each in reversed(studies) for trial in each.trials}
    flat: dict[str, Mapping[str, Any]] = {}
    titled = functools.cache(text.title)  # of a long history, most runs are of a version that ran before
    rows = []
    for group in groups:
        first = group[0]
        title = titled(first.model, first.version) if has_models else first.version
        title += _otherwise(first) + (" (imported)" if first.last.executor == IMPORTED else "")
        if first.params_digest not in flat:
            flat[first.params_digest] = params.addressed(first.params)
        row = _row(group, f"{first.id} {title}" if first.id in named else title, flat[first.params_digest], words)
        study = study_of.get((first.model, first.version))
        rows.append(row if study is None else replace(row, study=study))
    return rows


def _row(group: Sequence[Run], label: str, parameters: Mapping[str, Any], words: Mapping[str, str]) -> Row:
    first, last = group[0], group[0].last
    state = "pruned" if last.cause is Cause.PRUNED else last.state.value
    taken = [each for run in group if (each := run.last.seconds) is not None]
    return Row(
        label=label,
        model=first.model,
        version=first.version,
        runs=tuple(run.id for run in group),
        state=state,
        now=words.get(first.id, state),
        seconds=sum(taken) / len(taken) if taken else None,
        parameters=parameters,
        scores=_scores(group),
        is_eligible=any(run.state is State.SUCCEEDED and run.last.cause is not Cause.PRUNED for run in group),
        is_by_hand=last.executor in OUTSIDE,
    )


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
