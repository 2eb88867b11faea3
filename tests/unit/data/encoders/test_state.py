"""What was learnt is kept as plain values, and read without running anybody's code."""

from __future__ import annotations

import gzip
import json
import sys
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import pytest

from mlpipeline import errors
from mlpipeline.data.encoder import Encoder
from mlpipeline.data.encoders import Norm, Static, Unique

FRAME = pd.DataFrame({"c": [1.0, 2.0]})


class Doubled(Norm):
    """A user's own kind."""

    def _encode(self, values: pd.Series) -> np.ndarray:
        return super()._encode(values) * 2


def test_a_users_own_class_is_found_where_it_is_imported() -> None:
    state = Doubled("c").fit(FRAME).state()
    assert state["class"] == f"{__name__}:Doubled"
    assert type(Encoder.from_state(state)) is Doubled


@pytest.mark.parametrize("name", ["Nobody", "os:system", "mlpipeline.data.encoders.unheard_of:Norm", "Encoder"])
def test_an_unknown_class_is_refused_and_nothing_is_imported(name: str) -> None:
    state = Norm("c").fit(FRAME).state() | {"class": name}
    before = set(sys.modules)
    with pytest.raises(errors.DataFault, match="there is no encoder"):
        Encoder.from_state(state)
    assert set(sys.modules) == before


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": 99}, "format 99"),
        ({"parameters": {"column": "c"}}, "was saved with column and has"),
        ({"learnt": {"mean_": {"odd": 1}}}, "kind 'odd'"),
        ({"learnt": {"mean_": {"float": "x"}}}, "a saved float is damaged"),
        ({"learnt": {"mean_": {"a": 1, "b": 2}}}, "tags a, b"),
    ],
)
def test_a_damaged_state_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(errors.DataFault, match=said):
        Encoder.from_state(Norm("c").fit(FRAME).state() | change)


def test_a_state_without_a_part_is_refused() -> None:
    state = Norm("c").fit(FRAME).state()
    del state["learnt"]
    with pytest.raises(errors.DataFault, match="without learnt"):
        Encoder.from_state(state)


def test_a_state_of_another_class_than_wanted_is_refused() -> None:
    with pytest.raises(errors.DataFault, match="Norm, and Unique is wanted"):
        Unique.from_state(Norm("c").fit(FRAME).state())


def test_what_no_file_can_hold_is_refused() -> None:
    with pytest.raises(errors.DataFault, match="cannot be saved"):
        Norm("c", tags=(lambda: 0,)).fit(FRAME).state()  # type: ignore[arg-type]


def test_values_of_every_type_come_back_equal() -> None:
    values = [
        True, 2**70, 1.5, np.inf, "ä", b"\x00\xff", date(2020, 1, 2), pd.Timestamp("2020-01-01 00:00:00.123456789"),
        pd.Timestamp("2020-01-01", tz="Europe/Berlin"), Decimal("1.10"), timedelta(days=1, microseconds=3), UUID(int=5),
        np.int64(7),
    ]  # fmt: skip
    frame = pd.DataFrame({"c": pd.Series(values, dtype=object)})
    encoder = Unique("c").fit(frame)
    loaded = Encoder.from_state(json.loads(json.dumps(encoder.state(), allow_nan=False)))
    assert loaded.vocabulary_.values == encoder.vocabulary_.values
    np.testing.assert_array_equal(loaded.transform(frame), encoder.transform(frame))
    assert len(set(loaded.transform(frame).ravel().tolist())) == len(values)


@pytest.mark.parametrize("kind", ["txt", "vec", "txt.gz", "npz", "parquet"])
def test_vectors_are_read_from_every_kind_of_file(kind: str, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    words, vectors = ["one", "two"], np.array([[1, 0], [0, 3]], dtype=np.float32)
    path = tmp_path / f"vectors.{kind}"
    text = "one 1 0\ntwo 0 3\n"
    if kind == "npz":
        np.savez(path, words=np.array(words), vectors=vectors)
    elif kind == "parquet":
        pq.write_table(pa.table({"word": words, "vector": vectors.tolist()}), path)
    elif kind == "txt.gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(("2 2\n" if kind == "vec" else "") + text)
    frame = pd.DataFrame({"c": ["One two", "one!", "nothing", None]})
    encoder = Static("c", path).fit(frame)
    path.unlink()
    loaded = Encoder.from_state(encoder.state())
    assert loaded.transform(frame).tolist() == [[0.5, 1.5], [1, 0], [0, 0], [0, 0]]
    assert loaded.feature_names == ("static_c_0", "static_c_1")


@pytest.mark.parametrize(
    ("content", "said"),
    [("a 1 2\nb 1\n", "line 2: 1 numbers where 2"), ("a 1 x\n", "line 1: "), ("", "0 words")],
)
def test_a_faulty_file_of_vectors_is_refused_with_its_line(content: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_text(content)
    with pytest.raises(errors.DataFault, match=said):
        Static("c", tmp_path / "v.txt").fit(pd.DataFrame({"c": ["a"]}))


def test_a_missing_library_is_named_with_the_extra_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import mlpipeline.data.encoders as encoders

    monkeypatch.setitem(sys.modules, "pandas", None)
    monkeypatch.delitem(vars(encoders), "Pass", raising=False)
    with pytest.raises(errors.MissingExtra, match=r"mlpipeline\[data\]"):
        _ = encoders.Pass
