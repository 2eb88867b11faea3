"""What a model rests on: how much worse its metric gets where the values of a column are shuffled among the rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlpipeline.data.encoding import Encoding
from mlpipeline.errors import DataFault, UnknownOption
from mlpipeline.learning import scores
from mlpipeline.learning.estimator import Estimator
from mlpipeline.learning.explain import rows
from mlpipeline.learning.scores import Score

INPUTS, ENCODERS = "inputs", "encoders"
_MOST_ROWS = 10_000
_REPEATS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Importance:
    """How important each column, or each encoder, is to a model.

    Attributes:
        table: a row for each, the most important first: `importance` is by how much the metric gets worse, in its own
            unit, as the mean of the repeats; `deviation` is their standard deviation, that of a sample.
        metric: by which it was measured.
        score: the metric of the rows as they are.
        rows: how many they were.
        by: "inputs" or "encoders".
    """

    table: pd.DataFrame
    metric: str
    score: float
    rows: int
    by: str

    def plot(self, path: str | Path) -> Path:
        """Draws bars into a file, of the kind that its suffix names."""
        from mlpipeline.learning.explain import pictures

        return pictures.bars(
            Path(path),
            self.table["importance"],
            self.table["deviation"],
            title=f"Importance by {self.rows:,} shuffled rows",
            label=f"how much worse {self.metric} gets (it is {self.score:.4g})",
        )


def importance(
    model: Any,
    frame: pd.DataFrame | None = None,
    *,
    by: str = INPUTS,
    metric: str | None = None,
    repeats: int = _REPEATS,
    seed: int = 0,
    most_rows: int = _MOST_ROWS,
) -> Importance:
    """Measures by permutation what a model rests on (Breiman, Random Forests, 2001); any estimator will do.

    Columns that say the same share what they add: each looks unimportant while the other one is there.

    Args:
        model: fitted: has `estimator`, `encoding`, `metric`.
        frame: rows with the target, as they are before encoding; by default the validation split.
        by: "inputs" shuffles the columns that encoders read; "encoders" shuffles what each of them gives.
        metric: a name in `scores`; by default the model's.
        repeats: how often each is shuffled.
        seed: the same rows, shuffles and numbers come of the same one.
        most_rows: more rows than these are drawn from.

    Raises:
        DataFault: there are no rows, or they have no target.
        UnknownOption: (a ValueError) there is no such metric, or `by` is neither.
    """
    if by not in (INPUTS, ENCODERS):
        raise UnknownOption(f"by is {by!r}: it must be 'inputs' or 'encoders'")
    if repeats < 1:
        raise DataFault(f"repeats is {repeats}: give 1 or more")
    taken = rows.chosen(model, frame, most_rows, seed)
    encoding, estimator = model.encoding, model.estimator
    measured = _metric(model, metric)
    x, truth = encoding.encode_x(taken), encoding.encode_y(taken)
    if truth is None:
        raise DataFault(f"the frame has no target: it needs {', '.join(map(str, encoding.output_inputs))}")
    target = estimator.target_.learnable(truth)
    plain = _score(estimator, measured, x, target)
    shuffles = _by_inputs(encoding, taken, x) if by == INPUTS else _by_encoders(encoding, x)
    generator = np.random.default_rng(seed)
    found = {}
    for name, shuffled in shuffles.items():
        values = [_score(estimator, measured, shuffled(generator.permutation(len(x))), target) for _ in range(repeats)]
        found[name] = (plain - np.array(values)) * (1.0 if measured.greater_is_better else -1.0)
    table = _table(found).rename_axis(by.removesuffix("s"))
    return Importance(table=table, metric=measured.name, score=plain, rows=len(x), by=by)


def _table(found: Mapping[str, np.ndarray]) -> pd.DataFrame:
    told = {name: (each.mean(), each.std(ddof=1) if len(each) > 1 else 0.0) for name, each in found.items()}
    table = pd.DataFrame.from_dict(told, orient="index", columns=["importance", "deviation"])
    return table.sort_values("importance", ascending=False, kind="stable")


_Shuffle = Callable[[np.ndarray], pd.DataFrame]


def _by_inputs(encoding: Encoding, frame: pd.DataFrame, x: pd.DataFrame) -> Mapping[str, _Shuffle]:
    def shuffle(name: str) -> _Shuffle:
        readers = [encoder for encoder in encoding.encoders if name in encoder.inputs]

        def shuffled(order: np.ndarray) -> pd.DataFrame:
            other = frame.copy(deep=False)
            other[name] = frame[name].iloc[order].set_axis(frame.index)
            columns = {each: codes for encoder in readers for each, codes in encoding.features(encoder, other).items()}
            return x.assign(**{each: codes.to_numpy() for each, codes in columns.items()})

        return shuffled

    return {str(name): shuffle(name) for name in encoding.inputs}


def _by_encoders(encoding: Encoding, x: pd.DataFrame) -> Mapping[str, _Shuffle]:
    def shuffle(names: tuple[str, ...]) -> _Shuffle:
        return lambda order: x.assign(**{name: x[name].to_numpy()[order] for name in names})

    return {encoder.name: shuffle(encoder.feature_names) for encoder in encoding.encoders}


def _metric(model: Any, name: str | None) -> Score:
    kind = model.estimator.target_.kind
    own = getattr(model, "metric", None)
    if name is None:
        return own if own is not None else scores.of_kind(kind)[0]
    return scores.find(name, kind)


def _score(estimator: Estimator, metric: Score, x: pd.DataFrame, truth: np.ndarray) -> float:
    """Returns one score; rows of a class that is not known take no part."""
    known = np.ones(len(truth), bool) if estimator.target_.is_regression else truth >= 0
    if metric.needs_proba:
        given = estimator.predict_proba(x)
    else:
        given = estimator.target_.learnable(estimator.predict(x))
    return metric.function(truth[known], given[known], None)
