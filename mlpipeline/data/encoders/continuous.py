"""Encoders that keep a number a number: as it is, between 0 and 1, or as distances from the mean."""

from __future__ import annotations

import logging
import math
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from mlpipeline import errors
from mlpipeline.data.encoder import Encoder
from mlpipeline.data.encoders.reading import Kind, numbers

_log = logging.getLogger("mlpipeline")


class Numeric(Encoder):
    """Learns from the finite numbers of a column; moments and durations count as such, in microseconds.

    Infinite values are said in a warning, and left out of what is learnt.
    """

    kind_: str
    minimum_: float
    maximum_: float

    def _learn(self, rows: pd.DataFrame) -> None:
        self._learn_values(self._values(rows))

    def _learn_values(self, values: pd.Series) -> None:
        found, self.kind_ = numbers(values, self)
        finite = _finite(found)
        infinite = len(found) - len(finite) - int(np.isnan(found).sum())
        if infinite:
            _log.warning("%r: %d infinite values in %d rows are left out", self, infinite, len(found))
        self.minimum_ = float(finite.min()) if len(finite) else math.nan
        self.maximum_ = float(finite.max()) if len(finite) else math.nan
        self._learn_numbers(finite)

    def _learn_numbers(self, finite: np.ndarray) -> None:
        """Learns what more is to be learnt from the finite numbers; there may be none."""

    def _numbers(self, values: pd.Series) -> np.ndarray:
        """Returns a block as float64.

        Raises:
            DataFault: it counts something else than what was fitted.
        """
        found, kind = numbers(values, self)
        if kind != self.kind_ and Kind.NOTHING not in (kind, self.kind_):
            raise errors.DataFault(
                f"{self!r}: column '{values.name}' holds {kind}s, and {self.kind_}s were fitted: convert it"
            )
        return found

    @property
    def _scale(self) -> float:
        return scale_of(self.minimum_, self.maximum_)

    @property
    def _is_constant(self) -> bool:
        """Whether there is nothing to tell values apart by: one value, or none."""
        return not self.minimum_ < self.maximum_

    def _back(self, found: np.ndarray) -> Any:
        """Returns numbers as what was fitted."""
        if self.kind_ not in (Kind.MOMENT, Kind.DURATION):
            return found
        whole = np.where(np.isnan(found), np.iinfo(np.int64).min, np.rint(found)).astype(np.int64)
        return whole.view("datetime64[us]" if self.kind_ == Kind.MOMENT else "timedelta64[us]")


def _finite(found: np.ndarray) -> np.ndarray:
    # One pass tells for most columns that nothing has to be left out: NaN makes extremes NaN.
    if not len(found) or (math.isfinite(found.min()) and math.isfinite(found.max())):
        return found
    finite: np.ndarray = found[np.isfinite(found)]
    return finite


def scale_of(minimum: float, maximum: float) -> float:
    """Returns a power of two by which numbers are multiplied before they are reckoned with: 1, but for extreme ones.

    Differences and squares of such would overflow, or vanish. A power of two changes no digit.
    """
    largest = max(abs(minimum), abs(maximum))
    if not math.isfinite(largest) or largest == 0 or 2.0**-400 < largest < 2.0**400:
        return 1.0
    return 2.0 ** min(-math.frexp(largest)[1], 1000)


def unscaled(found: np.ndarray, scale: float) -> np.ndarray:
    """Returns numbers that were multiplied by a scale; what is larger than any float64 becomes infinite."""
    with np.errstate(over="ignore"):
        return found if scale == 1.0 else found / scale


class Pass(Encoder):
    """Passes numbers through in the type that was fitted, a missing one as 0. The inverse is the identity.

    Where whole numbers were fitted, fractions are cut off, and what the type cannot hold becomes its nearest value.
    There is no other loss but that of missing values.
    """

    is_continuous: ClassVar[bool] = True
    dtype_: np.dtype

    @property
    def codes_dtype(self) -> np.dtype:
        """The type that was fitted, or the one that was asked for."""
        stated: np.dtype = (
            vars(self).get("dtype_", np.dtype(np.float64)) if self.dtype is None else np.dtype(self.dtype)
        )
        return stated

    def _learn(self, rows: pd.DataFrame) -> None:
        values = self._values(rows)
        _, kind = numbers(values, self)
        if kind in (Kind.MOMENT, Kind.DURATION):
            raise errors.DataFault(f"{self!r}: column '{values.name}' holds {kind}s: take what is meant of them first")
        own = getattr(values.dtype, "numpy_dtype", values.dtype)
        self.dtype_ = np.dtype(own) if getattr(own, "kind", "O") in "biuf" else np.dtype(np.float64)

    def _encode(self, values: pd.Series) -> np.ndarray:
        wanted = self.codes_dtype
        if getattr(values.dtype, "kind", "O") in "iu" and wanted.kind in "iu":
            return _exact(values, wanted)
        found, kind = numbers(values, self)
        if kind in (Kind.MOMENT, Kind.DURATION):
            raise errors.DataFault(
                f"{self!r}: column '{values.name}' holds {kind}s, and numbers were fitted: convert it"
            )
        found = np.where(np.isnan(found), 0.0, found)
        return _whole(found, wanted) if wanted.kind in "iu" else found

    def _decode(self, codes: np.ndarray) -> np.ndarray:
        return codes[:, 0]


