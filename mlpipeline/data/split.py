"""Which rows train, validate and test: decided by hashes of their content, alike on every machine and for streams."""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlpipeline.data.row_hash import Hashes, again, hash_rows, salted
from mlpipeline.errors import DataFault

PARTS = ("training", "validation", "test")
TRAINING, VALIDATION, TEST, LEFT_OUT = range(4)
DEFAULT_FRACTIONS = (0.8, 0.1, 0.1)

Codes = NDArray[np.uint8]
Fractions = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """What is known of each row of a chunk when it is to be split; chunks are put together by `Keys.joined`.

    Attributes:
        rows: a hash of the row, or of its group.
        strata: a hash of the value that is to be spread evenly.
    """

    rows: Hashes
    strata: Hashes | None = None

    @staticmethod
    def joined(chunks: Sequence[Keys]) -> Keys:
        """Returns the keys of all rows, in the order of the chunks."""
        strata = [chunk.strata for chunk in chunks if chunk.strata is not None]
        rows = np.concatenate([np.empty(0, np.uint64), *(chunk.rows for chunk in chunks)])
        return Keys(rows=rows, strata=np.concatenate(strata) if strata else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """How rows are divided. It depends on their content and the seed alone: not on the machine, nor on order or
    chunks.

    Attributes:
        fractions: of training, validation and test; they sum to 1.
        seed: another one is another division.
        group_by: a column; rows that are equal there stay together, and the fractions are of groups. What is missing
            is a group too.
        stratify_by: a column whose values each part has in the same proportion, give or take a row for each value.
        row_key: the columns that tell rows apart; by default all of them.
        sizes: "exact": as the fractions say; when rows are added, few change their part. "stable": only nearly so, but
            a row never changes its part, and equal rows share one.
        subsample: so many rows, or groups, are used; the rest is left out.

    Raises:
        DataFault: (a ValueError) one of these cannot be.
    """

    fractions: Fractions = DEFAULT_FRACTIONS
    seed: int = 1
    group_by: str | None = None
    stratify_by: str | None = None
    row_key: tuple[str, ...] | None = None
    sizes: str = "exact"
    subsample: int | None = None

    def __post_init__(self) -> None:
        checked_fractions(self.fractions)
        check_subsample(self.subsample)
        if self.sizes not in ("exact", "stable"):
            raise DataFault(f"sizes is {self.sizes!r}: it must be 'exact' or 'stable'")
        if self.stratify_by is not None and (self.group_by is not None or self.sizes == "stable"):
            other = "group_by" if self.group_by is not None else "sizes='stable'"
            raise DataFault(f"stratify_by and {other} cannot be had together: take one of them away")

    def keys(self, frame: pd.DataFrame) -> Keys:
        """Returns what is to be known of the rows of a chunk.

        Raises:
            DataFault: a column that the split is by is not there.
        """
        columns = self.row_key if self.group_by is None else (self.group_by,)
        for column in (*(columns or ()), self.stratify_by):
            if column is not None and column not in frame.columns:
                raise DataFault(f"there is no column {column!r} to split by: the data has {listed(frame.columns)}")
        strata = None if self.stratify_by is None else hash_rows(frame, (self.stratify_by,))
        return Keys(rows=hash_rows(frame, columns), strata=strata)

    def assign(self, keys: Keys) -> Codes:
        """Returns TRAINING, VALIDATION, TEST or LEFT_OUT for each row.

        Raises:
            DataFault: there are too few rows or groups for the fractions or the subsample.
        """
        if self.group_by is None:
            rows = _told_apart(keys.rows) if self.sizes == "exact" else keys.rows
            return self._divided(rows, keys.strata)
        groups, members = np.unique(keys.rows, return_inverse=True)
        return self._divided(groups, None)[members]

    def indices(self, frame: pd.DataFrame) -> tuple[NDArray[np.intp], ...]:
        """Returns the positions of the rows of each part, ascending."""
        codes = self.assign(self.keys(frame))
        return tuple(np.flatnonzero(codes == part) for part in (TRAINING, VALIDATION, TEST))

    def _divided(self, hashes: Hashes, strata: Hashes | None) -> Codes:
        codes = np.full(len(hashes), LEFT_OUT, np.uint8)
        chosen = self._sampled(hashes)
        drawn = salted(hashes[chosen], f"split {self.seed}")
        if self.sizes == "stable":
            codes[chosen] = self._by_threshold(drawn)
        else:
            codes[chosen] = self._by_rank(drawn, None if strata is None else strata[chosen])
        return codes

    def _sampled(self, hashes: Hashes) -> NDArray[np.intp] | slice:
        if self.subsample is None:
            return slice(None)
        check_population(self.subsample, len(hashes), self.group_by)
        order = np.argsort(salted(hashes, f"subsample {self.seed}"), kind="stable")
        return np.sort(order[: self.subsample])

    def _by_threshold(self, drawn: Hashes) -> Codes:
        uniform = (drawn >> np.uint64(11)) * 2.0**-53
        _, validation, test = self.fractions
        codes = np.where(uniform < test, TEST, np.where(uniform < test + validation, VALIDATION, TRAINING)).astype(
            np.uint8
        )
        for part, fraction in enumerate(self.fractions):
            if fraction and not (codes == part).any():
                raise DataFault(
                    f"none of {len(drawn)} {self._unit} fell to {PARTS[part]}: use sizes='exact', or give more data"
                )
        return codes

    def _by_rank(self, drawn: Hashes, strata: Hashes | None) -> Codes:
        """Takes the lowest hashes of each stratum for the test, the next ones for validation."""
        codes = np.full(len(drawn), TRAINING, np.uint8)
        _, validation, test = part_sizes(len(drawn), self.fractions, self._unit)
        if strata is None:
            held_out = np.argpartition(drawn, min(test + validation, len(drawn) - 1))[: test + validation]
            codes[held_out] = VALIDATION
            codes[held_out[np.argsort(drawn[held_out])[:test]]] = TEST
            return codes
        _, stratum, counts = np.unique(strata, return_inverse=True, return_counts=True)
        order = np.lexsort((drawn, stratum))
        tested = _shares(counts, test)
        validated = _shares(counts - tested, validation)
        place = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
        tested, validated = np.repeat(tested, counts), np.repeat(validated, counts)
        codes[order[place < tested + validated]] = VALIDATION
        codes[order[place < tested]] = TEST
        return codes

    @property
    def _unit(self) -> str:
        return "rows" if self.group_by is None else f"groups of {self.group_by!r}"


def _told_apart(hashes: Hashes) -> Hashes:
    """Gives equal rows different hashes, by how many of them came before; which of them it is does not matter."""
    ordered = np.sort(hashes)
    if (ordered[1:] != ordered[:-1]).all():
        return hashes
    order = np.argsort(hashes, kind="stable")
    is_first = np.ones(len(ordered), bool)
    is_first[1:] = ordered[1:] != ordered[:-1]
    starts = np.flatnonzero(is_first)
    occurrence = np.arange(len(ordered)) - np.repeat(starts, np.diff(np.append(starts, len(ordered))))
    repeated = occurrence > 0
    told = hashes.copy()
    told[order[repeated]] = again(ordered[repeated], occurrence[repeated])
    return told


def _shares(counts: NDArray[np.int64], total: int) -> NDArray[np.int64]:
    """Divides a total in proportion to counts: each share is less than one from exact, and they sum to it."""
    everything = int(counts.sum())
    reached = (2 * np.cumsum(counts) * total + everything) // max(2 * everything, 1)
    return np.diff(reached, prepend=0)


def part_sizes(count: int, fractions: Fractions, unit: str = "rows") -> tuple[int, int, int]:
    """Returns the sizes of the three parts: validation and test rounded down, but not to nothing; training is the
    rest.

    Raises:
        DataFault: there is too little for all parts that have a fraction.
    """
    validation, test = (max(math.floor(count * each + 1e-6), 1) if each else 0 for each in fractions[1:])
    if not fractions[0] and test:
        test = count - validation
    elif not fractions[0]:
        validation = count
    training = count - validation - test
    if min(training, validation, test) < 0 or (fractions[0] and not training) or (fractions[2] and not test):
        raise DataFault(f"too few {unit} ({count}) to divide into {_said(fractions)}: give more data, or fewer parts")
    return training, validation, test


def checked_fractions(fractions: object) -> Fractions:
    """Returns three fractions as they should be.

    Raises:
        DataFault: they are not three numbers of 0 or more that sum to 1.
    """
    given: tuple[Any, ...] = tuple(fractions) if isinstance(fractions, list | tuple) else ()
    if len(given) != 3 or not all(isinstance(each, numbers.Real) and 0 <= float(each) <= 1 for each in given):
        raise DataFault(
            f"fractions is {fractions!r}: give those of training, validation and test, e.g. (0.8, 0.1, 0.1)"
        )
    if abs(math.fsum(given) - 1) > 1e-9:
        raise DataFault(f"fractions {_said(given)} sum to {math.fsum(given):g}: they must sum to 1")
    return (float(given[0]), float(given[1]), float(given[2]))


def fractions_of(fractions: Sequence[float], test_size: Any) -> Fractions:
    """Returns fractions, or those that a test size stands for: as much again validates, and the rest trains.

    Raises:
        DataFault: both are given, or one of them cannot be.
    """
    if test_size is None:
        return checked_fractions(fractions)
    if tuple(fractions) != DEFAULT_FRACTIONS:
        raise DataFault(f"test_size {test_size!r} and fractions {fractions!r} say the same: take one of them away")
    if not isinstance(test_size, numbers.Real) or not 0 <= float(test_size) <= 0.5:
        raise DataFault(f"test_size is {test_size!r}: it must be between 0 and 0.5, since as much again validates")
    return checked_fractions((1 - 2 * float(test_size), float(test_size), float(test_size)))


def check_subsample(subsample: object) -> None:
    """Raises a DataFault where a subsample is no number of rows."""
    if subsample is None:
        return
    if isinstance(subsample, bool) or not isinstance(subsample, numbers.Integral) or subsample < 1:
        raise DataFault(f"subsample is {subsample!r}: it must be a whole number of rows (or groups), 1 or more")


def check_population(subsample: int, population: int, group_by: str | None) -> None:
    """Raises a DataFault where a subsample is larger than what it is of."""
    if subsample > population:
        unit = "rows" if group_by is None else f"groups of {group_by!r}"
        raise DataFault(f"subsample is {subsample}, but there are only {population} {unit}: make it smaller")


def listed(columns: Sequence[object]) -> str:
    """Returns names of columns for a message; of many only the first."""
    names = [str(column) for column in columns]
    return ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")


def _said(fractions: Sequence[float]) -> str:
    return "/".join(f"{each:g}" for each in fractions)
