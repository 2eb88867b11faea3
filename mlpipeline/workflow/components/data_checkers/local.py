"""Checks rows by rules: missing values, ranges, kinds, classes, duplicates, constant columns; and beside others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from mlpipeline.data.drift import is_ordered
from mlpipeline.data.profile import distinct_count, duplicated
from mlpipeline.data.schema import NOTHING, kind_of
from mlpipeline.workflow.components.data_checkers.findings import no_column, told
from mlpipeline.workflow.types.contract import Finding, Report, Status
from mlpipeline.workflow.types.data import DataChecker

KINDS = ("number", "boolean", "text", "time", "duration", "bytes", "list", "mixed")
_FEW = 5
_MOST_CLASSES = 50


class LocalDataChecker(DataChecker):
    """What breaks a rule is an ERROR; what is merely strange is a WARN.

    Attributes:
        required: columns that must be there and have a value in every row; the target is one of them.
        model_target: of the model.
        kinds: by column, what it must hold: number, boolean, text, time, duration.
        ranges: by column, the least and the greatest value; null where there is no bound.
        classes: by column, the values that it may have.
        unique: columns, or lists of columns, no two rows of which are the same.
        max_missing: a column with a greater share of missing values is strange.
        max_duplicates: so is a greater share of rows that are the same as an earlier one.
        max_outside: a greater share of values outside of the range that the reference has is strange.
        min_rows: fewer are an ERROR.
    """

    required: Sequence[str] = ()
    model_target: str | None = None
    kinds: Mapping[str, str] | None = None
    ranges: Mapping[str, list[int | float | str | None]] | None = None
    classes: Mapping[str, list[Any]] | None = None
    unique: Sequence[Any] = ()
    max_missing: float = 0.5
    max_duplicates: float = 0.0
    max_outside: float = 0.01
    min_rows: int = 1

    @classmethod
    def value_faults(cls, values: Mapping[str, Any]) -> Mapping[str, str]:
        """Returns what is wrong within kinds and ranges."""
        kinds, ranges = (found if isinstance(found := values.get(key), Mapping) else {} for key in ("kinds", "ranges"))
        unknown = [f"{name} cannot be {kind!r}" for name, kind in kinds.items() if kind not in KINDS]
        broken = [name for name, ends in ranges.items() if not isinstance(ends, list | tuple) or len(ends) != 2]
        told = {"kinds": f"{'; '.join(unknown)}: there are {', '.join(KINDS)}"} if unknown else {}
        return told | ({"ranges": f"give [least, greatest] for {', '.join(broken)}"} if broken else {})

    def check_data(self, data: pd.DataFrame, reference: pd.DataFrame | None = None) -> Report:
        """Returns what is wrong with rows, by themselves and beside those of `reference`."""
        columns = f"{data.shape[1]} columns"
        found = [
            *told("rows", self._rows(data), f"{len(data)} rows"),
            *told("required", self._required(data), "all values there"),
            *told("missing", self._missing(data), f"{columns} below {self.max_missing:.0%}"),
            *told("kinds", self._kinds(data), f"{len(self.kinds or ())} columns"),
            *told("ranges", self._ranges(data), f"{len(self.ranges or ())} columns"),
            *told("classes", self._classes(data), f"{len(self.classes or ())} columns"),
            *told("duplicates", self._duplicates(data), "no more than may be"),
            *told("constant", self._constant(data), columns),
        ]
        if reference is not None:
            found += told("reference", self._beside(data, reference), f"{reference.shape[1]} columns as before")
        return Report(name="data_check", findings=tuple(found))

    def _rows(self, data: pd.DataFrame) -> Iterator[Finding]:
        if len(data) < self.min_rows:
            message = f"{len(data)} rows, and at least {self.min_rows} are needed"
            yield Finding(name="rows", status=Status.ERROR, value=len(data), message=message)

    def _required(self, data: pd.DataFrame) -> Iterator[Finding]:
        target = [] if self.model_target is None else [self.model_target]
        for name in dict.fromkeys([*self.required, *target]):
            if name not in data.columns:
                yield no_column("required", name, data.columns)
            elif missing := int(data[name].isna().sum()):
                message = f"{missing} of {len(data)} rows have no {name}"
                yield Finding(name=f"required.{name}", status=Status.ERROR, value=missing, message=message)

    def _missing(self, data: pd.DataFrame) -> Iterator[Finding]:
        for name, share in data.isna().mean().items():
            if share > self.max_missing:
                message = f"{share:.1%} of {name} is missing, more than {self.max_missing:.0%}"
                yield Finding(name=f"missing.{name}", status=Status.WARN, value=round(share, 6), message=message)

    def _kinds(self, data: pd.DataFrame) -> Iterator[Finding]:
        for name, kind in (self.kinds or {}).items():
            if name not in data.columns:
                yield no_column("kinds", name, data.columns)
            elif (actual := kind_of(data[name])) not in (kind, NOTHING):
                message = f"{name} holds {actual} ({data[name].dtype}), and must hold {kind}"
                yield Finding(name=f"kinds.{name}", status=Status.ERROR, value=actual, message=message)

    def _ranges(self, data: pd.DataFrame) -> Iterator[Finding]:
        for name, (least, greatest) in (self.ranges or {}).items():
            if name not in data.columns:
                yield no_column("ranges", name, data.columns)
            elif not is_ordered(data[name]):
                message = f"{name} holds {kind_of(data[name])}, which has no range"
                yield Finding(name=f"ranges.{name}", status=Status.ERROR, message=message)
            elif outside := int(_outside(data[name], least, greatest).sum()):
                message = f"{outside} values of {name} are outside of {_end(least)} to {_end(greatest)}"
                yield Finding(name=f"ranges.{name}", status=Status.ERROR, value=outside, message=message)

    def _classes(self, data: pd.DataFrame) -> Iterator[Finding]:
        for name, known in (self.classes or {}).items():
            if name not in data.columns:
                yield no_column("classes", name, data.columns)
            elif unknown := _unknown(data[name], known):
                message = f"{name} has {', '.join(map(repr, unknown[:_FEW]))}, which it may not"
                yield Finding(name=f"classes.{name}", status=Status.ERROR, value=len(unknown), message=message)

    def _duplicates(self, data: pd.DataFrame) -> Iterator[Finding]:
        count = duplicated(data)
        if len(data) and count / len(data) > self.max_duplicates:
            message = f"{count} of {len(data)} rows are the same as an earlier one"
            yield Finding(name="duplicates", status=Status.WARN, value=count, message=message)
        for each in self.unique:
            names = [each] if isinstance(each, str) else list(each)
            if lacking := [name for name in names if name not in data.columns]:
                yield no_column("unique", lacking[0], data.columns)
            elif same := int(data[names].astype(str).duplicated().sum()):
                message = f"{same} rows have the {', '.join(names)} of an earlier one"
                name = f"unique.{'+'.join(names)}"
                yield Finding(name=name, status=Status.ERROR, value=same, message=message)

    def _constant(self, data: pd.DataFrame) -> Iterator[Finding]:
        for name in data.columns if len(data) > 1 else ():
            if distinct_count(data[name].dropna()) + int(data[name].hasnans) <= 1:
                message = f"{name} is the same in all rows: a model can learn nothing from it"
                yield Finding(name=f"constant.{name}", status=Status.WARN, message=message)

    def _beside(self, data: pd.DataFrame, reference: pd.DataFrame) -> Iterator[Finding]:
        for name in reference.columns:
            if name not in data.columns:
                yield no_column("reference", str(name), data.columns)
                continue
            before, now = kind_of(reference[name]), kind_of(data[name])
            if before != now and NOTHING not in (before, now):
                message = f"{name} held {before}, and holds {now}"
                yield Finding(name=f"reference.{name}", status=Status.ERROR, value=now, message=message)
            elif finding := _strange(str(name), data[name], reference[name], self.max_outside):
                yield finding
        for name in data.columns.difference(reference.columns, sort=False):
            yield Finding(name=f"reference.{name}", status=Status.WARN, message=f"{name} was not there before")


def _strange(name: str, values: pd.Series, reference: pd.Series, most: float) -> Finding | None:
    """Returns that a column has values which it did not have: outside of its range, or new classes of few."""
    if is_ordered(values) and is_ordered(reference) and len(reference.dropna()):
        outside = int(_outside(values, reference.min(), reference.max()).sum())
        message = f"{outside} values of {name} are outside of {reference.min()} to {reference.max()}, as it was"
        is_strange = outside > most * len(values)
    elif 0 < distinct_count(reference.dropna()) <= _MOST_CLASSES:
        unknown = _unknown(values, list(reference.dropna().astype(str).unique()), as_text=True)
        message = f"{name} has {', '.join(map(repr, unknown[:_FEW]))}, which it did not have"
        is_strange = bool(unknown)
    else:
        return None
    return Finding(name=f"reference.{name}", status=Status.WARN, message=message) if is_strange else None


def _outside(values: pd.Series, least: Any, greatest: Any) -> np.ndarray[Any, np.dtype[np.bool_]]:
    present = values.dropna()
    ends = [
        pd.Timestamp(end) if present.dtype.kind == "M" and isinstance(end, str) else end for end in (least, greatest)
    ]
    below = np.zeros(len(present), bool) if ends[0] is None else (present < ends[0]).to_numpy(dtype=bool)
    above = np.zeros(len(present), bool) if ends[1] is None else (present > ends[1]).to_numpy(dtype=bool)
    found: np.ndarray[Any, np.dtype[np.bool_]] = below | above
    return found


def _unknown(values: pd.Series, known: list[Any], *, as_text: bool = False) -> list[Any]:
    present = values.dropna()
    present = present.astype(str) if as_text else present
    return list(present[~present.isin(known)].unique())


def _end(end: Any) -> str:
    return "any" if end is None else str(end)
