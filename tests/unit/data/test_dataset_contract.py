"""The contract of datasets, kept by each kind, and broken by one that must be caught."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlpipeline.data import Dataset, Streaming, TimeSeries, TrainTestSplit
from mlpipeline.testing import DatasetContract
from tests.unit.data.stand_ins import Number, Text


def frame() -> pd.DataFrame:
    random = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "id": np.arange(200),
            "day": pd.date_range("2026-01-01", periods=200),
            "price": random.normal(size=200),
            "color": random.choice(["red", "green", None], 200),
            "y": random.normal(size=200),
        }
    )


class Rows:
    """What all of them are made of."""

    def get_data(self) -> Any:
        return frame()

    def get_encoders(self) -> Any:
        return (Number("price", width=2), Text("color", correlation="y"))

    def get_output_encoder(self) -> Any:
        return Number("y")


class Divided(Rows, TrainTestSplit):
    pass


class Series(Rows, TimeSeries):
    pass


class Chunks(Rows, Streaming):
    def get_data(self) -> Any:
        yield from (frame().iloc[begin : begin + 30] for begin in range(0, 200, 30))


class TestTrainTestSplit(DatasetContract):
    @pytest.fixture(params=[{}, {"group_by": "color"}, {"stratify_by": "color", "index": "id"}, {"compat": "lore"}])
    def dataset(self, request: pytest.FixtureRequest) -> Dataset:
        return Divided(**request.param)


class TestTimeSeries(DatasetContract):
    @pytest.fixture(params=[{}, {"sort_by": "day", "gap": "3D"}])
    def dataset(self, request: pytest.FixtureRequest) -> Dataset:
        return Series(**request.param)


class TestStreaming(DatasetContract):
    @pytest.fixture(params=[{}, {"group_by": "color", "index": ["id"]}])
    def dataset(self, request: pytest.FixtureRequest, tmp_path: Path) -> Dataset:
        return Chunks(spool_dir=tmp_path, **request.param)


class Skewed(Divided):
    """Encodes a batch by its own mean."""

    def read_columns(self, rows: pd.DataFrame, names: Any) -> pd.DataFrame:
        found = super().read_columns(rows, names)
        return found.assign(price=found.price - found.price.mean()) if "price" in found else found


def test_skew_breaks_the_contract() -> None:
    contract = DatasetContract()
    contract.test_a_row_alone_is_encoded_as_within_the_frame(Divided())
    with pytest.raises(AssertionError):
        contract.test_a_row_alone_is_encoded_as_within_the_frame(Skewed())


def test_parts_that_overlap_break_the_contract() -> None:
    class Overlapping(Divided):
        group_by = "id"

        def split(self, rows: pd.DataFrame) -> Any:
            return (np.arange(150), np.arange(140, 160), np.arange(160, 200))

    with pytest.raises(AssertionError, match="a id is in two parts"):
        DatasetContract().test_parts_share_no_row(Overlapping())
