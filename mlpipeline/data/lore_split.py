"""The division of rows that Lore made, row for row, for who compares results with it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlpipeline.data.split import check_population, check_subsample, listed
from mlpipeline.errors import DataFault

Places = NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoreSplit:
    """Draws validation first, then the test from what remains: 81/10/9 for a test size of a tenth.

    The draws are those of scikit-learn's `train_test_split` with an integer `random_state`: a permutation by the
    generator that NumPy keeps frozen. Rows of a part stand in the order in which they were drawn; with groups, in that
    of the data.

    Attributes:
        test_size: the share of all rows that validates, and of the rest that tests.
        seed: of both draws.
        group_by: a column whose distinct values are divided, instead of rows.
        subsample: so many rows, or distinct values, are used.

    Raises:
        DataFault: (a ValueError) one of these cannot be.
    """

    test_size: float = 0.1
    seed: int = 1
    group_by: str | None = None
    subsample: int | None = None

    def __post_init__(self) -> None:
        check_subsample(self.subsample)
        if not 0 < self.test_size < 1:
            raise DataFault(f"test_size is {self.test_size!r}: it must be between 0 and 1")

    def indices(self, frame: pd.DataFrame) -> tuple[Places, ...]:
        """Returns the positions of the rows of training, validation and test."""
        if self.group_by is None:
            return self._divided(self._sampled(len(frame)))
        if self.group_by not in frame.columns:
            raise DataFault(f"there is no column {self.group_by!r} to group by: the data has {listed(frame.columns)}")
        members, values = pd.factorize(frame[self.group_by], use_na_sentinel=False)
        parts = self._divided(self._sampled(len(values)))
        return tuple(np.flatnonzero(np.isin(members, part)) for part in parts)

    def _sampled(self, population: int) -> Places:
        if self.subsample is None:
            return np.arange(population)
        check_population(self.subsample, population, self.group_by)
        return self._permutation(population)[: self.subsample]

    def _divided(self, places: Places) -> tuple[Places, ...]:
        validation, rest = self._drawn(places)
        test, training = self._drawn(rest)
        return training, validation, test

    def _drawn(self, places: Places) -> tuple[Places, Places]:
        size = math.ceil(self.test_size * len(places))
        if size >= len(places):
            unit = "rows" if self.group_by is None else f"groups of {self.group_by!r}"
            raise DataFault(f"too few {unit} ({len(places)}) for test_size {self.test_size:g}: give more data")
        order = self._permutation(len(places))
        return places[order[:size]], places[order[size:]]

    def _permutation(self, count: int) -> Places:
        return np.random.RandomState(self.seed).permutation(count)
