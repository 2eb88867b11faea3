"""Splits: the fractions, what stays together, and that nothing but content and seed decides."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpipeline.data.lore_split import LoreSplit
from mlpipeline.data.split import LEFT_OUT, TRAINING, Keys, Split, part_sizes
from mlpipeline.errors import DataFault


def rows(count: int = 1000) -> pd.DataFrame:
    random = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "id": np.arange(count),
            "user": np.arange(count) % 50,
            "price": random.normal(size=count),
            "name": [f"name {number}" for number in random.integers(0, 99, count)],
            "is_rare": random.random(count) < 0.05,
        }
    )


def sizes(split: Split | LoreSplit, frame: pd.DataFrame) -> list[int]:
    return [len(places) for places in split.indices(frame)]


@pytest.mark.parametrize(
    ("count", "expected"), [(1000, [800, 100, 100]), (10, [8, 1, 1]), (15, [13, 1, 1]), (3, [1, 1, 1])]
)
def test_validation_and_test_are_rounded_down_but_not_to_nothing(count: int, expected: list[int]) -> None:
    assert sizes(Split(), rows(count)) == expected


@given(
    count=st.integers(3, 400),
    fractions=st.sampled_from(
        [(0.8, 0.1, 0.1), (0.6, 0.3, 0.1), (1 / 3, 1 / 3, 1 / 3), (0.9, 0.1, 0.0), (1.0, 0, 0), (0, 0.5, 0.5)]
    ),
    seed=st.integers(0, 99),
)
def test_every_row_is_in_one_part_and_fractions_hold(count: int, fractions: tuple[float, ...], seed: int) -> None:
    parts = Split(fractions=fractions, seed=seed).indices(rows(count))  # type: ignore[arg-type]
    assert sorted(np.concatenate(parts)) == list(range(count))
    for places, fraction in zip(parts, fractions, strict=True):
        assert abs(len(places) - count * fraction) < 2
        assert bool(len(places)) == bool(fraction)
        assert (np.diff(places) > 0).all(), "rows keep the order of the data"


def test_the_order_of_rows_and_columns_changes_nobodys_part() -> None:
    frame = rows()
    shuffled = frame.sample(frac=1, random_state=1)[["price", "is_rare", "id", "name", "user"]]
    for split in (
        Split(),
        Split(group_by="user"),
        Split(stratify_by="is_rare"),
        Split(sizes="stable"),
        Split(subsample=99),
    ):
        for one, other in zip(split.indices(frame), split.indices(shuffled), strict=True):
            assert set(frame.id.iloc[one]) == set(shuffled.id.iloc[other])


@given(cuts=st.lists(st.integers(0, 300), max_size=4))
def test_chunks_are_split_as_the_whole(cuts: list[int]) -> None:
    frame = rows(300)
    frame["price"] = frame["id"].where(frame["id"] % 7 > 0)  # whole numbers in chunks that lack none of them
    edges = [0, *sorted(cuts), 300]
    chunks = [frame.iloc[begin:end] for begin, end in pairwise(edges)]
    chunks = [chunk.assign(price=chunk.price.astype(int)) if chunk.price.notna().all() else chunk for chunk in chunks]
    for split in (Split(), Split(group_by="name"), Split(stratify_by="is_rare"), Split(sizes="stable")):
        keys = Keys.joined([split.keys(chunk) for chunk in chunks])
        assert np.array_equal(split.assign(keys), split.assign(split.keys(frame)))


def test_the_split_is_the_same_on_every_machine() -> None:
    """What is written here was seen once; it changes only when everybody's splits do."""
    training, validation, test = Split(seed=1).indices(rows(1000)[["id", "name"]])
    assert [training[:5].tolist(), validation[:5].tolist(), test[:5].tolist()] == [
        [1, 2, 4, 5, 6],
        [0, 18, 26, 32, 37],
        [3, 12, 43, 52, 62],
    ]


def test_another_seed_is_another_split() -> None:
    assert not np.array_equal(Split(seed=1).indices(rows())[2], Split(seed=2).indices(rows())[2])


def test_groups_stay_together_and_fractions_are_of_groups() -> None:
    frame = rows()
    parts = Split(group_by="user").indices(frame)
    users = [set(frame.user.iloc[places]) for places in parts]
    assert [len(each) for each in users] == [40, 5, 5]
    assert [len(places) for places in parts] == [800, 100, 100]
    assert sum(map(len, users)) == len(set.union(*users))


def test_rows_without_a_group_are_one_group() -> None:
    frame = rows(100).assign(user=[None if number % 4 else float(number) for number in range(100)])
    codes = Split(group_by="user").assign(Split(group_by="user").keys(frame))
    assert len(set(codes[frame.user.isna()])) == 1


@given(shares=st.lists(st.integers(1, 40), min_size=1, max_size=6), seed=st.integers(0, 9))
def test_strata_have_the_same_proportions_give_or_take_a_row(shares: list[int], seed: int) -> None:
    labels = np.repeat([f"label {number}" for number in range(len(shares))], shares)
    frame = pd.DataFrame({"label": labels, "id": np.arange(len(labels))})
    if len(frame) < 3:
        return
    exact = part_sizes(len(frame), (0.6, 0.2, 0.2))
    parts = Split(fractions=(0.6, 0.2, 0.2), stratify_by="label", seed=seed).indices(frame)
    assert tuple(len(places) for places in parts) == exact
    for label, count in frame.label.value_counts().items():
        for places, size in zip(parts, exact, strict=True):
            assert abs((frame.label.iloc[places] == label).sum() - count * size / len(frame)) < 2


