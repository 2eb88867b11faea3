"""Datasets: what is learnt from where, one path for fitting and serving, and what feeds the queue."""

from __future__ import annotations

import copy
import logging
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlpipeline.data import Holdout, TrainTestSplit
from mlpipeline.errors import DataFault, ModelFault, WrongType
from mlpipeline.model import ExecutionModeKeys
from tests.unit.data.stand_ins import Number, Text


def data(count: int = 100) -> pd.DataFrame:
    random = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "id": np.arange(count) + 1000,
            "price": random.normal(size=count),
            "color": random.choice(["red", "green", "blue"], count),
            "user": np.arange(count) % 20,
            "y": random.integers(0, 2, count).astype(float),
        }
    )


class Shop(TrainTestSplit):
    """Rows, and encoders that were kept to be looked at."""

    asked = 0

    def get_data(self) -> Any:
        self.asked += 1
        return data()

    def get_encoders(self) -> Any:
        return (Number("price", tags=("plain",)), Text("color", tags=("words",)))

    def get_output_encoder(self) -> Any:
        return Number("y")


def test_data_is_split_once_and_rows_are_numbered_from_0() -> None:
    shop = Shop()
    parts = (shop.training_data, shop.validation_data, shop.test_data)
    assert [len(part) for part in parts] == [80, 10, 10]
    assert all(part.index.equals(pd.RangeIndex(len(part))) for part in parts)
    assert sorted(pd.concat(parts).id) == list(data().id)
    assert (shop.asked, len(shop), shop.columns) == (1, 100, list(data().columns))


def test_nothing_is_learnt_outside_the_training_split() -> None:
    shop = Shop()
    encoded = (shop.encoded_training_data, shop.encoded_validation_data, shop.encoded_test_data)
    price, output = shop.encoders[0], shop.output_encoder
    for encoder in (price, output):
        (fitted,) = encoder.fitted_on
        assert fitted[encoder.column].tolist() == shop.training_data[encoder.column].tolist()
    assert abs(encoded[0].x["number_price"].mean()) < 1e-12
    assert abs(encoded[0].y.mean()) < 1e-12


def test_a_value_that_exists_outside_the_training_split_alone_is_unknown() -> None:
    class Planted(Shop):
        def get_data(self) -> Any:
            frame = data()
            places = np.concatenate(self.division.indices(frame.drop(columns="color"))[1:])
            frame.loc[places, "color"] = "planted"
            return frame

        row_key = ("id", "price", "user", "y")

    planted = Planted()
    assert set(planted.test_data.color) == set(planted.validation_data.color) == {"planted"}
    assert planted.encoders[1].known_ == ["blue", "green", "red"]
    assert set(planted.encoded_test_data.x["text_color"]) == {1}
    assert "planted" not in repr(planted.schema.to_dict())


def test_encoders_get_exactly_their_inputs_in_fit_and_transform() -> None:
    shop = Shop()
    shop.encode_x(data().assign(more=1))
    price = shop.encoders[0]
    assert [list(frame.columns) for frame in (*price.fitted_on, *price.read)] == [["price"], ["price"]]


def test_what_only_fitting_reads_is_not_needed_afterwards() -> None:
    class Correlated(Shop):
        def get_encoders(self) -> Any:
            return (Text("color", correlation="y"),)

    found = Correlated().encode_x(data()[["color"]])
    assert found["text_color"].tolist() == Shop().encode_x(data())["text_color"].tolist()


def test_a_row_alone_is_encoded_as_within_the_frame() -> None:
    shop, frame = Shop(), data()
    whole = shop.encode_x(frame)
    for place in (0, 41, 99):
        pd.testing.assert_frame_equal(shop.encode_x(frame.iloc[[place]]), whole.iloc[[place]])


def test_features_are_named_in_order_and_sequences_are_expanded() -> None:
    class Wide(Shop):
        def get_encoders(self) -> Any:
            return (Text("color"), Number("price", width=3))

    assert list(Wide().encode_x(data()).columns) == ["text_color", "number_price_0", "number_price_1", "number_price_2"]


@pytest.mark.parametrize("workers", [1, 3])
def test_workers_change_nothing(workers: int) -> None:
    pd.testing.assert_frame_equal(Shop(workers=workers).encoded_test_data.x, Shop().encoded_test_data.x)


def test_a_single_encoder_may_come_alone_and_a_target_is_one_dimensional() -> None:
    class Single(Shop):
        def get_encoders(self) -> Any:
            return Number("price")

        def get_output_encoder(self) -> Any:
            return Number("y", width=2)

    assert Single().encoded_test_data.y.shape == (10, 2)
    assert list(Single().encoded_test_data.x) == ["number_price"]
    assert Shop().encoded_test_data.y.shape == (10,)


