"""What encoders of sequences share: a row's codes side by side, cut or filled up to one length."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlpipeline.data.encoder import Encoder
from mlpipeline.data.encoders.binned import counted


class Sequenced(Encoder):
    """An encoder whose rows have several codes: as many as `sequence_length` says, else as the longest one fitted."""

    longest_: int

    @property
    def sequence_length(self) -> int | None:
        """How many codes a row has: what was asked for, else the longest row that was fitted."""
        stated: int | None = vars(self)["sequence_length"]
        if stated is not None:
            return stated
        self._require_fit()
        return self.longest_

    @sequence_length.setter
    def sequence_length(self, length: int | None) -> None:
        vars(self)["sequence_length"] = length

    def _check(self) -> None:
        super()._check()
        if vars(self)["sequence_length"] is not None:
            counted(self, "sequence_length", vars(self)["sequence_length"])

    def _learn_length(self, lengths: np.ndarray) -> None:
        self.longest_ = max(1, int(lengths.max(initial=0)))

    def _block_rows(self) -> int:
        return max(1, super()._block_rows() // max(1, (self.sequence_length or 1) // 8))


def spread(codes: np.ndarray, lengths: np.ndarray, width: int, filling: Any, dtype: np.dtype) -> np.ndarray:
    """Returns codes that stand one after another as (rows, width): short rows filled up, long ones cut, on the right.

    Args:
        codes: of all rows.
        lengths: how many each row has.
        width: of the result.
        filling: stands where a row has no code.
        dtype: of the result.
    """
    found = np.full((len(lengths), width), filling, dtype)
    rows = np.repeat(np.arange(len(lengths)), lengths)
    places = np.arange(len(codes)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    kept = places < width
    found[rows[kept], places[kept]] = codes[kept]
    return found
