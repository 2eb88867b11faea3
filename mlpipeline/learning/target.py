"""What is to be predicted: a number, one of two classes, or one of many; and which codes the classes have."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np

from mlpipeline.errors import DataFault, UnknownOption


class Kind(StrEnum):
    """What kind of thing is predicted."""

    REGRESSION = "regression"
    BINARY = "binary"
    MULTICLASS = "multiclass"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What an estimator learns to predict.

    Attributes:
        kind: a number, one of two classes, one of many.
        classes: the code of each class, of shape (classes,), ascending; empty for a number. Where the target comes one
            column for each class, those are the numbers of the columns.
        columns: how many columns the target has; 1 where it is of shape (rows,).
    """

    kind: Kind
    classes: np.ndarray = field(default_factory=lambda: np.empty(0))
    columns: int = 1

    @classmethod
    def of(cls, y: Any, kind: str | None = None, *, is_continuous: bool | None = None) -> Target:
        """Returns the target that the training split shows.

        Args:
            y: its target, of shape (rows,), or (rows, classes) with a 1 in the column of each row's class.
            kind: what the user says; by default it is told by what `y` holds.
            is_continuous: whether the output encoder keeps numbers numbers; None where there is no encoder. Then floats
                are numbers, and everything else is a class.

        Raises:
            DataFault: there are no rows, a value is missing or infinite, there is one class only, or more than two for
                a binary target.
            UnknownOption: (a ValueError) the kind is none.
        """
        values = np.asarray(y)
        wanted = _kind(kind)
        _check(values)
        if is_continuous is None:
            is_continuous = values.dtype.kind == "f" and values.ndim == 1
        if wanted is Kind.REGRESSION or (wanted is None and is_continuous):
            return cls(kind=Kind.REGRESSION, columns=_width(values))
        classes = np.unique(values) if _width(values) == 1 else np.arange(values.shape[1])
        _check_classes(classes, values, wanted)
        is_binary = len(classes) == 2 and wanted is not Kind.MULTICLASS
        return cls(kind=Kind.BINARY if is_binary else Kind.MULTICLASS, classes=classes, columns=_width(values))

    @property
    def is_regression(self) -> bool:
        """Whether a number is predicted."""
        return self.kind is Kind.REGRESSION

    def learnable(self, y: Any) -> np.ndarray:
        """Returns the target as estimators learn it: float64, or int64 positions in `classes`, of shape (rows,).

        A class that the training split has not shown becomes -1.
        """
        values = np.asarray(y)
        if self.is_regression:
            return values.astype(np.float64)
        if _width(values) > 1:
            return np.asarray(values.argmax(axis=1), dtype=np.int64)
        flat = values.reshape(-1)
        places = np.searchsorted(self.classes, flat).clip(0, len(self.classes) - 1)
        return np.where(self.classes[places] == flat, places, -1).astype(np.int64)

    def codes(self, predicted: np.ndarray) -> np.ndarray:
        """Returns what the output encoder can decode of what an estimator predicted: numbers, or positions of classes.

        Returns:
            shape (rows,), or (rows, classes) where the target came so.
        """
        if self.is_regression:
            return predicted
        if self.columns > 1:
            coded: np.ndarray = np.eye(self.columns, dtype=np.uint8)[predicted]
            return coded
        chosen: np.ndarray = self.classes[predicted]
        return chosen

    def state(self) -> dict[str, Any]:
        """Returns what JSON can hold, and `from_state` makes the same target of."""
        return {
            "kind": str(self.kind),
            "classes": self.classes.tolist(),
            "dtype": str(self.classes.dtype),
            "columns": self.columns,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Target:
        """Returns the target that `state` described."""
        classes = np.array(state["classes"], dtype=state["dtype"])
        return cls(kind=Kind(state["kind"]), classes=classes, columns=state["columns"])


def _kind(kind: str | None) -> Kind | None:
    if kind is None:
        return None
    try:
        return Kind(kind)
    except ValueError:
        raise UnknownOption(f"kind is {kind!r}: it must be one of {', '.join(Kind)}") from None


def _width(values: np.ndarray) -> int:
    return 1 if values.ndim == 1 else int(values.shape[1])


def _check(values: np.ndarray) -> None:
    if values.ndim not in (1, 2) or not values.size:
        raise DataFault(f"the target has the shape {values.shape}: give a value for each row, and one row at least")
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        bad = int((~np.isfinite(values)).any(axis=tuple(range(1, values.ndim))).sum())
        raise DataFault(
            f"the target is missing or infinite in {bad:,} of {len(values):,} rows: drop them in get_data()"
        )


def _check_classes(classes: np.ndarray, values: np.ndarray, wanted: Kind | None) -> None:
    shown = classes if values.ndim == 1 else np.flatnonzero(values.any(axis=0))
    if len(shown) < 2:
        only = shown.tolist()
        raise DataFault(f"the target has one class only ({only}) in the training split: there is nothing to tell apart")
    if wanted is Kind.BINARY and len(classes) > 2:
        raise DataFault(f"the target has {len(classes)} classes: kind is 'binary', which takes two")
