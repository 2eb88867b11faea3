"""Small transformers: what an encoder asks of one, and no more."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd


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
            return pd.Series(np.log(values.to_numpy(float)), index=frame.index)

    def state(self) -> dict[str, Any]:
        return {"class": "Logarithm", "parameters": {"column": self.column}}

    @staticmethod
    def from_state(state: dict[str, Any]) -> Any:
        return {"Logarithm": Logarithm, "Ratio": Ratio}[state["class"]](**state["parameters"])

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
            return pd.Series(frame[self.column].to_numpy(float) / frame[self.other].to_numpy(float), index=frame.index)

    def state(self) -> dict[str, Any]:
        return {"class": "Ratio", "parameters": {"column": self.column, "other": self.other}}

    def __repr__(self) -> str:
        return f"Ratio({self.column!r}, {self.other!r})"