def test_equal_rows_are_divided_too() -> None:
    frame = pd.concat([pd.DataFrame({"a": [0, 0, 1, 1], "b": [0, 1, 0, 1]})] * 250, ignore_index=True)
    assert sizes(Split(), frame) == [800, 100, 100]


def test_with_stable_sizes_added_rows_move_nobody() -> None:
    split, frame = Split(sizes="stable"), rows(2000)
    before, after = split.assign(split.keys(frame[:1000])), split.assign(split.keys(frame))
    assert np.array_equal(before, after[:1000])
    assert abs((after == TRAINING).mean() - 0.8) < 0.05
    assert len(set(after)) == 3


def test_with_a_row_key_added_columns_move_nobody() -> None:
    split = Split(row_key=("id",))
    for one, other in zip(split.indices(rows()), split.indices(rows().assign(new=1)), strict=True):
        assert np.array_equal(one, other)


def test_a_subsample_is_of_rows_or_of_groups_and_goes_its_own_way() -> None:
    assert sizes(Split(subsample=100), rows()) == [80, 10, 10]
    assert sizes(Split(subsample=10, group_by="user"), rows()) == [160, 20, 20]
    codes = Split(subsample=500).assign(Split(subsample=500).keys(rows()))
    assert (codes == LEFT_OUT).sum() == 500
    chosen = set(np.flatnonzero(codes != LEFT_OUT))
    assert 200 < len(chosen & set(Split().indices(rows())[0][:500])) < 300, "it is not drawn by the split's own hash"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"fractions": (0.8, 0.1, 0.2)}, "sum to 1.1"),
        ({"fractions": (0.8, 0.2)}, "(0.8, 0.2)"),
        ({"fractions": (1.2, -0.1, -0.1)}, "-0.1"),
        ({"fractions": (float("nan"), 0.5, 0.5)}, "nan"),
        ({"subsample": 0}, "subsample is 0"),
        ({"subsample": 0.5}, "subsample is 0.5"),
        ({"subsample": True}, "subsample is True"),
        ({"sizes": "nearly"}, "'exact' or 'stable'"),
        ({"group_by": "user", "stratify_by": "name"}, "group_by"),
        ({"sizes": "stable", "stratify_by": "name"}, "stable"),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(DataFault) as raised:
        Split(**options)  # type: ignore[arg-type]
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("split", "said"),
    [
        (Split(group_by="nobody"), "'nobody'"),
        (Split(stratify_by="nothing"), "'nothing'"),
        (Split(row_key=("key",)), "'key'"),
        (Split(group_by="one"), "too few groups of 'one' (1)"),
        (Split(subsample=1001), "only 1000 rows"),
        (Split(subsample=51, group_by="user"), "only 50 groups of 'user'"),
    ],
)
def test_what_the_data_does_not_allow_is_said(split: Split, said: str) -> None:
    with pytest.raises(DataFault) as raised:
        split.indices(rows().assign(one=1))
    assert said in str(raised.value)


def test_too_few_rows_are_said() -> None:
    with pytest.raises(DataFault, match=r"too few rows \(2\)"):
        Split().indices(rows(2))
    with pytest.raises(DataFault, match="none of 3 rows fell to"):
        Split(sizes="stable").indices(rows(3))


# Facts of Lore: sizes, and the very rows.


@pytest.mark.parametrize(
    ("count", "expected"),
    [(1000, [810, 100, 90]), (100, [81, 10, 9]), (10, [8, 1, 1]), (3000, [2430, 300, 270]), (4000, [3240, 400, 360])],
)
def test_lores_sizes(count: int, expected: list[int]) -> None:
    assert sizes(LoreSplit(), rows(count)) == expected


def test_lores_rows_in_lores_order() -> None:
    training, validation, test = LoreSplit().indices(rows(1000))
    assert test[:5].tolist() == [393, 276, 252, 461, 853]
    assert training[:5].tolist() == [716, 828, 886, 499, 354]
    assert validation[:5].tolist() == [507, 818, 452, 368, 242]


def test_lores_groups_and_subsamples() -> None:
    frame = rows()
    parts = LoreSplit(group_by="user").indices(frame)
    users = [set(frame.user.iloc[places]) for places in parts]
    assert [len(places) for places in parts] == [800, 100, 100]
    assert [len(each) for each in users] == [40, 5, 5]
    assert len(set.union(*users)) == 50
    assert sizes(LoreSplit(subsample=100), frame) == [81, 10, 9]
    assert sizes(LoreSplit(subsample=10, group_by="user"), frame) == [160, 20, 20]
    with pytest.raises(ValueError, match="only 1000 rows"):
        LoreSplit(subsample=1001).indices(frame)


def test_lores_split_says_what_it_cannot() -> None:
    with pytest.raises(DataFault, match="test_size is 1"):
        LoreSplit(test_size=1)
    with pytest.raises(DataFault, match="too few rows"):
        LoreSplit().indices(rows(1))
    with pytest.raises(DataFault, match="'nobody'"):
        LoreSplit(group_by="nobody").indices(rows())
