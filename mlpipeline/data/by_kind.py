"""Encoders chosen by what columns hold, and a dataset whose parts are given: for tables that nobody has described."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mlpipeline.config_text import near_miss
from mlpipeline.data.dataset import Dataset
from mlpipeline.data.schema import NOTHING, kind_of
from mlpipeline.errors import DataFault

MOST_WHOLE_CLASSES = 20
_MOST_FREE_LEVELS = 20
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """How the columns of a table become numbers.

    Attributes:
        scaled: whether numbers become distances from the mean, a missing one 0 (networks, linear models); else they
            stay as they are, missing where they are (trees).
        one_hot: whether categories get a column each; else a code.
        leave_out: columns that are no features: keys of rows, say.
        categories: columns that are categories, whatever they hold.
        time: the column that tells when a row was. It becomes a whole number of periods.
        period: of `time`, as pandas calls it: "s", "h", "D", "M", "Y" …
    """

    scaled: bool = False
    one_hot: bool = False
    leave_out: Collection[str] = ()
    categories: Collection[str] = ()
    time: str | None = None
    period: str = "s"

    def encoders(self, frame: pd.DataFrame, target: str) -> list[Any]:
        """Returns an encoder for each feature of a frame.

        Text in which most values are different is a name or a key, not a feature, unless `categories` names it; it is
        left out, and so is what no encoder reads: lists, bytes, columns without any value. A message says so.

        Raises:
            DataFault: a column that is named is not there, none is left, or the name of one is no text.
        """
        self._check(frame)
        found = []
        for name in frame.columns:
            if name == target or name in self.leave_out:
                continue
            made = self._time() if name == self.time else self._encoder(name, frame[name])
            if made is not None:
                found.append(made)
        if not found:
            raise DataFault(f"no column is left to learn from: the data has {', '.join(map(str, frame.columns))}")
        return found

    def _check(self, frame: pd.DataFrame) -> None:
        if wrong := [name for name in frame.columns if not isinstance(name, str)]:
            raise DataFault(f"the column {wrong[0]!r} is called by a {type(wrong[0]).__name__}: rename it to a text")
        for name in (*self.categories, *((self.time,) if self.time else ())):
            if name not in frame.columns:
                near = near_miss(name, [str(each) for each in frame.columns])
                raise DataFault(f"there is no column {name!r}.{near} There are {', '.join(map(str, frame.columns))}")

    def _time(self) -> Any:
        from mlpipeline.data.encoders import Pass
        from mlpipeline.data.transformers import Period

        return Pass(Period(str(self.time), self.period), name=str(self.time))

    def _encoder(self, name: Any, values: pd.Series) -> Any:
        from mlpipeline.data.encoders import Boolean, Norm, Pass

        kind = kind_of(values)
        if name in self.categories or kind == "text":
            return self._category(name, values)
        if kind == "number":
            return Norm(name, name=name) if self.scaled else Pass(name, name=name)
        if kind == "boolean":
            return Boolean(name, name=name)
        if kind in ("time", "duration"):
            return Norm(name, name=name)
        told = "has no value" if kind == NOTHING else f"holds {kind} values, which no encoder reads by itself"
        _log.warning("column %r %s: it is left out", name, told)
        return None

    def _category(self, name: Any, values: pd.Series) -> Any:
        from mlpipeline.data.encoders import OneHot, Unique

        if name not in self.categories:
            levels, present = values.nunique(), int(values.notna().sum())
            if levels > _MOST_FREE_LEVELS and 2 * levels > present:
                hint = "name it in model_cat_features to learn from it"
                _log.warning("column %r has %d different values in %d rows: left out; %s", name, levels, present, hint)
                return None
        if self.one_hot:
            return OneHot(name, minimum_occurrences=2, compressed=True, missing=bool(values.isna().any()))
        return Unique(name, name=name)


class GivenParts(Dataset):
    """Rows that are divided already, encoded by what their columns hold.

    Args:
        parts: frames of training, validation and test, with the same columns; None where there is no such part.
        target: the column that is predicted.
        is_regression: whether that is a number; else a class.
        choice: how features are encoded.
    """

    def __init__(
        self, parts: Sequence[pd.DataFrame | None], target: str, is_regression: bool, choice: Choice, **options: Any
    ) -> None:
        super().__init__(**options)
        self.parts = parts
        self.target = target
        self.is_regression = is_regression
        self.choice = choice

    def get_data(self) -> pd.DataFrame:
        """Returns the rows of all parts, one part behind the other."""
        return pd.concat([each for each in self.parts if each is not None], ignore_index=True)

    def split(self, frame: pd.DataFrame) -> Sequence[np.ndarray]:
        """Returns where the parts are."""
        ends = np.cumsum([0 if each is None else len(each) for each in self.parts])
        return [np.arange(start, end) for start, end in zip([0, *ends[:-1]], ends, strict=True)]

    def get_encoders(self) -> list[Any]:
        """Returns an encoder for each feature, by what the training part holds."""
        return self.choice.encoders(self.training_data, self.target)

    def get_output_encoder(self) -> Any:
        """Returns the encoder of the target."""
        from mlpipeline.data.encoders import Pass, Unique

        return Pass(self.target) if self.is_regression else Unique(self.target)

    @property
    def _whose(self) -> str:
        return "the data"


def is_number(values: pd.Series) -> bool:
    """Whether a target looks like a number, not a class: floats, and whole numbers of more than 20 values."""
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype) or kind_of(values) != "number":
        return False
    present = values.dropna()
    is_whole = getattr(dtype, "kind", "f") in "iu" or not (present % 1).any()
    return not is_whole or int(present.nunique()) > MOST_WHOLE_CLASSES
