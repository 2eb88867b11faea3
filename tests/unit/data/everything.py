"""Rows with a column of each sort, and datasets that encode them in every way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlpipeline.data import TrainTestSplit
from mlpipeline.data.encoders import (
    Boolean,
    Discrete,
    Enum,
    Equals,
    MiddleOut,
    NestedNorm,
    NestedUnique,
    Norm,
    OneHot,
    Pass,
    Quantile,
    Static,
    Token,
    Uniform,
    Unique,
)
from mlpipeline.data.transformers import (
    Age,
    AreaCode,
    DateTime,
    Distance,
    EmailDomain,
    Extract,
    IsNull,
    Length,
    Log,
    LogPlusOne,
    Map,
    NameAge,
    NameFamilial,
    NamePopulation,
    NameSex,
    Period,
    String,
)

COUNT = 300
PLANTED = {
    "number": -1e6,
    "whole": 5000,
    "text": "planted",
    "text_twin": "planted too",
    "words": "planted words that nobody else has",
    "email": "somebody@planted.example",
    "name": "Plantedname",
    "day": pd.Timestamp("1901-01-01"),
}


def rows() -> pd.DataFrame:
    random = np.random.default_rng(5)

    def some(values: list[Any]) -> Any:
        return random.choice(np.array(values, dtype=object), COUNT)

    frame = pd.DataFrame(
        {
            "id": np.arange(COUNT),
            "number": random.normal(20, 5, COUNT),
            "whole": random.integers(0, 9, COUNT),
            "flag": random.random(COUNT) < 0.5,
            "text": pd.Series(some(["a", "b", "c", "d"]), dtype="str"),
            "text_twin": pd.Series(some(["c", "d", "e"]), dtype="str"),
            "words": pd.Series(some(["red apple", "Green pear!", "one red pear too"]), dtype="str"),
            "email": pd.Series(some(["a@x.com", "b@y.org"]), dtype="str"),
            "name": pd.Series(some(["Mary", "john", "Bob", "nobody's"]), dtype="str"),
            "day": pd.Timestamp("2026-01-01") + pd.to_timedelta(random.integers(0, 500, COUNT), unit="D"),
            "phone": pd.Series(some(["+1 212 555 0123", "(415) 555-2671", "030 123456", ""]), dtype="str"),
            "latitude": random.uniform(-80, 80, COUNT),
            "longitude": random.uniform(-180, 180, COUNT),
            "listed": [["x", "y", "z"][: number % 4] for number in range(COUNT)],
            "series": [[1.5, 2.0, float(number)] for number in range(COUNT)],
            "y": random.integers(0, 2, COUNT).astype(float),
        }
    )
    frame.loc[random.random(COUNT) < 0.1, ["number", "text", "words", "name"]] = None
    return frame


def held_out(rule: Any) -> np.ndarray:
    return np.concatenate(rule.indices(rows())[1:])


def planted() -> pd.DataFrame:
    """The same rows, but all that is not for training holds what is nowhere else."""
    frame, places = rows(), held_out(Everything().division)
    for name, value in PLANTED.items():
        frame.loc[places, name] = value
    for name, value in (("listed", ["planted"] * 9), ("series", [-1e6] * 9)):
        frame[name] = [value if place in set(places) else cell for place, cell in enumerate(frame[name])]
    return frame


def vectors() -> str:
    return str(Path(__file__).with_name("vectors.txt"))


class Encoded:
    """Every encoder, and transformers within some."""

    frame = staticmethod(rows)
    as_of = "2027-07-01"

    def get_data(self) -> Any:
        return self.frame()

    def get_encoders(self) -> Any:
        return (
            *(kind("number") for kind in (Pass, Uniform, Norm, Quantile, Discrete)),
            Enum("whole"),
            Boolean("flag"),
            Equals("text", "text_twin"),
            Unique("text", minimum_occurrences=2),
            Unique("words", correlation="y"),
            Unique("text", twin=True, name="both"),
            OneHot("text"),
            Token("words", sequence_length=3),
            Token("words", name="all_words"),
            Static("words", vectors()),
            MiddleOut("listed", 1),
            NestedUnique("listed"),
            NestedNorm("series"),
            Norm(Log(NameAge("name"))),
            Discrete(NameSex("name"), bins=5),
            Unique(EmailDomain("email")),
            Unique(DateTime("day", "dayofweek")),
            Discrete("day", name="days"),
            Norm(Age("day", unit="days")),
            Boolean(IsNull("text")),
            Uniform(Length(String("words", "lower"))),
        )

    def get_output_encoder(self) -> Any:
        return Norm("y")


class Everything(Encoded, TrainTestSplit):
    row_key = "id"


class Nested(Everything):
    """Every transformer that needs no file, within encoders of every kind that takes what it makes."""

    def get_encoders(self) -> Any:
        away = Distance("latitude", "longitude", "number", "whole")
        return (
            Unique(AreaCode("phone")),
            OneHot(EmailDomain("email", registered=True), name="domain"),
            Token(String("words", "upper"), sequence_length=2),
            Token(EmailDomain("email"), name="parts", sequence_length=1),
            Enum(DateTime("day", "month")),
            Norm(Period("day", "M"), name="months"),
            Quantile(away),
            NestedFree(LogPlusOne(away)),
            Norm(Log(NamePopulation("name"))),
            Uniform(LogPlusOne(Age("day", unit="weeks"))),
            Discrete(Age("day", reference="day"), name="none"),
            Boolean(NameFamilial("words")),
            Equals(String("text", "lower"), String("text_twin", "lower")),
            Equals(Age("day"), Age("day", reference="day"), name="same_age"),
            Unique("text", correlation=Age("day"), name="by_age"),
            Unique("text", group_by=DateTime("day", "month"), minimum_occurrences=3, name="by_month"),
            Unique(Map("text", {"a": "vowel", "b": "consonant"})),
            Unique(Extract("words", r"(red|green)")),
            Static(String("words", "lower"), vectors()),
            Pass(Length("text")),
            Boolean(IsNull(NameSex("name")), name="nameless"),
            Norm(NameAge(Extract("name", r"(\w+)")), name="age_of_part"),
        )


class NestedFree(Norm):
    """A kind that a user has written."""
