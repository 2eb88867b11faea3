"""What every dataset must do: inherit from it in a test, and give a dataset."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlpipeline.data.dataset import Dataset
from mlpipeline.data.encoding import Observations
from mlpipeline.data.row_hash import hash_rows
from mlpipeline.data.schema import Schema
from mlpipeline.data.split import PARTS
from mlpipeline.errors import DataFault


class DatasetContract:
    """Inherit from it, and define the fixture `dataset`; pytest runs the rest.

    It reads all data, so give a dataset with a `subsample`, or one whose data is small.
    """

    @pytest.fixture
    def dataset(self) -> Dataset:
        """A fresh dataset, of which nothing was asked yet."""
        raise TypeError(f"{type(self).__name__} has no fixture `dataset`: define it")

    def test_parts_share_no_row(self, dataset: Dataset) -> None:
        counts = dict.fromkeys(PARTS, 0)
        groups: dict[str, set[int]] = {part: set() for part in PARTS}
        group_by = getattr(dataset, "group_by", None)
        for part in PARTS:
            for frame in _frames(getattr(dataset, f"{part}_data")):
                counts[part] += len(frame)
                groups[part] |= set(hash_rows(frame, (group_by,)).tolist()) if group_by else set()
        assert counts == dataset.row_counts
        assert sum(counts.values()) == len(dataset)
        assert sum(map(len, groups.values())) == len(set.union(*groups.values())), f"a {group_by} is in two parts"

    def test_the_queue_gets_as_many_observations_as_it_counts(self, dataset: Dataset) -> None:
        for given, count in (
            (dataset.get_train_input(), dataset.get_train_sample_count()),
            (dataset.get_test_input(), dataset.get_test_sample_count()),
        ):
            batches = [given] if isinstance(given, Observations) else list(given)
            assert sum(len(batch.x) for batch in batches) == count
            assert all(batch.y is None or len(batch.y) == len(batch.x) for batch in batches)
        assert dataset.get_dataloader_summery()

    def test_features_have_the_names_that_encoders_give(self, dataset: Dataset) -> None:
        names = list(dataset.encoding.feature_names)
        assert list(dataset.encode_x(_some(dataset)).columns) == names
        assert len(set(names)) == len(names)

    def test_a_row_alone_is_encoded_as_within_the_frame(self, dataset: Dataset) -> None:
        frame = _some(dataset)
        whole, target = dataset.encode_x(frame), dataset.encode_y(frame)
        for place in range(len(frame)):
            row = frame.iloc[[place]]
            pd.testing.assert_frame_equal(dataset.encode_x(row), whole.iloc[[place]], check_exact=True)
            alone = dataset.encode_y(row)
            assert target is None or (alone is not None and np.array_equal(alone, target[[place]], equal_nan=True))

    def test_other_columns_and_the_order_of_rows_change_nothing(self, dataset: Dataset) -> None:
        frame = _some(dataset)
        whole = dataset.encode_x(frame)
        needed = frame[list(dict.fromkeys([*dataset.encoding.inputs, *_index(dataset, frame)]))]
        pd.testing.assert_frame_equal(dataset.encode_x(needed), whole, check_exact=True)
        pd.testing.assert_frame_equal(dataset.encode_x(frame.iloc[::-1]), whole.iloc[::-1], check_exact=True)

    def test_a_frame_without_the_target_can_be_encoded(self, dataset: Dataset) -> None:
        frame = _some(dataset)
        only_target = [name for name in dataset.encoding.output_inputs if name not in dataset.encoding.inputs]
        without = frame.drop(columns=only_target)
        pd.testing.assert_frame_equal(dataset.encode_x(without), dataset.encode_x(frame), check_exact=True)
        if set(only_target) == set(dataset.encoding.output_inputs):
            assert dataset.encode_y(without) is None

    def test_a_missing_column_and_one_of_another_type_are_named(self, dataset: Dataset) -> None:
        frame = _some(dataset)
        for name in dataset.encoding.inputs:
            with pytest.raises(DataFault, match=repr(name)):
                dataset.encode_x(frame.drop(columns=name))
            if dataset.schema[name].kind in ("number", "boolean", "text"):
                with pytest.raises(DataFault, match=repr(name)):
                    dataset.encode_x(frame.assign(**{name: pd.Timestamp("2026-01-01")}))

    def test_the_schema_survives_json(self, dataset: Dataset) -> None:
        told = json.loads(json.dumps(dataset.schema.to_dict()))
        assert Schema.from_dict(told) == dataset.schema
        assert set(dataset.schema.names) == set(dataset.encoding.fit_inputs)

    def test_it_is_divided_and_encoded_again_as_before(self, dataset: Dataset) -> None:
        positional, named = dataset._constructed_with
        again = type(dataset)(*positional, **named)
        assert again.row_counts == dataset.row_counts
        frame = _some(dataset)
        pd.testing.assert_frame_equal(again.encode_x(frame), dataset.encode_x(frame), check_exact=True)


def _frames(data: pd.DataFrame | Iterable[pd.DataFrame]) -> Iterable[pd.DataFrame]:
    return [data] if isinstance(data, pd.DataFrame) else data


def _some(dataset: Dataset) -> pd.DataFrame:
    """Returns some rows of every part."""
    heads = [frame.head(10) for part in PARTS for frame in list(_frames(getattr(dataset, f"{part}_data")))[:1]]
    return pd.concat([head for head in heads if len(head)], ignore_index=True)


def _index(dataset: Dataset, frame: pd.DataFrame) -> list[Any]:
    names = [dataset.index] if isinstance(dataset.index, str) else dataset.index
    return [name for name in names if name in frame.columns]
