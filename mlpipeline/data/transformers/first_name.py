"""What a first name tells of its bearers, by the population of the United States; and whether it names a relative.

Guesses of age and sex are statistics of a population. They are often wrong of a person: never tell anybody who they
are, nor decide about them, by such a guess.
"""

from __future__ import annotations

import functools
from pathlib import Path

import pandas as pd

from mlpipeline.data import column
from mlpipeline.data.transformer import Transformer

TABLE = Path(__file__).with_name("names.csv")
"""Source, license and year stand in its first lines; `tools/names.py` writes it."""

FAMILIAL = r"(?i)\b(?:mom|dad|mother|father|mama|papa|bro|brother|sis|sister)\b"


@functools.cache
def table() -> pd.DataFrame:
    """Returns the table by first name in lower case: `age` in years, `sex` as the share of men, `population`."""
    names = pd.read_csv(TABLE, comment="#", dtype={"name": column.TEXT}, keep_default_na=False)
    return names.set_index("name").astype("float64")


@functools.cache
def _known(fact: str) -> dict[str, float]:
    return dict(table()[fact])


class _NameFact(Transformer):
    """A column of the table, looked up by the name in lower case; NaN where it is unknown or missing."""

    fact: str

    def apply(self, values: pd.Series) -> pd.Series:
        known = _known(self.fact)
        return column.each_distinct(column.stored_text(values), lambda name: known.get(name.lower()), "float64")


class NameAge(_NameFact):
    """Makes the mean age in years of the living bearers of a first name, float64; NaN where it is unknown or missing.

    It is a statistic of a population and as of the year in `names.csv`: of one person it is a guess.
    """

    fact = "age"


class NameSex(_NameFact):
    """Makes the share of men among the living bearers of a first name: 1.0 is male; NaN where it is unknown or missing.

    It is a statistic of a population: of one person it is a guess.
    """

    fact = "sex"


class NamePopulation(_NameFact):
    """Makes the number of living bearers of a first name, float64; NaN where the name is unknown or missing."""

    fact = "population"


class NameFamilial(Transformer):
    """Makes whether a name is what one calls a relative: `Mom`, `papa smurf`, `step-dad`; never missing.

    A whole word has to be one of them, in any case of letters.
    """

    def apply(self, values: pd.Series) -> pd.Series:
        return column.each_text(values, lambda texts: texts.str.contains(FAMILIAL, regex=True, na=False).astype(bool))
