"""Synthetic look-alikes of data: rows that nobody has lived, which look like those that are kept apart.

Each column keeps its name, its type, the share of what is missing, and its frequencies or quantiles. How columns go
together is kept roughly, by a Gaussian copula over ranks. A value that occurs seldom is never copied. This is no proof
of privacy: what many rows have in common stays visible, as it must.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mlpipeline import errors
from mlpipeline.data.portrait import Column, has_order, portrayed, unseen

MINIMUM_OCCURRENCES = 5

EVEN_SPREAD = math.sqrt(1 / 12)
"""The standard deviation of what is spread evenly over 0 to 1."""

LEAST_SPREAD = 0.5
"""What spreads less is not corrected further: chance would be taken for correlation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Portrait:
    """What is known of a frame, enough to draw rows that look like its own.

    Attributes:
        columns: in the frame's order.
        correlation: of the normal variables behind them, a square matrix; one variable for each column's values, and
            behind these one for whether they are missing.
        rows: how many the frame has.
    """

    columns: tuple[Column, ...]
    correlation: np.ndarray[Any, np.dtype[np.float64]]
    rows: int

    @classmethod
    def of(cls, frame: pd.DataFrame, *, minimum_occurrences: int = MINIMUM_OCCURRENCES) -> Portrait:
        """Returns the portrait of a frame.

        Args:
            frame: what to look like; it is not changed.
            minimum_occurrences: a value in fewer rows than these is replaced wherever it would come up.

        Raises:
            DataFault: when a column stands there twice, or holds lists or the like.
        """
        if minimum_occurrences < 2:
            raise errors.DataFault("minimum_occurrences is at least 2: a value in one row would be copied otherwise")
        if not frame.columns.is_unique:
            doubled = frame.columns[frame.columns.duplicated()][0]
            raise errors.DataFault(
                f"column '{doubled}' stands there more than once: give every column a name of its own"
            )
        frame = frame.reset_index(drop=True)
        others = [frame[name].rank(pct=True).astype(np.float64) for name in frame.columns if has_order(frame[name])]
        found = [portrayed(frame[name], minimum_occurrences, others) for name in frame.columns]
        ranks = pd.concat(
            [*(ranks for _, ranks in found), *(frame[name].isna().rank(pct=True) for name in frame.columns)], axis=1
        )
        columns = tuple(column for column, _ in found)
        return cls(columns=columns, correlation=_correlation(ranks.astype(np.float64)), rows=len(frame))

    @classmethod
    def of_types(cls, types: Mapping[str, Any], *, rows: int = 100) -> Portrait:
        """Returns the portrait of a frame of which only names and types are known: nothing missing, nothing correlated.

        Args:
            types: the type of each column, as pandas understands it.
            rows: how many rows to draw where nothing else is said.
        """
        columns = tuple(unseen(name, pd.api.types.pandas_dtype(dtype)) for name, dtype in types.items())
        return cls(columns=columns, correlation=np.eye(2 * len(columns)), rows=rows)

    def sample(self, rows: int | None = None, *, seed: int = 0) -> pd.DataFrame:
        """Draws rows; the same seed gives the same ones.

        Args:
            rows: how many; as many as the frame had where nothing is said.
            seed: of NumPy's generator.
        """
        count = self.rows if rows is None else rows
        generator = np.random.default_rng(seed)
        chances = _uniform(self.correlation, count, generator)
        width = len(self.columns)
        drawn = {
            column.name: column.draw(chances[:, place], chances[:, width + place])
            for place, column in enumerate(self.columns)
        }
        return pd.DataFrame(drawn, index=pd.RangeIndex(count))


def look_alike(
    frame: pd.DataFrame, rows: int | None = None, *, seed: int = 0, minimum_occurrences: int = MINIMUM_OCCURRENCES
) -> pd.DataFrame:
    """Returns synthetic rows that look like those of a frame: see `Portrait`."""
    return Portrait.of(frame, minimum_occurrences=minimum_occurrences).sample(rows, seed=seed)


def _correlation(ranks: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Returns the correlation of normal variables that have this rank correlation, made a matrix that can be one.

    2 sin(pi r / 6) is Pearson's correlation of a bivariate normal distribution whose Spearman correlation is r. Ranks
    that are shared by many rows spread less than even ones, and their correlation is as much too small.
    """
    found = np.nan_to_num(ranks.corr(min_periods=3).to_numpy())
    spread = np.clip(np.nan_to_num(ranks.std(ddof=0).to_numpy()) / EVEN_SPREAD, LEAST_SPREAD, 1)
    matrix = 2 * np.sin(np.pi / 6 * np.clip(found / np.outer(spread, spread), -1, 1))
    np.fill_diagonal(matrix, 1)
    values, vectors = np.linalg.eigh(matrix)
    matrix = vectors * np.clip(values, 1e-9, None) @ vectors.T
    scale = np.sqrt(np.diag(matrix))
    return np.asarray(matrix / np.outer(scale, scale))


def _uniform(correlation: Any, rows: int, generator: np.random.Generator) -> Any:
    """Draws rows of the copula: by their ranks they spread evenly over 0 to 1, so that shares come out as they were."""
    values, vectors = np.linalg.eigh(correlation)
    normal = generator.standard_normal((rows, len(values))) @ (vectors * np.sqrt(np.clip(values, 0, None))).T
    ranks = normal.argsort(axis=0, kind="stable").argsort(axis=0, kind="stable")
    return (ranks + 0.5) / max(rows, 1)
