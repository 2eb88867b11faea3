"""Streams: the same rows, parts and encoders as in memory, from chunks that lie on disk whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from filelock import FileLock

from mlpipeline.data import Holdout, Observations, Streaming, spool_files
from mlpipeline.data.spool import MANIFEST, Spool
from mlpipeline.errors import DataFault, DiskFull, WrongType
from tests.unit.data.stand_ins import Number, Text

COUNT = 1000


def people(count: int = COUNT) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": np.arange(count),
            "first_name": [f"first {number}" for number in range(count)],
            "last_name": [str(number % 100) for number in range(count)],
            "is_subscribed": np.arange(count) % 3 == 0,
            "signed_up": pd.date_range("2026-01-01", periods=count, freq="h"),
        }
    )


class Parts:
    """What the two kinds of dataset share."""

    def get_encoders(self) -> Any:
        return (Number("id", tags=("plain",)), Text("first_name"), Text("last_name"))

    def get_output_encoder(self) -> Any:
        return Number("is_subscribed")


class InMemory(Parts, Holdout):
    frame = people()

    def get_data(self) -> Any:
        return self.frame


class Chunked(Parts, Streaming):
    frame = people()
    chunk = 60
    asked = 0

    def get_data(self) -> Any:
        self.asked += 1
        for begin in range(0, len(self.frame), self.chunk):
            yield self.frame.iloc[begin : begin + self.chunk]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "spools"


@pytest.fixture(autouse=True)
def _many_small_groups_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_files, "ROW_GROUP", 97)
    monkeypatch.setattr(spool_files, "BUCKET", 150)


def together(frames: Any) -> pd.DataFrame:
    return pd.concat(list(frames), ignore_index=True)


# Facts of Lore about iterative pipelines.


def test_lores_sizes_of_rows_and_groups(root: Path) -> None:
    plain, grouped = Chunked(spool_dir=root), Chunked(spool_dir=root, group_by="last_name")
    grouped.chunk = 2
    assert list(plain.row_counts.values()) == [800, 100, 100]
    assert list(grouped.row_counts.values()) == [800, 100, 100]
    names = [
        set(together(part).last_name) for part in (grouped.training_data, grouped.validation_data, grouped.test_data)
    ]
    assert [len(each) for each in names] == [80, 10, 10]
    assert len(set.union(*names)) == 100


def test_lores_sizes_of_a_subsample(root: Path) -> None:
    chunked = Chunked(spool_dir=root, subsample=50)
    encoded = (chunked.encoded_training_data, chunked.encoded_validation_data, chunked.encoded_test_data)
    assert list(chunked.row_counts.values()) == [40, 5, 5]
    assert [len(stream) for stream in encoded] == [40, 5, 5]
    assert [sum(len(each.x) for each in stream) for stream in encoded] == [40, 5, 5]


def test_columns_and_their_types_are_those_of_the_source(root: Path) -> None:
    chunked = Chunked(spool_dir=root)
    assert chunked.columns == list(people().columns)
    (frame,) = chunked.training_data
    assert list(frame.dtypes) == list(people().dtypes)
    assert len(chunked) == COUNT


def test_lores_pieces_by_rows_groups_and_encoders(root: Path) -> None:
    chunked = Chunked(spool_dir=root, group_by="last_name")
    pieces = list(chunked.batches("training", 200, encoded=False))
    assert [len(piece) for piece in pieces] == [200] * 4
    groups = list(chunked.batches("training", 10, encoded=False, whole_groups=True))
    assert [len(group) for group in groups] == [10] * 80
    assert all(group.last_name.nunique() == 1 for group in groups)
    assert sum(len(each.x) for each in chunked.batches("training", 10, whole_groups=True)) == 800
    columns = list(chunked.batches("training", orient="column"))
    assert [list(each.x) for each in columns] == [["number_id"], ["text_first_name"], ["text_last_name"]]
    assert len(chunked.batches("training", orient="column")) == sum(len(each.x) for each in columns) == 3 * 800


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"orient": "diagonal"}, "orient is 'diagonal'"),
        ({"orient": "column", "encoded": False}, "orient is 'column'"),
        ({"whole_groups": True}, "whole_groups needs group_by"),
        ({"part": "train"}, "no part 'train'"),
        ({"size": 0}, "batch is 0"),
        ({"tags": ("new",)}, "no encoder has the tag new"),
    ],
)
def test_arguments_that_cannot_be_are_refused(root: Path, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(DataFault) as raised:
        Chunked(spool_dir=root).batches(**arguments)
    assert said in str(raised.value)


# Streams beside memory.


@pytest.mark.parametrize(
    "options", [{}, {"sizes": "stable"}, {"stratify_by": "last_name"}, {"subsample": 333}, {"split_seed": 5}]
)
def test_a_stream_has_the_rows_and_the_encoding_of_memory(root: Path, options: dict[str, Any]) -> None:
    memory, chunked = InMemory(**options), Chunked(spool_dir=root, **options)
    for part in ("training", "validation", "test"):
        frame = together(getattr(chunked, f"{part}_data"))
        pd.testing.assert_frame_equal(frame, getattr(memory, f"{part}_data"))
        expected = getattr(memory, f"encoded_{part}_data")
        batches = list(chunked.batches(part, 64))
        assert {len(each.x) for each in batches[:-1]} <= {64}
        pd.testing.assert_frame_equal(together(each.x for each in batches), expected.x)
        assert np.array_equal(np.concatenate([each.y for each in batches]), expected.y)


def test_groups_are_those_of_memory(root: Path) -> None:
    memory, chunked = InMemory(group_by="last_name"), Chunked(spool_dir=root, group_by="last_name")
    for part in ("training_data", "validation_data", "test_data"):
        found = together(getattr(chunked, part)).sort_values("id", ignore_index=True)
        pd.testing.assert_frame_equal(found, getattr(memory, part))


def test_encoders_learn_from_the_training_split_alone_each_from_its_own_columns(root: Path) -> None:
    chunked = Chunked(spool_dir=root)
    (fitted,) = chunked.encoders[0].fitted_on
    assert list(fitted) == ["id"]
    assert fitted["id"].tolist() == together(chunked.training_data).id.tolist()
    assert set(chunked.encoders[1].known_) == set(together(chunked.training_data).first_name)


def test_a_stream_begins_anew_each_time(root: Path) -> None:
    stream = Chunked(spool_dir=root).encoded_training_data
    first, second = list(stream), list(stream)
    assert len(first) == len(second) == 1
    assert isinstance(first[0], Observations)


def test_rows_are_encoded_once_and_read_in_later_epochs(root: Path) -> None:
    chunked = Chunked(spool_dir=root)
    first = list(chunked.batches("training", 64))
    encoded = len(chunked.encoders[0].read)
    second = list(chunked.batches("training", 64))
    words = together(each.x for each in chunked.batches("training", 64, tags=("plain",)))
    assert len(chunked.encoders[0].read) == encoded > 0
    pd.testing.assert_frame_equal(together(each.x for each in second), together(each.x for each in first))
    assert np.array_equal(np.concatenate([each.y for each in second]), np.concatenate([each.y for each in first]))
    assert list(words) == ["number_id"]
    assert sorted(path.name for path in root.iterdir()) == [chunked.spool.directory.name], "their file has no name"


def test_what_is_read_in_pieces_is_whole(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, write, read = together(each.x for each in Chunked(spool_dir=root).encoded_test_data), os.pwrite, os.preadv
    monkeypatch.setattr(os, "pwrite", lambda file, content, place: write(file, content[:7], place))
    monkeypatch.setattr(os, "preadv", lambda file, into, place: read(file, [into[0][:5]], place))
    chunked = Chunked(spool_dir=root)
    for _ in range(2):
        pd.testing.assert_frame_equal(together(each.x for each in chunked.encoded_test_data), whole)


def test_where_encoded_rows_cannot_be_kept_they_are_encoded_anew(
    root: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*arguments: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    chunked = Chunked(spool_dir=root)
    assert [sum(len(each.x) for each in chunked.encoded_training_data) for _ in range(2)] == [800, 800]
    assert "each epoch encodes anew: [Errno 28] No space left" in caplog.text


def test_shuffled_batches_hold_the_same_rows_in_another_order(root: Path) -> None:
    chunked = Chunked(spool_dir=root)
    plain, shuffled = (together(chunked.batches("training", 64, encoded=False, seed=seed)) for seed in (None, 3))
    assert plain.id.tolist() != shuffled.id.tolist()
    assert sorted(plain.id) == sorted(shuffled.id)
    again = together(chunked.batches("training", 64, encoded=False, seed=3))
    assert again.id.tolist() == shuffled.id.tolist()
    encoded = together(each.x for each in chunked.batches("training", 64, seed=3))
    assert np.allclose(encoded["number_id"] + chunked.encoders[0].mean_, shuffled["id"])


def test_the_queue_gets_counts_and_streams(root: Path) -> None:
    chunked = Chunked(spool_dir=root)
    assert (chunked.get_train_sample_count(), chunked.get_test_sample_count()) == (800, 100)
    assert sum(len(each.y) for each in chunked.get_test_input()) == 100
    assert "1,000 rows (800 training, 100 validation, 100 test), 3 features" in chunked.get_dataloader_summery()


# What lies on disk.


def test_the_same_rows_are_written_once_and_others_elsewhere(root: Path) -> None:
    first = Chunked(spool_dir=root).spool
    again = Chunked(spool_dir=root)
    again.chunk = 7
    assert again.spool.directory == first.directory
    other = Chunked(spool_dir=root)
    other.frame = people().assign(id=lambda frame: frame["id"] + 1)
    assert other.spool.directory != first.directory
    assert Chunked(spool_dir=root, split_seed=2).spool.directory != first.directory
    assert not [path.name for path in root.iterdir() if path.suffix in (".partial", ".lock")]


def test_rows_that_end_in_the_middle_leave_nothing_behind(root: Path) -> None:
    class Broken(Chunked):
        def get_data(self) -> Any:
            yield people()
            raise ConnectionError("the server is gone")

    with pytest.raises(ConnectionError):
        _ = Broken(spool_dir=root).spool
    assert list(root.iterdir()) == []


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_writes_is_not(root: Path) -> None:
    for name in ("dead", "alive"):
        (root / f"{name}.partial").mkdir(parents=True)
    with FileLock(root / "alive.lock"):
        _ = Chunked(spool_dir=root).spool
        assert (root / "alive.partial").exists()
        assert not (root / "dead.partial").exists()


@pytest.mark.parametrize("damage", ["truncated", "gone", "manifest"])
def test_what_is_damaged_is_written_again(root: Path, damage: str) -> None:
    directory = Chunked(spool_dir=root).spool.directory
    file = directory / "training.parquet"
    match damage:
        case "truncated":
            os.truncate(file, 100)
        case "gone":
            file.unlink()
        case _:
            (directory / MANIFEST).write_text("{")
    assert Spool.open(directory) is None
    chunked = Chunked(spool_dir=root)
    assert chunked.spool.directory == directory
    assert len(together(chunked.training_data)) == 800


def test_what_is_damaged_while_it_is_used_is_named(root: Path) -> None:
    chunked = Chunked(spool_dir=root)
    file = chunked.spool.directory / "training.parquet"
    file.write_bytes(b"x" * file.stat().st_size)
    with pytest.raises(DataFault, match=r"training\.parquet cannot be read: .* delete"):
        list(chunked.training_data)


def test_a_full_disk_is_said(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(spool_files.ChunkFiles, "write", full)
    with pytest.raises(DiskFull, match="free some space"):
        _ = Chunked(spool_dir=root).spool
    assert list(root.iterdir()) == []


def test_with_a_version_of_the_data_rows_are_used_again_without_asking(root: Path) -> None:
    first, second = Chunked(spool_dir=root, data_version="monday"), Chunked(spool_dir=root, data_version="monday")
    assert first.row_counts == second.row_counts
    other = Chunked(spool_dir=root, data_version="tuesday")
    assert len(other) == COUNT
    assert (first.asked, second.asked, other.asked) == (1, 0, 1)
    json.loads((second.spool.directory / MANIFEST).read_text())


def test_rows_lie_in_the_outputs_of_the_project_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mlp.config").write_text("[MLP]\noutputs_dir = results\n")
    monkeypatch.chdir(tmp_path)
    assert Chunked().spool.directory.parent == tmp_path / "results" / "spools"


# Chunks that differ.


def chunked(root: Path, *chunks: Any) -> Streaming:
    class Given(Chunked):
        def get_data(self) -> Iterator[Any]:
            yield from chunks

        def get_encoders(self) -> Any:
            return Number("a")

        def get_output_encoder(self) -> Any:
            return None

    return Given(spool_dir=root, fractions=(1, 0, 0))


def test_types_that_go_together_become_one(root: Path) -> None:
    found = chunked(
        root,
        pd.DataFrame({"a": [1, 2], "b": [None, None], "c": [True, False], "d": pd.Categorical(["x", "y"])}),
        pd.DataFrame({"d": pd.Categorical(["z"]), "a": [0.5], "b": ["x"], "c": [None]}),
        pd.DataFrame(),
    )
    (frame,) = found.training_data
    assert frame.a.tolist() == [1, 2, 0.5]
    assert frame.b.isna().tolist() == [True, True, False]
    assert frame.c.tolist() == [True, False, None]
    assert frame.d.tolist() == ["x", "y", "z"]


@pytest.mark.parametrize(
    ("chunks", "kind", "said"),
    [
        ([pd.DataFrame({"a": [1]}), pd.DataFrame({"a": ["x"]})], WrongType, "column 'a' is int64 and"),
        ([pd.DataFrame({"a": [1]}), pd.DataFrame({"b": [1]})], DataFault, "chunk 2: no column 'a'"),
        ([pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [1], "b": [1]})], DataFault, "chunk 2: column 'b' was not"),
        ([pd.DataFrame([[1, 2]], columns=["a", "a"])], DataFault, "called 'a'"),
        ([pd.DataFrame({"a": [1, "x"]})], WrongType, "chunk 1: a column holds"),
        ([[1, 2]], WrongType, "chunk 1 is list"),
        ([], DataFault, "gave no rows"),
        ([pd.DataFrame({"a": []})], DataFault, "gave no rows"),
    ],
)
def test_chunks_that_cannot_be_are_refused(root: Path, chunks: list[Any], kind: type[Exception], said: str) -> None:
    with pytest.raises(kind) as raised:
        _ = chunked(root, *chunks).spool
    assert said in str(raised.value)
    assert list(root.iterdir()) == []


def test_what_yields_no_frames_is_a_type_error(root: Path) -> None:
    class Whole(Chunked):
        def get_data(self) -> Any:
            return people()

    with pytest.raises(TypeError, match="it must yield DataFrames"):
        _ = Whole(spool_dir=root).training_data


def test_a_column_that_no_chunk_has_is_named(root: Path) -> None:
    with pytest.raises(DataFault, match="no column 'a'"):
        _ = chunked(root, pd.DataFrame({"b": [1]})).encoders
