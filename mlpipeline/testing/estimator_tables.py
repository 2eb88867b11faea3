"""Small tables that estimators are tried on, and a run that is cut short."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlpipeline.context import RunContext
from mlpipeline.data.encoding import Observations
from mlpipeline.data.streaming import Stream

ROWS = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows to learn from, and rows to select by.

    Attributes:
        kind: regression, binary or multiclass.
        x: features, of shape (rows, features).
        y: the target, of shape (rows,), or one column for each class.
        validation: features and target of other rows.
    """

    kind: str
    x: pd.DataFrame
    y: np.ndarray
    validation: tuple[pd.DataFrame, np.ndarray]

    @property
    def contrary(self) -> np.ndarray:
        """A target that says the contrary: what is learnt from it makes predictions worse."""
        if self.kind == "regression":
            return -self.y
        if self.y.ndim == 2:
            return self.y[:, ::-1]
        classes, places = np.unique(self.y, return_inverse=True)
        turned: np.ndarray = classes[::-1][places]
        return turned

    def stream(self, size: int = 50) -> Stream:
        """Returns the rows in batches."""

        def walk() -> Iterator[Observations]:
            for start in range(0, len(self.x), size):
                yield Observations(self.x.iloc[start : start + size], self.y[start : start + size])

        return Stream(walk, len(self.x))


def table(kind: str, *, rows: int = ROWS, seed: int = 0) -> Table:
    """Returns a table whose target follows from its first two features, with little noise.

    Args:
        kind: regression, binary, multiclass; or one_hot: multiclass, with a column for each class.
        rows: to learn from; half as many are there to select by.
        seed: of the random numbers.
    """
    random = np.random.default_rng(seed)
    every = rows + rows // 2
    x = pd.DataFrame(
        {
            "first": random.normal(size=every).astype(np.float32),
            "second": random.uniform(-1, 1, size=every),
            "third": random.integers(0, 5, size=every).astype(np.uint8),
        }
    )
    value = 2 * x["first"].to_numpy(np.float64) + x["second"].to_numpy() + 0.1 * random.normal(size=every)
    y = _TARGETS[kind](value)
    told = "multiclass" if kind == "one_hot" else kind
    validation = (x.iloc[rows:].reset_index(drop=True), y[rows:])
    return Table(kind=told, x=x.iloc[:rows].copy(), y=y[:rows], validation=validation)


def _classes(value: np.ndarray) -> np.ndarray:
    """Codes as Unique gives them: not from 0 on, with a gap."""
    codes: np.ndarray = np.array([2, 3, 5], np.uint8)[np.digitize(value, [-1.0, 1.0])]
    return codes


_TARGETS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "regression": lambda value: value,
    "binary": lambda value: (value > 0).astype(np.uint8),
    "multiclass": _classes,
    "one_hot": lambda value: np.eye(3, dtype=np.uint8)[np.digitize(value, [-1.0, 1.0])],
}


class CutShort(RunContext):
    """A run by hand that saves after every step, and ends after some, as if it were killed there."""

    def __init__(self, model_dir: Path, steps: int | None = None) -> None:
        super().__init__(model_dir=model_dir)
        self._limit = steps

    def steps(self, iterable: Iterable[Any] | None = None, **options: Any) -> Iterator[Any]:
        """Yields so many items, and no more."""
        return itertools.islice(super().steps(iterable, **options), self._limit)

    def checkpoint(self, save: Callable[[Path], object], **options: Any) -> bool:
        """Saves whenever it could."""
        return super().checkpoint(save, **options | {"every_seconds": None})


class Recorded(RunContext):
    """A run by hand that keeps what is recorded.

    Attributes:
        found: the metrics of each call, by name.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.found: list[dict[str, float]] = []

    def record(self, metrics: Any = None, *, step: int | None = None, **values: Any) -> None:
        """Keeps what is recorded."""
        self.found.append({**dict(metrics or {}), **values})
