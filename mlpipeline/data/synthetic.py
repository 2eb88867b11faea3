"""Makes rows that look like given ones: the same columns, distributions and correlations, and nobody's row."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Self

import numpy as np
import pandas as pd

from mlpipeline.data.schema import NOTHING, check_frame, kind_of
from mlpipeline.errors import DataFault

_INTERPOLATED = {"number", "time", "duration"}
_PROBABILITIES = np.concatenate([np.geomspace(1e-9, 1e-3, 200)[:-1], np.linspace(1e-3, 1 - 1e-3, 4001)])
_PROBABILITIES = np.concatenate([_PROBABILITIES, 1 - np.geomspace(1e-9, 1e-3, 200)[-2::-1]])
_SCORES = np.array([NormalDist().inv_cdf(each) for each in _PROBABILITIES])


class Synthesizer:
    """Learns how columns are distributed and how they go together, and draws rows that look alike.

    It is a Gaussian copula: each column becomes normal scores by rank, their correlations are kept, and what is drawn
    goes back through the column's own distribution. Numbers, times and durations are interpolated between observed
    ones; all else is drawn among what was observed; what is missing stays as frequent. A column of texts that are
    mostly different (names of people, keys) tells of individuals: its values become `<column>-<number>`.

    It hides no extreme value and promises no differential privacy.

    Args:
        seed: the same one draws the same rows.
        unique_share: a text column with a larger share of different values than this is replaced.
    """

    def __init__(self, seed: int = 0, unique_share: float = 0.5) -> None:
        self.seed = seed
        self.unique_share = unique_share

    def fit(self, frame: pd.DataFrame) -> Self:
        """Learns from rows.

        Raises:
            DataFault: there are no rows, or two columns of the same name.
        """
        check_frame(frame, "Synthesizer.fit(frame)")
        random = np.random.default_rng(self.seed)
        self.columns_ = {name: _Column.learnt(frame[name], self.unique_share) for name in frame.columns}
        scores = pd.DataFrame({place: _scores(frame[name], random) for place, name in enumerate(frame.columns)})
        correlations = np.nan_to_num(scores.corr().to_numpy(copy=True))
        np.fill_diagonal(correlations, 1)
        self.correlations_ = correlations
        return self

    def sample(self, rows: int) -> pd.DataFrame:
        """Returns so many drawn rows.

        Raises:
            DataFault: nothing was learnt yet.
        """
        if not hasattr(self, "columns_"):
            raise DataFault("this Synthesizer has learnt nothing yet: call fit first")
        random = np.random.default_rng([self.seed, rows])
        values, vectors = np.linalg.eigh(self.correlations_)  # of pairs of columns, so some may be below 0
        mixing = np.sqrt(values.clip(0))[:, None] * vectors.T
        drawn = random.standard_normal((rows, len(values))) @ (mixing / np.linalg.norm(mixing, axis=0))
        uniform = np.interp(drawn, _SCORES, _PROBABILITIES)
        columns = enumerate(self.columns_.items())
        return pd.DataFrame({name: column.drawn(uniform[:, place], random) for place, (name, column) in columns})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """How one column is distributed: what was observed, ascending, and the share that was missing."""

    name: str
    observed: pd.Series
    missing: float
    is_interpolated: bool
    is_replaced: bool

    @classmethod
    def learnt(cls, values: pd.Series, unique_share: float) -> Self:
        kind = kind_of(values)
        present = values.dropna()
        is_replaced = kind == "text" and present.nunique() > unique_share * len(present)
        return cls(
            name=str(values.name),
            observed=present.iloc[np.argsort(_order(present), kind="stable")].reset_index(drop=True),
            missing=1.0 if kind == NOTHING else float(values.isna().mean()),
            is_interpolated=kind in _INTERPOLATED and values.dtype.kind in "iufMm",
            is_replaced=is_replaced,
        )

    def drawn(self, uniform: np.ndarray, random: np.random.Generator) -> pd.Series:
        """Returns the values at these probabilities, some of them missing."""
        if self.missing >= 1:
            return pd.Series([None] * len(uniform), dtype=object)
        place = uniform * (len(self.observed) - 1)
        if self.is_replaced:
            found = pd.Series([f"{self.name}-{number}" for number in range(len(uniform))])
        elif self.is_interpolated:
            found = self._between(place)
        else:
            found = self.observed.iloc[np.floor(place + 0.5).astype(int)].reset_index(drop=True)
        return found.mask(pd.Series(random.random(len(found)) < self.missing)) if self.missing else found

    def _between(self, place: np.ndarray) -> pd.Series:
        below = np.floor(place).astype(int)
        above = np.minimum(below + 1, len(self.observed) - 1)
        dtype = self.observed.dtype
        values = self.observed.to_numpy() if dtype.kind in "iuf" else self.observed.astype("int64").to_numpy()
        found = values[below] + (values[above] - values[below]) * (place - below)
        whole = found if dtype.kind == "f" else np.rint(found).astype(np.int64)
        return pd.Series(whole).astype(dtype)


def _order(values: pd.Series) -> np.ndarray:
    """Returns numbers in the order of the values; of what has no order, in that of its text."""
    sortable = values if kind_of(values) in {*_INTERPOLATED, "boolean", "text"} else values.map(repr)
    return np.asarray(pd.factorize(sortable, sort=True)[0])


def _scores(values: pd.Series, random: np.random.Generator) -> np.ndarray:
    """Returns a normal score for each row by its rank; equal values take theirs by chance, missing ones have none."""
    scores = np.full(len(values), np.nan)
    present = values[values.notna()]
    ranks = np.empty(len(present))
    ranks[np.lexsort((random.random(len(present)), _order(present)))] = np.arange(len(present))
    scores[values.notna()] = np.interp((ranks + 0.5) / max(len(present), 1), _PROBABILITIES, _SCORES)
    return scores
