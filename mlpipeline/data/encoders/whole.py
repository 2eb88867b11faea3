"""The encoder of whole numbers that are codes already."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pandas as pd

from mlpipeline import errors
from mlpipeline.data.encoder import Encoder
from mlpipeline.data.encoders.reading import Kind, numbers
from mlpipeline.data.encoders.vocabulary import whole

_LARGEST = 2**53


class Enum(Encoder):
    """Keeps whole numbers from 0 to the fitted maximum; maximum + 1 stands for all others, maximum + 2 for missing.

    Fractions, negative and infinite numbers are others; `fit` refuses them. The inverse gives whole numbers, and
    nothing for the last two codes.
    """

    maximum_: int
    counts_classes: ClassVar[bool] = True
    refuses_negative: ClassVar[bool] = True

    @property
    def cardinality(self) -> int:
        """0 to the maximum, others, missing."""
        self._require_fit()
        return self.maximum_ + 3

    def _learn(self, rows: pd.DataFrame) -> None:
        values = self._values(rows)
        found = self._numbers(values)
        there = found[~np.isnan(found)]
        strange = there[~_is_code(there, _LARGEST)]
        if len(strange):
            negative = f"Negative values in data passed to {type(self).__name__}: " if (strange < 0).any() else ""
            raise errors.DataFault(
                f"{self!r}: {negative}column '{values.name}' holds {strange.min():g}: whole numbers from 0 are needed; "
                f"Unique takes others"
            )
        self.maximum_ = int(there.max()) if len(there) else 0

    def _encode(self, values: pd.Series) -> np.ndarray:
        found = self._numbers(values)
        codes = np.where(_is_code(found, self.maximum_), found, self.maximum_ + 1)
        codes[np.isnan(found)] = self.maximum_ + 2
        return codes.astype(np.int64)

    def _numbers(self, values: pd.Series) -> np.ndarray:
        found, kind = numbers(values, self)
        if kind in (Kind.MOMENT, Kind.DURATION):
            raise errors.DataFault(f"{self!r}: column '{values.name}' holds {kind}s: whole numbers are needed")
        return found

    def _decode(self, codes: np.ndarray) -> Any:
        places = whole(codes[:, 0])
        found = pd.array(places, dtype="Int64")
        found[(places < 0) | (places > self.maximum_)] = pd.NA
        return found


def _is_code(found: np.ndarray, largest: int) -> np.ndarray:
    is_one: np.ndarray = (found >= 0) & (found <= largest) & (np.floor(found) == found)
    return is_one
