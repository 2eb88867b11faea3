"""What of a frame reaches a network, and in which form."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from mlpipeline import errors
from mlpipeline.data.encoders import MiddleOut, NestedNorm, NestedUnique, Norm, OneHot, Pass, Token, Unique
from mlpipeline.data.encoding import Encoding
from mlpipeline.learning.network import checks
from mlpipeline.learning.network.features import Feature, Role, features_of
from mlpipeline.learning.network.feed import PADDED, Feed
from mlpipeline.learning.network.layers import embedding_width, hidden_widths

FRAME = pd.DataFrame(
    {
        "name": ["ann", "bob", "ann"],
        "name_twin": ["bob", "ann", "cid"],
        "text": ["a b", "", "b a c"],
        "places": [[1, 2], [], [3]],
        "sizes": [[1.0, 2.0, 3.0], [2.0], []],
        "age": [1.0, 2.0, 3.0],
    }
)


def encoded(*encoders: object) -> tuple[Encoding, pd.DataFrame]:
    """Returns fitted encoders and what they make of the frame."""
    encoding = Encoding(encoders, None)
    encoding.fit(lambda names: FRAME)
    return encoding, encoding.encode_x(FRAME)


def packed(*encoders: object, masked: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Returns the codes and the numbers of the frame."""
    encoding, x = encoded(*encoders)
    return Feed(features_of(encoding, list(x.columns), masked=masked), list(x.columns)).packed(x)


def test_each_encoder_has_a_role() -> None:
    encoding, x = encoded(
        Unique("name", twin=True), Token("text"), NestedNorm("sizes"), Norm("age"), Pass("age"), OneHot("name")
    )
    features = features_of(encoding, [*x.columns, "more"], masked=True)
    roles = [(each.role, len(each.sides), each.width, each.is_sequence) for each in features]
    assert roles == [
        (Role.CODE, 2, 1, False),
        (Role.CODE, 1, 3, True),
        (Role.NUMBER, 1, 3, True),
        (Role.NUMBER, 1, 1, False),
        (Role.PASSED, 1, 1, False),
        (Role.PASSED, 1, 2, False),
        (Role.PASSED, 1, 1, False),
    ]
    assert [each.cardinality for each in features[:2]] == [6, 6]
    assert list(features[0].inputs()) == ["unique_name", "unique_name_twin"]
    assert features[-1].sides == (("more",),)
    assert tuple(Feature.from_state(json.loads(json.dumps(each.state()))) for each in features) == features


def test_columns_without_encoders_are_passed_on_together() -> None:
    features = features_of(None, ["b", "a"], masked=False)
    assert [(each.role, each.sides) for each in features] == [(Role.PASSED, (("b", "a"),))]
    with pytest.raises(errors.DataFault, match="no features"):
        features_of(None, [], masked=False)


def test_an_encoder_whose_columns_are_left_out_is_left_out() -> None:
    encoding, _ = encoded(Unique("name", twin=True), Norm("age"))
    assert [each.role for each in features_of(encoding, ["norm_age"], masked=False)] == [Role.NUMBER]


def test_names_are_such_as_tensorflow_takes() -> None:
    encoding, x = encoded(Norm("age", name="age of a/b"), Norm("age", name="age_of_a_b"), Norm("age", name="_"))
    names = [each.name for each in features_of(encoding, list(x.columns), masked=False)]
    assert names == ["age_of_a_b", "age_of_a_b_2", "feature"]


def test_what_fills_up_short_texts_is_0_and_what_is_missing_within_is_not() -> None:
    codes, _ = packed(Token("text"))
    # Known words are 2, 3 and 4.
    assert codes.tolist() == [[2, 3, 0], [0, 0, 0], [3, 2, 4]]
    lists = pd.DataFrame({"places": [[1, None, 2], [1, None], [2]]})
    encoding = Encoding([NestedUnique("places")], None)
    encoding.fit(lambda names: lists)
    x = encoding.encode_x(lists)
    feed = Feed(features_of(encoding, list(x.columns), masked=True), list(x.columns))
    assert feed.packed(x).codes.tolist() == [[2, 4, 3], [2, 0, 0], [3, 0, 0]]


def test_the_first_place_of_a_list_is_no_padding() -> None:
    encoding, x = encoded(MiddleOut("places", 1))
    (feature,) = features_of(encoding, list(x.columns), masked=True)
    assert (feature.padding, feature.is_masked) == (None, False)
    np.testing.assert_array_equal(Feed([feature], list(x.columns)).packed(x).codes, x.to_numpy())


