"""Datasets whose rows are divided at random: into training, validation and test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import pandas as pd

from mlpipeline.data.dataset import Dataset
from mlpipeline.data.lore_split import LoreSplit
from mlpipeline.data.split import DEFAULT_FRACTIONS, Split, fractions_of
from mlpipeline.errors import DataFault

SPLIT_OPTIONS = (
    "fractions",
    "test_size",
    "split_seed",
    "group_by",
    "stratify_by",
    "stratify",
    "row_key",
    "sizes",
    "subsample",
)


class Divided(Dataset):
    """A dataset that is divided by a hash of its rows. `mlpipeline.data.split.Split` tells what the options mean.

    Attributes:
        fractions: of training, validation and test.
        test_size: instead of fractions, the one of the test, and of validation.
        split_seed: another one is another division.
        group_by: a column; rows that are equal there stay together.
        stratify_by: a column whose values each part has in the same proportion.
        row_key: the column, or columns, that tell rows apart; by default all of them. With it, rows keep their part
            when columns are added to the data.
        sizes: "exact", or "stable" where no row may ever change its part as data grows.
        subsample: use so many rows, or groups.
    """

    OPTIONS: ClassVar[tuple[str, ...]] = SPLIT_OPTIONS

    fractions: Sequence[float] = DEFAULT_FRACTIONS
    test_size: float | None = None
    split_seed: int = 1
    group_by: str | None = None
    stratify_by: str | None = None
    row_key: str | Sequence[str] | None = None
    sizes: str = "exact"
    subsample: int | None = None
    stratify: str | None = None

    @property
    def division(self) -> Split:
        """How rows are divided.

        Raises:
            DataFault: the options do not go together, or cannot be.
        """
        if self.stratify is not None:
            raise DataFault(
                f"{type(self).__name__}: stratify={self.stratify!r} can mean two things: write group_by to keep rows "
                "together that are equal there, stratify_by to have its values in each part in the same proportion"
            )
        key = (self.row_key,) if isinstance(self.row_key, str) else self.row_key
        return Split(
            fractions=fractions_of(self.fractions, self.test_size),
            seed=self.split_seed,
            group_by=self.group_by,
            stratify_by=self.stratify_by,
            row_key=None if key is None else tuple(key),
            sizes=self.sizes,
            subsample=self.subsample,
        )


class TrainTestSplit(Divided):
    """Rows that are divided at random, whole groups of them, or so that each part has the same proportions.

    Attributes:
        compat: "lore" divides row for row as Lore did: 81/10/9 by default, since `test_size` is of all rows for
            validation, and of the rest for the test; `stratify` means `group_by` then.
    """

    OPTIONS: ClassVar[tuple[str, ...]] = ("compat",)

    compat: str | None = None

    def split(self, frame: pd.DataFrame) -> Sequence[np.ndarray]:
        """Returns the positions of the rows of training, validation and test."""
        return self._rule().indices(frame)

    def _rule(self) -> Split | LoreSplit:
        if self.compat not in (None, "lore"):
            raise DataFault(f"{type(self).__name__}: compat is {self.compat!r}: it must be 'lore', or left out")
        if self.compat is None:
            return self.division
        if self.stratify_by is not None or tuple(self.fractions) != DEFAULT_FRACTIONS:
            raise DataFault(
                f"{type(self).__name__}: compat='lore' knows test_size, and neither fractions nor stratify_by"
            )
        return LoreSplit(
            test_size=0.1 if self.test_size is None else self.test_size,
            seed=self.split_seed,
            group_by=self.group_by or self.stratify,
            subsample=self.subsample,
        )


Holdout = TrainTestSplit
