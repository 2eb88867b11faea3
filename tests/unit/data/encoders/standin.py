"""Small transformers: what an encoder asks of one, and no more."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd


def floats(values: pd.Series) -> np.ndarray:
    """Returns numbers, NaN where there is nothing."""
    return values.astype(object).where(values.notna(), np.nan).to_numpy(float)


class Logarithm:
    """The natural logarithm of a column, or of what another transformer makes."""

    def __init__(self, column: Any) -> None:
        self.column = column

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.column,) if isinstance(self.column, str) else self.column.inputs

    @property
    def name(self) -> str:
        return f"{self.column if isinstance(self.column, str) else self.column.name}_logarithm"

    def transform(self, frame: pd.DataFrame) -> pd.Series:
        values = frame[self.column] if isinstance(self.column, str) else self.column.transform(frame)
        with np.errstate(all="ignore"):
            return pd.Series(np.log(floats(values)), index=frame.index)

    def state(self) -> dict[str, Any]:
        inner = self.column if isinstance(self.column, str) else self.column.state()
        return {"class": "Logarithm", "parameters": {"column": inner}}

    @staticmethod
    def from_state(state: dict[str, Any]) -> Any:
        inner = state["parameters"]["column"]
        column = inner if isinstance(inner, str) else Logarithm.from_state(inner)
        return {"Logarithm": Logarithm, "Ratio": Ratio}[state["class"]](**state["parameters"] | {"column": column})

    def __repr__(self) -> str:
        return f"Logarithm({self.column!r})"


class Ratio(Logarithm):
    """One column by another one."""

    def __init__(self, column: str, other: str) -> None:
        self.column, self.other = column, other

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.column, self.other)

    @property
    def name(self) -> str:
        return f"{self.column}_ratio"

    def transform(self, frame: pd.DataFrame) -> pd.Series:
        with np.errstate(all="ignore"):
            return pd.Series(floats(frame[self.column]) / floats(frame[self.other]), index=frame.index)

    def state(self) -> dict[str, Any]:
        return {"class": "Ratio", "parameters": {"column": self.column, "other": self.other}}

    def __repr__(self) -> str:
        return f"Ratio({self.column!r}, {self.other!r})"
