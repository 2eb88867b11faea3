"""Makes rows that look like others, from a portrait of them: frequencies, quantiles, and how columns go together."""

from __future__ import annotations

from typing import Self

import pandas as pd

from mlpipeline.data import drift
from mlpipeline.data.synthetic import MINIMUM_OCCURRENCES, Portrait
from mlpipeline.errors import DataFault, NotFitted
from mlpipeline.workflow.types.contract import Finding, Report, Status
from mlpipeline.workflow.types.data import DataSynthesizer


class LocalDataSynthesizer(DataSynthesizer):
    """Draws from a Gaussian copula over the columns' own distributions. It is no proof of privacy.

    Attributes:
        minimum_occurrences: a value in fewer rows than these is replaced wherever it would come up.
        seed: another one draws other rows.
        least_likeness: a column that is less alike is a warning; 1 is the same distribution, 0 has nothing in common.
    """

    minimum_occurrences: int = MINIMUM_OCCURRENCES
    seed: int = 0
    least_likeness: float = 0.8

    def fit(self, data: pd.DataFrame) -> Self:
        """Learns what rows look like."""
        if not len(data):
            raise DataFault("there are no rows to look like: give some")
        self.portrait = Portrait.of(data, minimum_occurrences=self.minimum_occurrences)
        return self

    def sample(self, rows: int) -> pd.DataFrame:
        """Returns so many rows with the columns and dtypes of those learnt from; the same for the same seed."""
        if "portrait" not in self.__dict__:
            raise NotFitted("the synthesizer has seen no rows: call fit first")
        if rows < 0:
            raise DataFault(f"{rows} rows cannot be made: ask for 0 or more")
        return self.portrait.sample(rows, seed=self.seed)

    def evaluate(self, real: pd.DataFrame, synthetic: pd.DataFrame) -> Report:
        """Returns how alike each column is (1: the same distribution), and how many rare rows were copied."""
        found = [self._likeness(each) for each in drift.compare(real, synthetic)]
        return Report(name="synthetic_data", findings=(*found, self._copies(real, synthetic)))

    def _likeness(self, column: drift.Drift) -> Finding:
        likeness = 1 - max(column.effect, column.missing_change)
        status = Status.PASS if likeness >= self.least_likeness else Status.WARN
        return Finding(name=column.name, status=status, value=round(likeness, 4), message=f"{likeness:.0%} alike")

    def _copies(self, real: pd.DataFrame, synthetic: pd.DataFrame) -> Finding:
        """Counts rows that are the same as real ones which few have: what many rows have in common hides nobody."""
        columns = list(real.columns)
        counts = real.groupby(columns, dropna=False, observed=True).size()
        rare = counts[counts < self.minimum_occurrences].index.to_frame(index=False)
        same = synthetic[columns].astype(object).merge(rare.astype(object), how="inner", on=columns)
        status = Status.PASS if not len(same) else Status.WARN
        message = f"{len(same)} of {len(synthetic)} rows are the same as rows that fewer than "
        return Finding(
            name="copied rows", status=status, value=len(same), message=f"{message}{self.minimum_occurrences} have"
        )