def test_numbers_are_marked_where_they_fill_up_if_they_are_to_be_skipped() -> None:
    _, numbers = packed(NestedNorm("sizes"))
    assert (numbers == PADDED).tolist() == [[False, False, False], [True, True, True], [True, True, True]]
    _, numbers = packed(NestedNorm("sizes"), masked=False)
    assert not (numbers == PADDED).any()


def test_codes_of_all_sizes_come_as_they_are() -> None:
    feature = Feature(name="big", role=Role.CODE, sides=(("big",),), cardinality=2**31 - 1)
    plain = Feature(name="x", role=Role.PASSED, sides=(("x",),))
    frame = pd.DataFrame({"x": np.array([0.1], np.float32), "big": np.array([2**31 - 2], np.uint32)})
    codes, numbers = Feed([feature, plain], ["x", "big"]).packed(frame)
    assert (codes.tolist(), codes.dtype) == ([[2**31 - 2]], np.int32)
    assert (numbers[0, 0], numbers.dtype) == (np.float32(0.1), np.float32)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e39])
def test_a_number_that_a_network_cannot_take_is_named(bad: float) -> None:
    feed = Feed(features_of(None, ["a", "b"], masked=False), ["a", "b"])
    with pytest.raises(errors.DataFault, match=r"'b' is missing, or infinite as float32 in 1 of 2 rows"):
        feed.packed(pd.DataFrame({"a": [1.0, 2.0], "b": [1.0, bad]}))


@pytest.mark.parametrize("bad", [-1, 6, np.nan])
def test_a_code_that_its_encoder_cannot_have_made_is_named(bad: float) -> None:
    encoding, x = encoded(Unique("name", twin=True))
    feed = Feed(features_of(encoding, list(x.columns), masked=False), list(x.columns))
    with pytest.raises(errors.DataFault, match="'unique_name_twin' is no code"):
        feed.packed(x.astype(float).assign(unique_name_twin=[2.0, 2.0, bad]))


def test_columns_of_all_kinds_are_numbers_or_refused() -> None:
    feed = Feed(features_of(None, ["a", "b"], masked=False), ["a", "b"])
    found = feed.packed(pd.DataFrame({"a": pd.array([1, 2], "Int8"), "b": [True, False]})).numbers
    assert found.tolist() == [[1, 1], [2, 0]]
    with pytest.raises(errors.DataFault, match="'b' holds str"):
        feed.packed(pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}))
    with pytest.raises(errors.DataFault, match="'a' is missing"):
        feed.packed(pd.DataFrame({"a": pd.array([1, None], "Int8"), "b": [1, 2]}))


@pytest.mark.parametrize(
    ("width", "count", "shrink", "found"),
    [
        (100, 3, 0.5, [100, 50, 25]),
        (1024, 4, 0.5, [1024, 512, 256, 128]),
        (100, 3, 30, [100, 70, 40]),
        (100, 3, 0, [100, 100, 100]),
        (100, 2, None, [100, 100]),
        (4, 4, 0.1, [4, 1, 1, 1]),
        (3, 3, 2, [3, 1, 1]),
        (7, 0, 0.5, []),
    ],
)
def test_the_widths_of_hidden_layers(width: int, count: int, shrink: float | None, found: list[int]) -> None:
    assert hidden_widths(width, count, shrink) == found


def test_the_widths_of_embeddings() -> None:
    assert [embedding_width(10, scale) for scale in (1, 2.0, 0.25, 0.001)] == [10, 20, 2, 1]


@pytest.mark.parametrize("value", [0, -1, 1.5, True, "3", None])
def test_what_counts_nothing_is_refused(value: object) -> None:
    with pytest.raises(errors.ParameterError, match="epochs is"):
        checks.whole("epochs", value, 1)


@pytest.mark.parametrize("value", [1, -0.1, float("nan"), "0.5", None, True])
def test_what_is_no_share_is_refused(value: object) -> None:
    with pytest.raises(errors.ParameterError, match="dropout is"):
        checks.number("dropout", value, 0, 1)
    checks.number("dropout", 0, 0, 1)
    with pytest.raises(errors.ParameterError, match="above 0"):
        checks.number("learning_rate", 0.0, 0, is_open=True)
