"""Rows, encoders and runs that the tests of networks share."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlpipeline.context import RunContext
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
from mlpipeline.data.encoding import Encoding, Observations

WORDS = ["apple", "fig", "pear", "plum"]


def encoded(frame: pd.DataFrame, encoders: Iterable[Any], output: Any = None) -> tuple[Encoding, Observations]:
    """Returns fitted encoders, and what they make of the frame."""
    encoding = Encoding(list(encoders), output)
    encoding.fit(lambda names: frame)
    return encoding, encoding.observations(frame)


def people(rows: int = 60) -> pd.DataFrame:
    """Returns columns of every kind; `answer` is one of three words."""
    random = np.random.default_rng(0)

    def lists(of: Any) -> list[Any]:
        return [of(int(count)) for count in random.integers(0, 4, rows)]

    return pd.DataFrame(
        {
            "word": random.choice(WORDS, rows),
            "word_twin": random.choice(WORDS, rows),
            "size": random.normal(size=rows),
            "count": random.integers(0, 9, rows),
            "flag": random.choice([True, False], rows),
            "text": [" ".join(words) for words in lists(lambda count: random.choice(WORDS, count))],
            "text_twin": [" ".join(words) for words in lists(lambda count: random.choice(WORDS, count))],
            "list": lists(lambda count: list(random.choice(WORDS, count))),
            "sizes": lists(lambda count: list(random.normal(size=count))),
            "answer": random.choice(["no", "some", "yes"], rows),
        }
    )


def every_encoder(vectors: Path) -> list[Any]:
    """Returns one of each kind; `vectors` is where the file of Static is to be."""
    vectors.write_text("apple 1 0 0.5\npear 0 1 0.2\n")
    return [
        Unique("word", twin=True, embed_scale=0.5),
        Norm("size"),
        Uniform("size"),
        Discrete("size", bins=5),
        Enum("count"),
        Quantile("size"),
        Boolean("flag"),
        Equals("word", "word_twin"),
        Pass("count"),
        OneHot("word"),
        Token("text", sequence_length=3, twin=True),
        Static("text", str(vectors)),
        MiddleOut("list", 2),
        NestedUnique("list"),
        NestedNorm("sizes"),
    ]


class EndsEarly(RunContext):
    """A run that saves each epoch, and ends after some of them, as if it were killed there."""

    def __init__(self, model_dir: Path, epochs: int | None = None, **options: Any) -> None:
        super().__init__(model_dir=model_dir, seed=5, **options)
        self._limit = epochs

    def steps(self, iterable: Iterable[Any] | None = None, **options: Any) -> Iterator[Any]:
        """Yields so many numbers of epochs."""
        return itertools.islice(super().steps(iterable, **options), self._limit)

    def checkpoint(self, save: Any, **options: Any) -> bool:
        """Saves whenever it could."""
        return super().checkpoint(save, **options | {"every_seconds": None})
