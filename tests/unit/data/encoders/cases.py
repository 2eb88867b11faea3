"""An encoder of each kind, in each shape that matters, and rows that are hard on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlpipeline.data.encoder import Encoder
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
from tests.unit.data.encoders.standin import Logarithm, Ratio

VECTORS = Path(__file__).with_name("vectors.txt")


def rows() -> pd.DataFrame:
    """Returns a frame of which each column is of another type, with missing, rare and infinite values."""
    lists: list[Any] = [["a", "b"], [], None, ["b", None, "c", "a"], ["z"], ["a"], ["b", "b"], ["c"]]
    days = ["2020-01-01", None, "2021-05-05T12:00", "1900-02-03", "2020-01-01", "2022-02-02", None, "2022-02-02"]
    frame = pd.DataFrame(
        {
            "number": [1.5, np.nan, -3.0, np.inf, 0.0, 7.25, 7.25, -np.inf],
            "other": [2.0, 1.0, 0.0, 4.0, np.nan, 2.0, 2.0, 1.0],
            "number_twin": [0.0, 1.0, np.nan, 2.5, 100.0, 1.0, 3.0, 4.0],
            "count": [0, 3, 1, 4, 1, 5, 9, 2],
            "flag": [True, False, True, True, False, False, True, False],
            "day": pd.to_datetime(days, format="ISO8601"),
            "word": ["a", "b", None, "a", "c", "Ä", "", "a"],
            "word_twin": ["b", "a", "d", None, "a", "b", "a", "e"],
            "text": ["One two", None, "two, THREE!", "", "four five six", "one", "…", "two two"],
            "mixed": pd.Series([1, "1", None, 2.5, True, "x", pd.Timestamp("2020-01-01"), 1.0], dtype=object),
            "list": pd.Series(lists, dtype=object),
            "series": pd.Series([[1, 2], [], None, [3.5, None], [np.inf], [4], [-1, 0, 2], [5]], dtype=object),
        }
    )
    return frame.set_axis([10, 3, 7, 1, 99, 5, 4, 2])


CASES: dict[str, Callable[[], Encoder]] = {
    "pass": lambda: Pass("count"),
    "pass of a float": lambda: Pass("other", dtype="float32"),
    "pass of a flag": lambda: Pass("flag"),
    "uniform": lambda: Uniform("number"),
    "uniform of a day": lambda: Uniform("day"),
    "norm": lambda: Norm("number", tags=("money", "daily")),
    "norm of a transformer": lambda: Norm(Logarithm("count")),
    "norm of a nesting": lambda: Norm(Logarithm(Logarithm("count"))),
    "norm of two columns": lambda: Norm(Ratio("count", "other"), dtype="float64"),
    "norm with a twin": lambda: Norm("number", twin=True),
    "discrete": lambda: Discrete("number", bins=4),
    "discrete of equal width": lambda: Discrete("other", bins=3, edges="equal_width"),
    "discrete of a day": lambda: Discrete("day", bins=5),
    "discrete of two columns": lambda: Discrete(Ratio("count", "other"), bins=300),
    "enum": lambda: Enum("count"),
    "enum of a flag": lambda: Enum("flag", embed_scale=0.5),
    "quantile": lambda: Quantile("number", quantiles=3),
    "quantile of a transformer": lambda: Quantile(Logarithm("count")),
    "boolean": lambda: Boolean("flag"),
    "boolean of a transformer": lambda: Boolean(Logarithm("count"), dtype="int32"),
    "equals": lambda: Equals("word", "word_twin"),
    "equals of a transformer": lambda: Equals(Logarithm("count"), "other", name="same"),
    "unique": lambda: Unique("word"),
    "unique of rare ones": lambda: Unique("word", minimum_occurrences=2),
    "unique of a day": lambda: Unique("day"),
    "unique of mixed values": lambda: Unique("mixed"),
    "unique of a transformer": lambda: Unique(Logarithm("number")),
    "unique with a twin": lambda: Unique("word", twin=True),
    "unique by groups": lambda: Unique("word", minimum_occurrences=2, group_by="count"),
    "unique in an order": lambda: Unique("word", correlation="other"),
    "one hot": lambda: OneHot("word"),
    "one hot of mixed values": lambda: OneHot("mixed", missing=True),
    "one hot, compressed": lambda: OneHot("word", 2, compressed=True, drop_first=True),
    "one hot with a twin": lambda: OneHot("word", twin=True),
    "token": lambda: Token("text"),
    "token of two": lambda: Token("text", sequence_length=2, minimum_occurrences=2),
    "token of numbers": lambda: Token("number"),
    "static": lambda: Static("text", VECTORS),
    "middle out": lambda: MiddleOut("list", 1),
    "nested unique": lambda: NestedUnique("list"),
    "nested unique of two": lambda: NestedUnique("list", sequence_length=2, minimum_occurrences=2),
    "nested norm": lambda: NestedNorm("series"),
}
LOSSLESS = {
    "pass": lambda: Pass("count"),
    "discrete": lambda: Discrete("count", bins=10),
    "enum": lambda: Enum("count"),
    "boolean": lambda: Boolean("flag"),
    "unique": lambda: Unique("word"),
    "unique of mixed values": lambda: Unique("mixed"),
    "unique of a day": lambda: Unique("day"),
    "one hot": lambda: OneHot("word"),
}