def test_a_frame_without_the_target_has_none() -> None:
    shop = Shop()
    assert shop.encode_y(data().drop(columns="y")) is None
    observations = shop.observations(data().drop(columns="y"))
    assert (len(observations.x), observations.y) == (100, None)


def test_the_index_columns_become_the_index() -> None:
    shop = Shop(index="id")
    assert shop.encode_x(data()).index.tolist() == data().id.tolist()
    assert shop.encode_x(data()).index.name == "id"
    assert Shop(index=("id", "user")).encoded_test_data.x.index.names == ["id", "user"]
    assert shop.encode_x(data().drop(columns="id")).index.equals(data().index), "who predicts may not know it"


def test_tags_choose_encoders() -> None:
    shop = Shop()
    assert list(shop.encode_x(data(), tags=("words",))) == ["text_color"]
    assert list(shop.encode_x(data()[["color"]], tags="words")) == ["text_color"]
    assert list(shop.observations(data(), tags=("plain", "words")).x) == ["number_price", "text_color"]
    with pytest.raises(DataFault, match=r"no encoder has the tag word: known are plain, words"):
        shop.encode_x(data(), tags=("word",))


def test_decoding_gives_a_column_for_each_encoder() -> None:
    shop, frame = Shop(index="id"), data()
    decoded = shop.decode(shop.encode_x(frame))
    assert list(decoded) == ["number_price", "text_color"]
    assert decoded.index.tolist() == frame.id.tolist()
    assert np.allclose(decoded["number_price"], frame["price"])
    assert decoded["text_color"].tolist() == frame["color"].tolist()
    assert list(shop.decode(shop.encode_x(frame, tags="words"))) == ["text_color"]
    with pytest.raises(DataFault, match="no column 'number_price', 'text_color'"):
        shop.decode(frame)


def test_who_reads_columns_in_another_way_does_so_always() -> None:
    class Doubled(Shop):
        def read_columns(self, frame: pd.DataFrame, names: Any) -> pd.DataFrame:
            found = super().read_columns(frame, names)
            return found.assign(price=found["price"] * 2) if "price" in found else found

    plain, doubled = Shop(), Doubled()
    assert doubled.encoders[0].mean_ == pytest.approx(plain.encoders[0].mean_ * 2)
    assert np.allclose(doubled.encode_x(data())["number_price"], plain.encode_x(data())["number_price"] * 2)


# What feeds the queue.


def test_the_queue_gets_counts_and_observations() -> None:
    shop = Shop()
    assert (shop.get_train_sample_count(), shop.get_test_sample_count()) == (80, 10)
    assert shop.get_train_input() is shop.encoded_training_data
    assert shop.get_train_input(mode=ExecutionModeKeys.TEST) is shop.encoded_training_data
    assert shop.get_test_input() is shop.encoded_test_data
    shop.add_to_summary("from the cache")
    said = shop.get_dataloader_summery()
    assert said == "Shop: 100 rows (80 training, 10 validation, 10 test), 2 features\nfrom the cache"


def test_another_part_may_be_evaluated() -> None:
    shop = Shop(evaluate_on="validation", fractions=(0.6, 0.3, 0.1))
    assert shop.get_test_input() is shop.encoded_validation_data
    assert shop.get_test_sample_count() == 30
    with pytest.raises(DataFault, match="evaluate_on is 'training'"):
        Shop(evaluate_on="training").get_test_input()


def test_options_are_checked_and_describe_the_dataset() -> None:
    assert Shop(subsample=50).row_counts == {"training": 40, "validation": 5, "test": 5}
    assert Shop(subsample=50)._constructed_with == ((), {"subsample": 50})
    with pytest.raises(DataFault, match="Did you mean 'subsample'") as raised:
        Shop(subsampel=50)
    assert "group_by" in str(raised.value)


def test_a_saved_dataset_has_encoders_and_no_rows() -> None:
    shop = Shop()
    before = shop.encoded_test_data.x
    state = shop.__getstate__()
    assert "encoding" in state
    assert not {"_frames", "encoded_test_data"} & state.keys()
    again = copy.copy(shop)
    pd.testing.assert_frame_equal(again.encode_x(shop.test_data), before)


# Facts of Lore about holdouts, and its options.


def test_lores_split_is_to_be_had() -> None:
    shop = Shop(compat="lore")
    assert list(shop.row_counts.values()) == [81, 10, 9]
    assert Shop(compat="lore", stratify="user").row_counts == {"training": 80, "validation": 10, "test": 10}
    assert Shop(compat="lore", subsample=50).row_counts == {"training": 40, "validation": 5, "test": 5}
    assert Shop(compat="lore", test_size=0.2).row_counts == {"training": 64, "validation": 20, "test": 16}
    assert Shop(test_size=0.2).row_counts == {"training": 60, "validation": 20, "test": 20}
    assert Holdout is TrainTestSplit


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"compat": "old"}, "compat is 'old'"),
        ({"compat": "lore", "fractions": (0.6, 0.2, 0.2)}, "neither fractions nor stratify_by"),
        ({"stratify": "user"}, "write group_by"),
        ({"test_size": 0.2, "fractions": (0.6, 0.2, 0.2)}, "take one of them away"),
        ({"test_size": 0.6}, "between 0 and 0.5"),
        ({"subsample": 101}, "only 100 rows"),
        ({"group_by": "nobody"}, "no column 'nobody'"),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(DataFault) as raised:
        _ = Shop(**options).training_data
    assert said in str(raised.value)