def _exact(values: pd.Series, wanted: np.dtype) -> np.ndarray:
    """Returns whole numbers in a type, those that it cannot hold as its nearest one; float64 would lose digits."""
    kind = "int64" if values.dtype.kind == "i" else "uint64"
    # A type of pandas may have missing values, one of NumPy none.
    found = values.to_numpy(kind) if isinstance(values.dtype, np.dtype) else values.to_numpy(kind, na_value=0)
    own, limits = np.iinfo(kind), np.iinfo(wanted)
    clipped: np.ndarray = np.clip(found, max(limits.min, own.min), min(limits.max, own.max)).astype(wanted)
    return clipped


def _whole(found: np.ndarray, wanted: np.dtype) -> np.ndarray:
    limits = np.iinfo(wanted)
    # The largest int64 is no float64: what is not below it has to be put in by hand.
    inside = (found > float(limits.min)) & (found < float(limits.max))
    outside = np.where(found > 0, limits.max, limits.min).astype(wanted)
    return np.where(inside, np.where(inside, found, 0.0).astype(wanted), outside)


class Uniform(Numeric):
    """Encodes (x - min) / (max - min), clipped to 0 … 1; a missing value, and all of a constant column, as 0.

    The inverse is a * (max - min) + min: clipped and missing values are lost.
    """

    is_continuous: ClassVar[bool] = True

    def _encode(self, values: pd.Series) -> np.ndarray:
        found = self._numbers(values)
        if self._is_constant:
            return np.zeros(len(found))
        return standard(found, self.minimum_, self.maximum_, self._scale, self.minimum_ * self._scale, self._range)

    def _decode(self, codes: np.ndarray) -> Any:
        if self._is_constant:
            return self._back(np.full(len(codes), self.minimum_))
        scale = self._scale
        return self._back(unscaled(codes[:, 0].astype(np.float64) * self._range + self.minimum_ * scale, scale))

    @property
    def _range(self) -> float:
        return self.maximum_ * self._scale - self.minimum_ * self._scale


class Norm(Numeric):
    """Encodes (x - mean) / standard deviation (of the population), x clipped to the fitted range; a missing one as 0.

    That is the mean. All of a constant column is 0. The inverse is a * std + mean: clipped and missing values are lost.
    """

    is_continuous: ClassVar[bool] = True
    mean_: float
    std_: float

    def _learn_numbers(self, finite: np.ndarray) -> None:
        self.mean_, self.std_ = self.minimum_, 0.0
        if self._is_constant:
            return
        scale = self._scale
        scaled = finite if scale == 1.0 else finite * scale
        mean = float(scaled.mean())
        distances = scaled - mean
        self.mean_, self.std_ = mean / scale, math.sqrt(np.square(distances, out=distances).mean()) / scale

    def _encode(self, values: pd.Series) -> np.ndarray:
        found = self._numbers(values)
        if self.std_ == 0 or self._is_constant:
            return np.zeros(len(found))
        scale = self._scale
        return standard(found, self.minimum_, self.maximum_, scale, self.mean_ * scale, self.std_ * scale)

    def _decode(self, codes: np.ndarray) -> Any:
        scale = self._scale
        return self._back(unscaled(codes[:, 0].astype(np.float64) * (self.std_ * scale) + self.mean_ * scale, scale))


def standard(found: np.ndarray, minimum: float, maximum: float, scale: float, shift: float, unit: float) -> np.ndarray:
    """Returns (x * scale - shift) / unit for x clipped to minimum … maximum, 0 where it is missing."""
    codes: np.ndarray = np.clip(found, minimum, maximum)
    if scale != 1.0:
        codes *= scale
    codes -= shift
    codes /= unit
    codes[np.isnan(codes)] = 0
    return codes
