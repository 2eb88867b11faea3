"""What cannot be encoded is refused, with the column, the row and what to do."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlpipeline import errors
from mlpipeline.data.encoder import Encoder, tagged
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

DAYS = pd.to_datetime(["2020-01-01", "2021-01-01"])


@pytest.mark.parametrize(
    ("encoder", "values", "said"),
    [
        (Norm("c"), ["1", "2"], r"Norm\('c'\): column 'c', row 0, holds '1' \(str\) where numbers are needed"),
        (Uniform("c"), [1, "two"], "row 1, holds 'two'"),
        (Quantile("c"), [{}, 1], "row 0, holds {} .dict."),
        (Boolean("c"), ["true"], "holds 'true'"),
        (Boolean("c"), DAYS, "holds times"),
        (Pass("c"), DAYS, "holds moments"),
        (Enum("c"), DAYS, "holds moments"),
        (Enum("c"), [1, 1.5], "holds 1.5: whole numbers from 0"),
        (Enum("c"), [-1], "holds -1"),
        (Enum("c"), [np.inf], "holds inf"),
        (Enum("c"), [2.0**60], "holds 1.15"),
        (Unique("c"), [["a"]], "NestedUnique"),
        (Unique("c"), [(1, 2)], "tuple"),
        (OneHot("c"), [["a"]], "NestedUnique"),
        (NestedUnique("c"), ["text"], "holds 'text' .str. where lists are needed"),
        (NestedUnique("c"), [[["a"]]], "column 'c'"),
        (NestedNorm("c"), [["a"]], "column 'c', row 0, holds 'a'"),
        (NestedNorm("c"), [1.5], "where lists are needed"),
        (MiddleOut("c", 2), [1.5], "where lists are needed"),
        (Norm("d"), [1], "no column 'd'.* The frame has c"),
        (Norm("column"), [1], "no column 'column'"),
        (Norm("c"), [], "0 rows"),
        (Static("c", "nowhere.txt"), ["a"], "no file of embeddings nowhere.txt"),
    ],
    ids=repr,
)
def test_data_that_cannot_be_learnt_from_is_refused(encoder: Encoder, values: Any, said: str) -> None:
    with pytest.raises(errors.DataFault, match=said):
        encoder.fit(pd.DataFrame({"c": values}))


@pytest.mark.parametrize(
    "encoder",
    [
        Discrete("c", 0),
        Discrete("c", 2.5),  # type: ignore[arg-type]
        Discrete("c", edges="odd"),
        Quantile("c", 0),
        Unique("c", minimum_occurrences=-1),
        Unique("c", group_by="c", stratify="c"),
        OneHot("c", compressed=True),
        OneHot("c", 2, 0.5, compressed=True),
        OneHot("c", 2),
        Token("c", sequence_length=0),
        MiddleOut("c", 0),
        MiddleOut("c", None),  # type: ignore[arg-type]
        Unique("c", dtype="uint8"),
        Norm(Logarithm("c"), twin=True),
    ],
    ids=repr,
)
def test_parameters_that_make_no_sense_are_refused_when_fitted(encoder: Encoder) -> None:
    with pytest.raises(errors.ParameterError):
        encoder.fit(pd.DataFrame({"c": range(300)}))


def test_a_column_of_another_kind_than_fitted_is_refused() -> None:
    numbers, days = pd.DataFrame({"c": [1.0, 2.0]}), pd.DataFrame({"c": DAYS})
    for encoder in (Norm("c"), Discrete("c"), Quantile("c"), Uniform("c")):
        with pytest.raises(errors.DataFault, match="holds moments, and numbers were fitted"):
            encoder.fit(numbers).transform(days)
        with pytest.raises(errors.DataFault, match="holds numbers, and moments were fitted"):
            encoder.fit(days).transform(numbers)


def test_a_column_that_stands_there_twice_is_refused() -> None:
    frame = pd.DataFrame([[1, 2, 3]], columns=["c", "c", "d"])
    with pytest.raises(errors.DataFault, match="column 'c' stands there more than once"):
        Norm("c").fit(frame)
    Norm("d").fit(frame)


def test_moments_with_and_without_a_time_zone_are_not_compared() -> None:
    frame = pd.DataFrame({"a": DAYS, "b": DAYS.tz_localize("UTC")})
    with pytest.raises(errors.DataFault, match="cannot be compared"):
        Equals("a", "b").fit(frame)


def test_an_unknown_parameter_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(errors.ParameterError, match="Did you mean 'bins'"):
        Discrete("c").set_params(bin=3)


def test_a_column_or_an_array_will_do_where_it_is_clear_what_it_is() -> None:
    codes = np.array([[2], [3], [2]])
    encoder = Unique("c")
    for given in (
        pd.Series(["a", "b", "a"]),
        np.array(["a", "b", "a"]),
        np.array([["a"], ["b"], ["a"]]),
        ["a", "b", "a"],
    ):
        assert encoder.fit_transform(given).tolist() == codes.tolist()
    both = Equals("a", "b").fit_transform(np.array([[1, 1], [1, 2]]))
    assert both.ravel().tolist() == [1, 0]
    with pytest.raises(errors.DataFault, match="2 columns, and c are to be read"):
        Norm("c").fit(np.ones((3, 2)))
    with pytest.raises(errors.DataFault, match="reads a, b"):
        Equals("a", "b").fit(pd.Series([1]))
    with pytest.raises(errors.DataFault, match="3 dimensions"):
        Norm("c").fit(np.ones((3, 1, 2)))
    with pytest.raises(errors.DataFault, match="none at position 7"):
        Norm(7).fit(np.ones((3, 2)))
    with pytest.raises(errors.DataFault, match="no array"):
        NestedUnique("c").fit([["a"], ["a", "b"]])


def test_codes_of_another_shape_are_refused() -> None:
    encoder = NestedUnique("c").fit(pd.DataFrame({"c": [["a", "b"]]}))
    with pytest.raises(errors.DataFault, match=r"\(2,\): give 2 for each row"):
        encoder.inverse_transform([2, 3])


def test_static_has_no_inverse(tmp_path: Any) -> None:
    (tmp_path / "v.txt").write_text("a 1 2\n")
    encoder = Static("c", tmp_path / "v.txt").fit(pd.DataFrame({"c": ["a"]}))
    with pytest.raises(errors.DataFault, match="no inverse"):
        encoder.inverse_transform([[1.0, 2.0]])


def test_infinite_values_are_said(caplog: pytest.LogCaptureFixture) -> None:
    Norm("c").fit(pd.DataFrame({"c": [1.0, np.inf, np.nan, -np.inf]}))
    assert "2 infinite values in 4 rows are left out" in caplog.text


def test_numbers_are_read_from_every_type() -> None:
    expected = Norm("c", dtype="float64").fit_transform(pd.DataFrame({"c": [1.0, np.nan, 3.0]}))
    for values in (
        pd.array([1, None, 3], dtype="Int64"),
        pd.array([1, None, 3], dtype="Float32"),
        pd.array([1, None, 3], dtype="int64[pyarrow]"),
        pd.Series([Decimal(1), None, Decimal(3)]),
        pd.Series([1, None, 3.0], dtype=object),
        pd.Series([1, None, 3]).astype("category"),
        np.array([1, np.nan, 3], dtype=np.float16),
    ):
        found = Norm("c", dtype="float64").fit_transform(pd.DataFrame({"c": values}))
        np.testing.assert_allclose(found, expected, atol=1e-12)


def test_lists_are_read_from_every_type() -> None:
    import pyarrow as pa

    expected = [[2, 3], [4, 4], [2, 4]]
    for values in (
        pd.Series([["a", "b"], None, ["a"]]),
        pd.Series([("a", "b"), None, ("a",)]),
        pd.Series([np.array(["a", "b"]), None, np.array(["a"])]),
        pd.Series([["a", "b"], None, ["a"]], dtype=pd.ArrowDtype(pa.list_(pa.string()))),
        pd.Series([["z"], ["a", "b"], None, ["a"]], dtype=pd.ArrowDtype(pa.large_list(pa.string()))).iloc[1:],
    ):
        assert NestedUnique("c").fit_transform(pd.DataFrame({"c": values})).tolist() == expected


def test_text_is_read_from_every_type() -> None:
    for values in (
        pd.Series(["a b", None, "b"]),
        pd.Series(["a b", None, "b"], dtype=object),
        pd.Series(["a b", None, "b"]).astype("category"),
        pd.Series(["a b", None, "b"], dtype="string[python]"),
        pd.Series(["a b", None, "b"], dtype="string[pyarrow]"),
    ):
        assert Token("c").fit_transform(pd.DataFrame({"c": values})).tolist() == [[2, 3], [4, 4], [3, 4]]
        assert Unique("c").fit_transform(pd.DataFrame({"c": values})).ravel().tolist() == [2, 4, 3]
    half = pd.DataFrame({"c": pd.Series(["\ud800b a", 1], dtype=object)})
    assert Token("c").fit_transform(half).shape == (2, 2)


def test_encoders_can_be_picked_by_their_tags() -> None:
    one, two, three = Norm("a", tags=("x", "y")), Norm("b", tags=["y"]), Norm("c")
    assert tagged((one, two, three), "x") == (one,)
    assert tagged((one, two, three), "x", "y") == (one, two)
    assert tagged(one, "z") == ()
    assert Norm("d").tags == ()


def test_columns_that_are_read_are_declared_once_each_and_in_order() -> None:
    assert Norm(Ratio("b", "a")).inputs == ("b", "a")
    assert Norm("a", twin=True).inputs == ("a", "a_twin")
    assert Equals("a", Ratio("b", "a")).inputs == ("a", "b")
    assert Norm(Ratio("b", "a")).name == "norm_b_ratio"
    assert repr(Norm(Ratio("b", "a"), tags=("x",))) == "Norm(Ratio('b', 'a'), tags=('x',))"


def test_a_transformer_sees_no_column_that_it_has_not_declared() -> None:
    class Seen(Ratio):
        def transform(self, frame: pd.DataFrame) -> pd.Series:
            seen.append(tuple(frame.columns))
            return super().transform(frame)

    seen: list[tuple[str, ...]] = []
    frame = pd.DataFrame({"secret": [1.0, 2.0], "a": [1.0, 2.0], "b": [2.0, 3.0]})
    Norm(Seen("b", "a")).fit(frame).transform(frame)
    Equals(Seen("b", "a"), "a").fit(frame).transform(frame)
    assert set(seen) == {("b", "a")}


def test_nothing_of_an_earlier_fit_remains() -> None:
    encoder = Norm("c").fit(pd.DataFrame({"c": [1.0, 2.0]}))
    assert encoder.feature_names_in_.tolist() == ["c"]
    encoder.fit(np.array([1.0, 2.0]))
    assert not hasattr(encoder, "feature_names_in_")
    with pytest.raises(errors.DataFault):
        encoder.fit(pd.DataFrame({"c": ["x"]}))
    with pytest.raises(errors.NotFitted):
        encoder.transform(pd.DataFrame({"c": [1.0]}))


def test_many_rows_are_encoded_block_by_block_and_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.unit.data.encoders.cases import CASES, rows

    frame = rows()
    whole = {name: make().fit(frame).transform(frame) for name, make in CASES.items()}
    monkeypatch.setattr("mlpipeline.data.encoder.BLOCK_ROWS", 3)
    monkeypatch.setattr("mlpipeline.data.encoders.tokens.BLOCK_ROWS", 3)
    for name, make in CASES.items():
        np.testing.assert_array_equal(make().fit(frame).transform(frame), whole[name], err_msg=name)
