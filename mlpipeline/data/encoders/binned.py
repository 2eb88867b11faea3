"""Encoders that put numbers into bins: of equal width, or with as many values in each."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np

from mlpipeline import errors
from mlpipeline.data.encoders.continuous import Numeric, unscaled
from mlpipeline.data.encoders.vocabulary import whole
from mlpipeline.data.given import Column

MAXIMUM_APART, EQUAL_WIDTH = "maximum_apart", "equal_width"


class Discrete(Numeric):
    """Encodes in which of some bins between the fitted minimum and maximum a number lies; a missing one as `bins`.

    What lies outside is clipped; all of a constant column is 0. Moments and durations are binned like numbers. The
    inverse is the bin's lower end, for a missing value NaN.

    Args:
        column: a column or a Transformer.
        bins: how many, 1 or more.
        edges: `maximum_apart`, floor((x - min) * (bins - 1) / range): the last bin holds the maximum alone;
            `equal_width`, floor((x - min) * bins / range), the maximum in the last bin.
        name: see `Encoder`, as all others.
    """

    def __init__(
        self,
        column: Column,
        bins: int = 10,
        *,
        edges: str = MAXIMUM_APART,
        name: str | None = None,
        dtype: Any = None,
        embed_scale: float = 1.0,
        tags: Sequence[str] = (),
        twin: bool = False,
    ) -> None:
        super().__init__(column, name=name, dtype=dtype, embed_scale=embed_scale, tags=tags, twin=twin)
        self.bins = bins
        self.edges = edges

    @property
    def cardinality(self) -> int:
        """The bins, and missing."""
        return self.bins + 1

    def _check(self) -> None:
        super()._check()
        counted(self, "bins", self.bins)
        if self.edges not in (MAXIMUM_APART, EQUAL_WIDTH):
            raise errors.ParameterError(f"{self!r}: edges is {MAXIMUM_APART!r} or {EQUAL_WIDTH!r}")

    @property
    def _steps(self) -> int:
        return self.bins if self.edges == EQUAL_WIDTH else self.bins - 1

    def _encode(self, values: Any) -> np.ndarray:
        found = self._numbers(values)
        codes = np.zeros(len(found))
        if not self._is_constant:
            scale = self._scale
            low = self.minimum_ * scale
            codes = (np.clip(found, self.minimum_, self.maximum_) * scale - low) * self._steps
            codes /= self.maximum_ * scale - low
            # Multiplied and divided, the maximum may end a hair above.
            np.minimum(np.floor(codes, out=codes), self.bins - 1, out=codes)
        codes[np.isnan(found)] = self.bins
        return codes

    def _decode(self, codes: np.ndarray) -> Any:
        places = whole(codes[:, 0])
        found = np.full(len(places), self.minimum_)
        if not self._is_constant and self._steps:
            scale = self._scale
            low, high = self.minimum_ * scale, self.maximum_ * scale
            found = unscaled(places / self._steps * (high - low) + low, scale)
        return self._back(np.where((places < 0) | (places >= self.bins), np.nan, found))


class Quantile(Numeric):
    """Encodes between which quantiles of the fitted numbers one lies; bins are closed on the right.

    With q bins: below the minimum q, above the maximum q + 1, missing q + 2. Where quantiles coincide there are fewer
    bins than asked for; a column that is constant has one, and so has one without any value, in which everything lies.
    The inverse is the bin's lower edge, `<minimum`, `>maximum`, or None.

    Args:
        column: a column or a Transformer.
        quantiles: how many bins, 1 or more.
        name: see `Encoder`, as all others.
    """

    edges_: np.ndarray

    def __init__(
        self,
        column: Column,
        quantiles: int = 10,
        *,
        name: str | None = None,
        dtype: Any = None,
        embed_scale: float = 1.0,
        tags: Sequence[str] = (),
        twin: bool = False,
    ) -> None:
        super().__init__(column, name=name, dtype=dtype, embed_scale=embed_scale, tags=tags, twin=twin)
        self.quantiles = quantiles

    @property
    def cardinality(self) -> int:
        """The bins that were found, below, above, missing."""
        self._require_fit()
        return self._bins + 3

    @property
    def _bins(self) -> int:
        return max(1, len(self.edges_) - 1)

    def _check(self) -> None:
        super()._check()
        counted(self, "quantiles", self.quantiles)

    def _learn_numbers(self, finite: np.ndarray) -> None:
        if not len(finite):
            self.edges_ = np.empty(0)
            return
        scale = self._scale
        parts = np.linspace(0, 1, self.quantiles + 1)
        inner = np.quantile(finite if scale == 1.0 else finite * scale, parts) / scale
        inner[0], inner[-1] = self.minimum_, self.maximum_
        self.edges_ = np.unique(np.clip(inner, self.minimum_, self.maximum_))

    def _encode(self, values: Any) -> np.ndarray:
        found, edges, bins = self._numbers(values), self.edges_, self._bins
        codes = np.zeros(len(found), np.int64)
        if len(edges):
            # NaN is sorted behind everything; it gets its own code below.
            codes = np.clip(np.searchsorted(edges, found, side="left") - 1, 0, bins - 1)
            codes[found < edges[0]] = bins
            codes[found > edges[-1]] = bins + 1
        codes[np.isnan(found)] = bins + 2
        return codes

    def _decode(self, codes: np.ndarray) -> np.ndarray:
        places, bins = whole(codes[:, 0]), self._bins
        edges = self.edges_ if len(self.edges_) else np.array([np.nan])
        low, high = (self._back(edges[[place]])[0] for place in (0, -1))
        lower = self._back(edges[: max(1, len(edges) - 1)])
        shown = (f"<{_number(low)}", f">{_number(high)}", None)
        table = np.array([*(each for each in lower.tolist()), *shown], dtype=object)
        return table[np.where((places < 0) | (places > bins + 2), bins + 2, places)]


def counted(encoder: Any, name: str, value: Any, least: int = 1) -> None:
    """Refuses a parameter that is no whole number, or too small."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < least:
        raise errors.ParameterError(f"{encoder!r}: {name} is {value!r}: it must be a whole number of at least {least}")


def _number(edge: Any) -> str:
    return f"{edge:.15g}" if isinstance(edge, float) else str(edge)