def test_a_test_size_of_0_tests_nothing() -> None:
    assert Shop(test_size=0).row_counts == {"training": 100, "validation": 0, "test": 0}
    assert len(Shop(test_size=0).encoded_test_data.x) == 0


# Bad data.


def made(frame: Any, encoders: Any = None) -> Shop:
    class Made(Shop):
        def get_data(self) -> Any:
            return frame

        def get_encoders(self) -> Any:
            return super().get_encoders() if encoders is None else encoders

    return Made()


@pytest.mark.parametrize(
    ("frame", "kind", "said"),
    [
        (data(0), DataFault, "Made.get_data() gave no rows"),
        ([1, 2], WrongType, "Made.get_data() gave list"),
        (None, WrongType, "NoneType"),
        (data().set_axis(["id", "price", "color", "price", "y"], axis=1), DataFault, "called 'price'"),
        (data().drop(columns="color"), DataFault, "no column 'color'"),
        (data(2), DataFault, "too few rows (2)"),
    ],
)
def test_bad_data_is_refused(frame: Any, kind: type[Exception], said: str) -> None:
    with pytest.raises(kind) as raised:
        _ = made(frame).encoders
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("encoders", "said"),
    [
        ((), "gave no encoder"),
        ((Number,), "is no encoder"),
        (("price",), "'price' is no encoder"),
        ((Number("price"), Number("price")), "called number_price"),
        ((Number("price", name="a", width=2), Number("id", name="a_1")), "called a_1"),
    ],
)
def test_bad_encoders_are_refused(encoders: Any, said: str) -> None:
    with pytest.raises(DataFault) as raised:
        _ = made(data(), encoders).encoders
    assert said in str(raised.value)


def test_encoders_may_come_from_a_generator() -> None:
    assert len(made(data(), (Number(name) for name in ("price", "id"))).encoders) == 2


def test_a_column_for_the_index_that_no_row_has_is_named() -> None:
    with pytest.raises(DataFault, match="no column 'idd'"):
        _ = Shop(index="idd").encoders


@pytest.mark.parametrize("workers", [0, "2", 1.5])
def test_a_number_of_workers_that_cannot_be_is_refused(workers: Any) -> None:
    with pytest.raises(DataFault, match=r"workers is .*: it must be a whole number"):
        _ = Shop(workers=workers).encoders


@pytest.mark.parametrize("rows", [{"price": 1}, [[1]], None])
def test_rows_to_be_encoded_are_a_frame(rows: Any) -> None:
    with pytest.raises(WrongType, match=r"come as .*: give a pandas DataFrame"):
        Shop().encode_x(rows)
    with pytest.raises(WrongType, match=r"come as .*: give a pandas DataFrame"):
        Shop().encode_y(rows)


def test_a_column_that_is_missing_or_of_another_type_than_fitted_is_refused() -> None:
    shop = Shop()
    with pytest.raises(DataFault, match="no column 'price'"):
        shop.encode_x(data().drop(columns="price"))
    with pytest.raises(TypeError, match=r"column 'price' holds text \(str\), but was fitted on numbers \(float64\)"):
        shop.encode_x(data().assign(price="dear"))
    with pytest.raises(TypeError, match="'y'"):
        shop.encode_y(data().assign(y="yes"))
    assert len(shop.encode_x(data().assign(price=None))) == 100, "what is missing has no type"
    assert len(shop.encode_x(data().assign(price=1))) == 100, "a whole number is a number"


def test_a_column_without_a_value_and_a_target_that_is_missing_are_said(caplog: pytest.LogCaptureFixture) -> None:
    frame = data().assign(price=np.nan)
    frame.loc[::2, "y"] = np.nan
    with caplog.at_level(logging.WARNING):
        _ = made(frame).encoders
    assert "column 'price' is missing in every row for training" in caplog.text
    assert "the target 'y' is missing in" in caplog.text


def test_a_target_among_the_features_is_said(caplog: pytest.LogCaptureFixture) -> None:
    _ = made(data(), (Number("y", name="leak"),)).encoders
    assert "the target 'y' is a feature too" in caplog.text


def test_what_a_subclass_must_define_is_said() -> None:
    class Empty(TrainTestSplit):
        pass

    with pytest.raises(ModelFault, match=r"define get_data\(self\)"):
        _ = Empty().training_data
