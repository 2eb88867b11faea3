"""Tables and models come back exactly as they were kept, and damage is noticed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_diabetes

from mlpipeline.errors import DataFault, NotWritable
from mlpipeline.workflow.components import frames
from mlpipeline.workflow.components.digest_version_control import DigestVersionControl

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DigestVersionControl:
    (tmp_path / "mlp.config").write_text("")
    monkeypatch.chdir(tmp_path)
    return DigestVersionControl()


def varied() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "text": ["it's", None, "Ümläut"],
            "object": pd.Series(["a", None, "b"], dtype=object),
            "bytes": pd.Series([b"x", None, b"y"], dtype=object),
            "float": [1.5, np.nan, np.inf],
            "half": np.array([1, 2, 3], dtype="float16"),
            "small": np.array([1, 2, 3], dtype="int8"),
            "nullable": pd.array([1, None, 3], dtype="Int64"),
            "flag": pd.array([True, None, False], dtype="boolean"),
            "kind": pd.Categorical(["b", "a", None], categories=["c", "b", "a"], ordered=True),
            "seconds": pd.to_datetime(["2020-01-01", None, "2262-05-01"]).as_unit("s"),
            "zone": pd.to_datetime(["2020-01-01"] * 3, utc=True).tz_convert("Europe/Berlin"),
            "took": pd.to_timedelta([1, 2, None], unit="ms"),
            "month": pd.period_range("2020-01", periods=3, freq="M"),
        },
        index=pd.MultiIndex.from_tuples([("x", 3), ("y", 1), ("x", 2)], names=["group", "n"]),
    )


@pytest.mark.parametrize(
    "frame",
    [
        load_diabetes(as_frame=True).frame,
        varied(),
        varied().iloc[:0],
        pd.DataFrame({"a": [1, 2]}, index=[5, 3]),
        pd.DataFrame(index=pd.Index(["p", "q"], name="key")),
        pd.DataFrame({1: [1.0], 2: [2.0]}),
    ],
    ids=["diabetes", "varied", "empty", "index", "no-columns", "numbered-columns"],
)
def test_rows_come_back_as_they_were(kept: DigestVersionControl, frame: pd.DataFrame) -> None:
    digest, place = kept.version_data(frame, "d")
    pd.testing.assert_frame_equal(kept.get_data(digest), frame, check_exact=True)
    assert Path(place).is_file()
    assert kept.version_data(frame.copy(), "again") == (digest, place)
    assert [path.name for path in Path(place).parents[1].iterdir()] == [digest]


@settings(max_examples=30, deadline=None)
@given(
    values=st.lists(
        st.tuples(st.floats(), st.none() | st.text(st.characters(exclude_categories=["Cs"])), st.integers(-9, 9))
    )
)
def test_any_rows_come_back(tmp_path_factory: pytest.TempPathFactory, values: list[tuple[float, str, int]]) -> None:
    columns = {
        "f": np.array([each[0] for each in values], dtype=float),
        "s": pd.array([each[1] for each in values], "str"),
    }
    frame = pd.DataFrame(columns, index=[each[2] for each in values])
    directory = tmp_path_factory.mktemp("frame")
    frames.write(frame, directory)
    pd.testing.assert_frame_equal(frames.read(directory), frame, check_exact=True)


def test_every_difference_is_another_digest() -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": pd.Categorical(["x", "y"])})
    others = [
        frame.iloc[::-1],
        frame.iloc[::-1].reset_index(drop=True),
        frame[["b", "a"]],
        frame.rename(columns={"a": "c"}),
        frame.astype({"a": "int32"}),
        frame.astype({"a": float}),
        frame.assign(a=[1, 3]),
        frame.set_axis([1, 2], axis=0),
        frame.rename_axis(index="i"),
        frame.assign(b=frame["b"].cat.reorder_categories(["y", "x"])),
        frame.assign(b=frame["b"].cat.as_ordered()),
        frame.iloc[:1],
        frame.drop(columns="b"),
    ]
    assert len({frames.digest(each) for each in [frame, *others]}) == 1 + len(others)
    assert frames.digest(frame.copy()) == frames.digest(frame)


def test_another_process_has_the_same_digest(tmp_path: Path) -> None:
    script = (
        "from sklearn.datasets import load_diabetes; from mlpipeline.workflow.components import frames\n"
        "print(frames.digest(load_diabetes(as_frame=True).frame.astype({'sex': str})))"
    )
    told = subprocess.run(
        [sys.executable, "-c", script], env={"PYTHONPATH": str(ROOT)}, capture_output=True, check=True
    )
    assert told.stdout.decode().strip() == frames.digest(load_diabetes(as_frame=True).frame.astype({"sex": str}))


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        (pd.DataFrame({"mixed": pd.Series([1, "a"], dtype=object)}), "mixed"),
        (pd.DataFrame({"lists": [[1], [2]]}), "column 'lists'"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "'a'"),
        (pd.DataFrame([[1, 2]], columns=["a", 1]), "must be text"),
    ],
)
def test_rows_that_would_change_are_refused(kept: DigestVersionControl, frame: pd.DataFrame, told: str) -> None:
    with pytest.raises(DataFault, match=told):
        kept.version_data(frame, "d")
    assert not list(Path("models/outputs/contents").glob("*"))


def test_damaged_rows_are_noticed_and_can_be_kept_again(kept: DigestVersionControl) -> None:
    frame = pd.DataFrame({"a": np.arange(1000.0)})
    digest, place = kept.version_data(frame, "d")
    content = bytearray(Path(place).read_bytes())
    content[len(content) // 2] ^= 1
    Path(place).write_bytes(content)
    with pytest.raises(DataFault, match="damaged"):
        kept.get_data(digest)
    Path(place).write_bytes(content[:99])
    with pytest.raises(DataFault, match="cannot be read"):
        kept.get_data(digest)
    kept.version_data(frame, "d")
    pd.testing.assert_frame_equal(kept.get_data(digest), frame)


def test_models_come_back_and_damage_is_noticed(kept: DigestVersionControl, tmp_path: Path) -> None:
    model = tmp_path / "fitted"
    (model / "inner").mkdir(parents=True)
    (model / "model.json").write_text("{}")
    (model / "inner/weights.bin").write_bytes(b"\0" * 10)
    digest, place = kept.version_model(model, "m")
    assert kept.version_model(model, "m") == (digest, place)
    (model / "model.json").write_text("[]")
    other, _ = kept.version_model(model, "m")
    assert other != digest
    found = kept.get_model(digest)
    assert (str(found), (found / "model.json").read_text()) == (place, "{}")
    assert (found / "inner/weights.bin").read_bytes() == b"\0" * 10
    (found / "inner/weights.bin").unlink()
    with pytest.raises(DataFault, match="damaged"):
        kept.get_model(digest)


def test_what_is_not_there_is_told(kept: DigestVersionControl, tmp_path: Path) -> None:
    digest, _ = kept.version_data(pd.DataFrame({"a": [1]}), "d")
    for wrong in ("0" * 64, "../../x", ""):
        with pytest.raises(DataFault, match="no rows with the digest"):
            kept.get_data(wrong)
    with pytest.raises(DataFault, match="no model with the digest"):
        kept.get_model(digest)
    with pytest.raises(DataFault, match="is no directory with a model"):
        kept.version_model(tmp_path / "nothing", "m")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataFault, match="is empty"):
        kept.version_model(tmp_path / "empty", "m")
    (tmp_path / "empty/link").symlink_to("/etc/hostname")
    with pytest.raises(DataFault, match="link"):
        kept.version_model(tmp_path / "empty", "m")
    Path("models/outputs/contents").rename(tmp_path / "gone")
    Path("models/outputs/contents").write_text("")
    with pytest.raises(NotWritable, match="contents: cannot be written"):
        kept.version_data(pd.DataFrame({"a": [2]}), "d")
