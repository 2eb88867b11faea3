"""Synthetic look-alikes: the same columns, types, shares and correlations, and no value that only few rows had."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpipeline import errors
from mlpipeline.data.synthetic import Portrait, look_alike

ROWS = 2000


def people() -> pd.DataFrame:
    """Returns rows in which names, incomes, cities and flags go together."""
    generator = np.random.default_rng(7)
    age = generator.normal(45, 12, ROWS).clip(18, 95)
    elsewhere = np.where(generator.random(ROWS) > 0.5, "York", "Ely")
    city = np.where(age + generator.normal(0, 8, ROWS) > 50, "Bath", elsewhere).astype(object)
    city[:3] = ["Nowhere", "Atlantis", "Oz"]
    frame = pd.DataFrame(
        {
            "age": age.astype(int),
            "income": (age * 1000 + generator.normal(0, 8000, ROWS)).round(2),
            "city": city,
            "is_member": age > 50,
            "visits": generator.poisson(2, ROWS),
            "ratio": generator.random(ROWS),
            "joined": pd.Timestamp("2020-01-01") + pd.to_timedelta(generator.integers(0, 900, ROWS), unit="D"),
            "seen": pd.Timestamp("2024-01-01", tz="Asia/Seoul")
            + pd.to_timedelta(generator.random(ROWS) * 1e6, unit="s"),
            "stay": pd.to_timedelta(generator.integers(1, 500, ROWS), unit="min"),
            "size": pd.Categorical(generator.choice(["S", "M", "L"], ROWS), ["S", "M", "L"], ordered=True),
            "key": np.arange(ROWS) + 10_000,
            "name": [f"person {number}" for number in range(ROWS)],
            "score": pd.array(generator.integers(0, 5, ROWS), dtype="Int64"),
        }
    )
    frame.loc[generator.random(ROWS) < 0.25, ["income", "score"]] = None
    frame.loc[generator.random(ROWS) < 0.1, "city"] = None
    return frame


REAL = people()
FAKE = look_alike(REAL, seed=3)


def test_columns_types_and_rows_are_the_same() -> None:
    assert list(FAKE.columns) == list(REAL.columns)
    assert len(FAKE) == ROWS
    assert FAKE.dtypes.drop("size").to_dict() == REAL.dtypes.drop("size").to_dict()
    assert FAKE["size"].cat.categories.tolist() == ["S", "M", "L"]
    assert FAKE["size"].cat.ordered


def test_shares_of_missing_values_are_the_same() -> None:
    assert FAKE.isna().mean().to_numpy() == pytest.approx(REAL.isna().mean().to_numpy(), abs=1 / ROWS)


@pytest.mark.parametrize("name", ["city", "is_member", "visits", "size", "score"])
def test_frequencies_are_kept(name: str) -> None:
    real = REAL[name].value_counts(normalize=True)
    fake = FAKE[name].value_counts(normalize=True).reindex(real.index, fill_value=0)
    assert fake.to_numpy(dtype=float) == pytest.approx(real.to_numpy(dtype=float), abs=0.03)


@pytest.mark.parametrize("name", ["age", "income", "ratio", "joined", "seen", "stay"])
def test_quantiles_are_kept(name: str) -> None:
    real, fake = (_numbers(frame[name]).quantile([0.1, 0.25, 0.5, 0.75, 0.9]).to_numpy() for frame in (REAL, FAKE))
    assert np.abs(real - fake).max() < 0.05 * (real.max() - real.min())


@pytest.mark.parametrize("pair", [("age", "income"), ("age", "is_member"), ("age", "ratio"), ("income", "is_member")])
def test_correlations_are_kept_roughly(pair: tuple[str, str]) -> None:
    real, fake = (frame[list(pair)].rank().corr().iloc[0, 1] for frame in (REAL, FAKE))
    assert fake == pytest.approx(real, abs=0.12)


def test_text_goes_with_numbers_as_it_did() -> None:
    real, fake = (frame["age"].groupby(frame["city"] == "Bath").mean().diff().iloc[1] for frame in (REAL, FAKE))
    assert fake == pytest.approx(real, rel=0.35)


def test_what_was_missing_together_is_missing_together() -> None:
    both = (FAKE["income"].isna() & FAKE["score"].isna()).mean()
    assert both > 0.8 * FAKE["income"].isna().mean()


def test_what_is_missing_goes_with_values_as_it_did() -> None:
    real = REAL[["age"]].assign(pension=REAL["age"].astype(float).where(REAL["age"] > 60))
    fake = look_alike(real)
    assert fake["age"][fake["pension"].isna()].mean() < fake["age"][fake["pension"].notna()].mean() - 10


def test_no_rare_value_is_copied() -> None:
    copied = {}
    for name in REAL.columns:
        counts = REAL[name].value_counts()
        rare = set(counts[counts < 5].index)
        copied[name] = [value for value in FAKE[name].dropna() if value in rare]
    assert {name: values for name, values in copied.items() if values} == {}


def test_text_that_was_different_everywhere_stays_so() -> None:
    assert FAKE["name"].nunique() > 0.9 * ROWS
    assert FAKE["name"].str.startswith("name-").all()


def test_numbers_keep_their_decimals_and_dates_their_midnights() -> None:
    assert (FAKE["income"].dropna().round(2) == FAKE["income"].dropna()).all()
    assert (FAKE["joined"] == FAKE["joined"].dt.normalize()).all()


def test_the_same_seed_gives_the_same_rows() -> None:
    pd.testing.assert_frame_equal(look_alike(REAL, seed=3), FAKE)
    assert not look_alike(REAL, seed=4).equals(FAKE)


def test_as_many_rows_as_wanted_are_drawn() -> None:
    assert len(look_alike(REAL, 10)) == 10
    assert len(look_alike(REAL, 0)) == 0


def test_what_goes_in_is_not_changed() -> None:
    before = people()
    look_alike(before)
    pd.testing.assert_frame_equal(before, people())


def test_types_alone_will_do() -> None:
    types = {
        "whole": "int32",
        "part": "float32",
        "flag": "bool",
        "text": "str",
        "when": "datetime64[us]",
        "where": "datetime64[ns, UTC]",
        "long": "timedelta64[s]",
        "kind": pd.CategoricalDtype(["a", "b"]),
        "maybe": "Int64",
    }
    fake = Portrait.of_types(types).sample(50, seed=1)
    assert fake.dtypes.to_dict() == {name: pd.api.types.pandas_dtype(dtype) for name, dtype in types.items()}
    assert len(fake) == 50
    assert (fake.nunique() > 1).all()


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "column 'a' stands there more than once"),
        (pd.DataFrame({"a": [[1], [2]]}), "column 'a' holds what cannot be compared"),
    ],
)
def test_what_cannot_be_portrayed_is_said(frame: pd.DataFrame, message: str) -> None:
    with pytest.raises(errors.DataFault, match=message):
        look_alike(frame)


def test_a_value_in_one_row_is_never_frequent() -> None:
    with pytest.raises(errors.DataFault, match="at least 2"):
        look_alike(REAL, minimum_occurrences=1)


def test_a_type_without_an_idea_is_refused() -> None:
    with pytest.raises(errors.DataFault, match="column 'a': nothing can be made up of type complex128"):
        Portrait.of_types({"a": "complex128"})


def _numbers(values: pd.Series) -> pd.Series:
    return values if pd.api.types.is_numeric_dtype(values) else values.astype("int64")


CELLS: dict[str, st.SearchStrategy[Any]] = {
    "float64": st.floats(),
    "int64": st.integers(-(2**40), 2**40),
    "bool": st.booleans(),
    "str": st.none() | st.text(max_size=3),
    "object": st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=2),
}


@given(st.data(), st.integers(0, 30), st.integers(0, 30))
def test_any_frame_can_be_portrayed_without_copying_what_is_rare(data: st.DataObject, rows: int, drawn: int) -> None:
    columns = {name: data.draw(st.lists(cells, min_size=rows, max_size=rows)) for name, cells in CELLS.items()}
    real = pd.DataFrame({name: pd.Series(values, dtype=name) for name, values in columns.items()})
    fake = look_alike(real, drawn)
    assert fake.dtypes.to_dict() == real.dtypes.to_dict()
    assert len(fake) == drawn
    for name in ("float64", "int64", "str"):
        counts = real[name].value_counts()
        rare = counts[counts < 5].index
        if counts.sum() >= 5 or name == "str":  # of fewer rows only the type is kept
            rare = rare[np.isfinite(rare)] if name == "float64" else rare
            assert not fake[name].dropna().isin(rare).any()
