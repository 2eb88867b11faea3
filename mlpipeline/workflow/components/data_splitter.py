"""Tells apart rows that are learnt from, that select and that report: by hashes of them, by a column, or by time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from mlpipeline.config_text import near_miss
from mlpipeline.data.split import Split
from mlpipeline.data.time_series import TimeSeries
from mlpipeline.errors import DataFault
from mlpipeline.workflow.types.contract import TEST, TRAIN, VALIDATION, Splits
from mlpipeline.workflow.types.data import DataSplitter

_PARTS = (TRAIN, VALIDATION, TEST)
_SIZES = ("validation_size", "test_size")
_WITH_TEST, _WITHOUT = (0.8, 0.1, 0.1), (0.8, 0.2, 0.0)


class LocalDataSplitter(DataSplitter):
    """Splits rows: by `split_column` where it is set, else in order of `time_index` where that is, else at random.

    A random split depends on what is in the rows and on the seed alone: not on the order of the rows. All rows are
    used.

    Attributes:
        model_target: the column that is to be predicted.
        split_ratio: of training, validation and, where there is one, test; they sum to 1.
        include_test: whether there is a test; by default there is, but for two ratios.
        validation_size, test_size: instead of ratios: so many rows, or such a share where below 1.
        use_stratified: whether each part has the target's values in the same proportion.
        split_column: a column that says which part a row is of; it is not handed on.
        split_classes: its values for `train`, `validation` and `test`; by default these words.
        time_index: the column of time: the earliest rows train, the latest test.
        model_index: a column that names rows; it becomes the index.
        drop_columns: columns that are not handed on.
        seed: another one is another random split.
    """

    model_target: str
    split_ratio: Sequence[float] | None = None
    include_test: bool | None = None
    validation_size: float | None = None
    test_size: float | None = None
    use_stratified: bool = False
    split_column: str | None = None
    split_classes: Mapping[str, str | int | float | bool] | None = None
    time_index: str | None = None
    model_index: str | None = None
    drop_columns: Sequence[str] = ()
    seed: int = 0

    @classmethod
    def value_faults(cls, values: Mapping[str, Any]) -> Mapping[str, str]:
        """Returns what does not go together."""
        return _faults(values)

    def split_data(self, data: pd.DataFrame) -> Splits:
        """Returns the splits, each in the order of `data`, a time series in that of time."""
        self._check_columns(data)
        positions = self._positions(data)
        gone = [*self.drop_columns, *([self.split_column] if self.split_column is not None else [])]
        kept = data.drop(columns=list(dict.fromkeys(gone)))
        if self.model_index is not None:
            kept = kept.set_index(self.model_index)
        parts = {name: kept.iloc[rows] for name, rows in zip(_PARTS, positions, strict=True) if len(rows)}
        return Splits(target=self.model_target, time_index=self.time_index, **parts)

    def _positions(self, data: pd.DataFrame) -> tuple[np.ndarray, ...]:
        if self.split_column is not None:
            return self._by_column(data[self.split_column])
        fractions = self._fractions(len(data))
        if self.time_index is not None:
            series = TimeSeries(fractions=fractions, sort_by=self.time_index)
            return tuple(series.split(data))
        stratum = self.model_target if self.use_stratified else None
        return Split(fractions=fractions, seed=self.seed, stratify_by=stratum).indices(data)

    def _by_column(self, told: pd.Series) -> tuple[np.ndarray, ...]:
        classes = self.split_classes or {name: name for name in _PARTS}
        found = tuple(np.flatnonzero(told == classes[name]) if name in classes else np.empty(0, int) for name in _PARTS)
        rest = told[~told.isin(list(classes.values()))]
        if len(rest):
            shown = ", ".join(map(repr, rest.drop_duplicates().head(5)))
            raise DataFault(f"{len(rest)} rows have {self.split_column} {shown}: name its values in split_classes")
        if not len(found[0]):
            raise DataFault(f"no row has {self.split_column} {classes.get(TRAIN)!r}: there is nothing to learn from")
        return found

    def _fractions(self, rows: int) -> tuple[float, float, float]:
        if self.split_ratio is not None:
            first, second, *third = self.split_ratio
            return first, second, third[0] if third else 0.0
        default = _WITHOUT if self.include_test is False else _WITH_TEST
        if self.validation_size is None and self.test_size is None:
            return default
        test = self._share("test_size", self.test_size, rows, default[2])
        validation = self._share("validation_size", self.validation_size, rows, default[1])
        if validation + test >= 1:
            raise DataFault(
                f"validation_size {self.validation_size} and test_size {self.test_size} leave none of {rows} rows to "
                "learn from: make them smaller"
            )
        return 1 - validation - test, validation, test

    def _share(self, key: str, size: float | None, rows: int, default: float) -> float:
        if size is None:
            return default
        if size < 1:
            return size
        if size >= rows:
            raise DataFault(f"{key} is {size:g}, and there are {rows} rows: make it smaller")
        return size / rows

    def _check_columns(self, data: pd.DataFrame) -> None:
        keys = {"model_target": self.model_target, "split_column": self.split_column, "time_index": self.time_index}
        keys |= {"model_index": self.model_index}
        wanted = [*keys.items(), *(("drop_columns", name) for name in self.drop_columns)]
        for key, name in wanted:
            if name is not None and name not in data.columns:
                known = list(map(str, data.columns))
                near = near_miss(name, known) or f" There are {', '.join(known)}"
                raise DataFault(f"{key}: the data has no column {name!r}.{near}")


def _faults(values: Mapping[str, Any]) -> dict[str, str]:
    """Returns what is wrong with the splitter's keys, by key."""
    told = _size_faults(values) | _ratio_faults(values)
    if values.get("include_test") is False and values.get("test_size") is not None:
        told["test_size"] = "is the size of what include_test leaves out: leave one of them out"
    if values.get("use_stratified") is True and values.get("time_index") is not None:
        told["use_stratified"] = "shuffles, and time_index keeps the order: leave one of them out"
    classes = values.get("split_classes")
    for each in classes if isinstance(classes, Mapping) else ():
        if each not in _PARTS:
            told["split_classes"] = f"has {each!r}:{near_miss(str(each), _PARTS)} Its keys are {', '.join(_PARTS)}"
    if values.get("model_target") in (values.get("drop_columns") or ()):
        told["drop_columns"] = f"holds the target {values['model_target']!r}, which is needed"
    return told


def _ratio_faults(values: Mapping[str, Any]) -> dict[str, str]:
    ratio, with_test = values.get("split_ratio"), values.get("include_test")
    if not (isinstance(ratio, list | tuple) and all(isinstance(each, int | float) for each in ratio)):
        return {}
    told = {}
    if len(ratio) not in (2, 3) or min(ratio) < 0 or abs(sum(ratio) - 1) > 1e-9:
        told["split_ratio"] = f"is {list(ratio)}: give two or three shares that sum to 1, e.g. [0.8, 0.1, 0.1]"
    elif with_test is not None and with_test != (len(ratio) == 3):
        told["include_test"] = f"is {str(with_test).lower()}, and split_ratio has {len(ratio)} shares"
    twice = "says the same as split_ratio: leave one of them out"
    return told | {key: twice for key in _SIZES if values.get(key) is not None}


def _size_faults(values: Mapping[str, Any]) -> dict[str, str]:
    told = {}
    for key in _SIZES:
        size = values.get(key)
        if isinstance(size, int | float) and not isinstance(size, bool):
            if size <= 0:
                told[key] = f"is {size:g}: give a number of rows, or a share below 1"
            elif size > 1 and size != int(size):
                told[key] = f"is {size:g}, which is no number of rows"
    return told
