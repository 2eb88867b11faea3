"""For every encoder: what lies outside the training split is not learnt, and a row alone is encoded as in its frame."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlpipeline.data import Dataset, Streaming, TimeSeries, encoders, transformers
from mlpipeline.data.encoders import (
    Discrete,
    Equals,
    NestedUnique,
    Norm,
    OneHot,
    Token,
    Uniform,
    Unique,
)
from mlpipeline.data.transformers import (
    Age,
)
from mlpipeline.testing import DatasetContract
from tests.unit.data.everything import COUNT, Encoded, Everything, Nested, planted, rows


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


def test_every_kind_of_transformer_is_there_but_the_one_that_needs_a_file() -> None:
    told = repr(Nested().get_encoders())
    assert [name for name in transformers.__all__ if f"{name}(" not in told] == ["GeoIP"]


@pytest.mark.parametrize("kind", [Everything, Nested])
def test_nothing_of_other_rows_is_learnt_by_any_nesting(kind: type[Everything]) -> None:
    clean, seeded = kind(), kind()
    seeded.frame = planted  # type: ignore[method-assign]
    assert set(seeded.test_data.text) == {"planted"}
    assert learnt(seeded) == learnt(clean)


def test_ages_within_any_parameter_are_measured_up_to_the_moment_of_the_dataset() -> None:
    class Aged(Everything):
        def get_encoders(self) -> Any:
            return (
                Equals("number", Age("day", unit="days")),
                Unique("text", correlation=Age("day")),
                Unique("words", group_by=Age("day")),
            )

    told = repr(Aged().encoders)
    assert told.count("as_of='2027-07-01'") == 3
    with pytest.raises(ValueError, match="set as_of"):
        _ = Aged(as_of=None).encoders


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


class TestNested(DatasetContract):
    @pytest.fixture
    def dataset(self) -> Dataset:
        return Nested()


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
