"""For every encoder: what lies outside the training split is not learnt, and a row alone is encoded as in its frame."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlpipeline.data import Dataset, Streaming, TimeSeries, TrainTestSplit, encoders
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
from mlpipeline.data.transformers import Age, DateTime, EmailDomain, IsNull, Length, Log, NameAge, NameSex, String
from mlpipeline.testing import DatasetContract

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


class Stream(Encoded, Streaming):
    row_key = "id"

    def get_data(self) -> Any:
        frame = self.frame()
        yield from (frame.iloc[begin : begin + 70] for begin in range(0, COUNT, 70))


class Series(Encoded, TimeSeries):
    sort_by = "id"


def learnt(dataset: Dataset) -> list[str]:
    states = (encoder.state() for encoder in (*dataset.encoders, dataset.output_encoder))
    return [json.dumps(state, default=lambda table: table.to_pylist()) for state in states]


def test_every_kind_of_encoder_is_there() -> None:
    used = {type(encoder).__name__ for encoder in Encoded().get_encoders()}
    assert used == set(encoders.__all__)


def test_nothing_that_is_planted_outside_the_training_split_is_learnt(tmp_path: Path) -> None:
    clean, seeded, streamed = Everything(), Everything(), Stream(spool_dir=tmp_path)
    seeded.frame = streamed.frame = planted  # type: ignore[method-assign,assignment]
    assert set(seeded.test_data.text) == {"planted"}
    assert "planted" not in set(seeded.training_data.text)
    wanted = learnt(clean)
    assert learnt(seeded) == wanted
    assert learnt(streamed) == wanted
    assert seeded.schema == clean.schema
    assert "planted" not in repr(wanted).lower()


def test_what_is_in_the_training_split_is_learnt() -> None:
    """So that the test above could fail."""
    seeded = Everything()
    everywhere = planted()
    everywhere.loc[:, "text"] = "planted"
    seeded.frame = lambda: everywhere  # type: ignore[method-assign,assignment]
    assert "planted" in repr(learnt(seeded))


class TestEverything(DatasetContract):
    @pytest.fixture
    def dataset(self) -> Dataset:
        return Everything()


class TestSeries(DatasetContract):
    @pytest.fixture
    def dataset(self) -> Dataset:
        return Series()


class TestStream(DatasetContract):
    @pytest.fixture
    def dataset(self, tmp_path: Path) -> Dataset:
        return Stream(spool_dir=tmp_path)


def test_lores_names_of_features() -> None:
    """Sequences are numbered, twins marked, levels named."""

    class Named(Everything):
        def get_encoders(self) -> Any:
            return (
                Token("words", sequence_length=3),
                Unique("text", twin=True),
                OneHot("whole"),
                NestedUnique("listed", sequence_length=1),
            )

    names = list(Named().encoded_test_data.x)
    assert names[:5] == ["token_words_0", "token_words_1", "token_words_2", "unique_text", "unique_text_twin"]
    assert names[5] == "whole_0"
    assert names[-1] == "nested_unique_listed_0"


def test_lores_fact_that_a_value_of_the_test_alone_is_of_the_long_tail() -> None:
    seeded = Everything()
    seeded.frame = planted  # type: ignore[method-assign]
    assert set(seeded.encoded_test_data.x["unique_text"]) == {1}
    decoded = seeded.decode(seeded.encoded_test_data.x)
    assert set(decoded["unique_text"]) == {"LONG_TAIL"}


def test_all_that_was_encoded_can_be_decoded_but_what_has_no_inverse() -> None:
    class Lossless(Everything):
        def get_encoders(self) -> Any:
            return (Unique("email"), Norm("whole"), Token("words", sequence_length=4), Unique("text", twin=True))

    dataset = Lossless()
    decoded, frame = dataset.decode(dataset.encoded_training_data.x), dataset.training_data
    assert decoded["unique_email"].tolist() == frame["email"].tolist()
    assert np.allclose(decoded["norm_whole"], frame["whole"], atol=1e-5)
    assert {"unique_text", "unique_text_twin"} < set(decoded)
    assert decoded["token_words"].str.startswith(("red apple", "green pear", "one red", "MISSING")).all()


def test_a_moment_is_needed_where_ages_are_measured() -> None:
    class Aged(Everything):
        def get_encoders(self) -> Any:
            return Norm(Age("day"))

    with pytest.raises(ValueError, match="set as_of"):
        _ = Aged(as_of=None).encoders
    early, late = Aged(as_of="2027-01-01"), Aged(as_of="2028-01-01")
    assert np.allclose(early.encoded_test_data.x, late.encoded_test_data.x, atol=1e-4)


# Data that teaches nothing, and data that cannot be.


@pytest.mark.parametrize("value", [None, 7.0])
def test_a_column_that_is_missing_or_constant_is_encoded_as_nothing_known(value: Any) -> None:
    class Void(Everything):
        def get_encoders(self) -> Any:
            return (
                Norm("number"),
                Uniform("number"),
                Discrete("number"),
                Unique("number"),
                OneHot("number", missing=True),
            )

    void = Void()
    void.frame = lambda: rows().assign(number=value)  # type: ignore[method-assign]
    assert np.isfinite(void.encoded_training_data.x.to_numpy(float)).all()
    assert (void.encoded_training_data.x.nunique() == 1).all()
