"""Edits are heard of, whatever the editor does to the file and whatever becomes of the directory."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mlpipeline.queue import watch
from mlpipeline.queue.watch import Watcher

GENEROUS_SECONDS = 30.0


class Ear:
    """Remembers what a watcher said."""

    def __init__(self) -> None:
        self.heard: list[str | None] = []
        self.news = threading.Condition()
        self.watcher = Watcher(self.notify)

    def notify(self, path: str | None) -> None:
        with self.news:
            self.heard.append(path)
            self.news.notify_all()

    def hears(self, path: Path, act: Callable[[], object]) -> bool:
        """Acts, and waits until the watcher speaks of a path."""
        with self.news:
            self.heard.clear()
        act()
        with self.news:
            return self.news.wait_for(lambda: str(path) in self.heard, GENEROUS_SECONDS)


@pytest.fixture
def ear() -> Iterator[Ear]:
    made = Ear()
    yield made
    made.watcher.close()


def replaced(path: Path, text: str) -> None:
    beside = path.with_suffix(".new")
    beside.write_text(text)
    beside.rename(path)


def test_writing_replacing_creating_and_deleting_are_heard(ear: Ear, tmp_path: Path) -> None:
    path = tmp_path / "models.config"
    path.write_text("")
    ear.watcher.watch({tmp_path})
    assert ear.hears(path, lambda: path.write_text("[MLP]\n"))
    assert ear.hears(path, lambda: replaced(path, "[MLP]\nuse_blacklist = true\n"))
    assert ear.hears(path, path.unlink)
    assert ear.hears(path, path.touch)


def test_subdirectories_and_reading_are_not_heard(ear: Ear, tmp_path: Path) -> None:
    inside = tmp_path / "outputs"
    inside.mkdir()
    path = tmp_path / "a.py"
    quiet = tmp_path / "only_read.py"
    quiet.write_text("x")
    ear.watcher.watch({tmp_path})
    assert ear.hears(path, lambda: path.write_text("y"))
    last = tmp_path / "b.py"

    def act() -> None:
        (inside / "log").write_text("z")
        quiet.read_text()
        last.touch()

    # Events keep their order: whatever the first acts caused comes before the last one's.
    assert ear.hears(last, act)
    # Late events of the first write may still come; none may come of what was read or lies deeper.
    assert set(ear.heard) <= {str(path), str(last)}


def test_directories_come_and_go(ear: Ear, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    ear.watcher.watch({one})
    ear.watcher.watch({two})
    assert ear.hears(two / "x", (two / "x").touch)

    def touch_both() -> None:
        (one / "x").touch()
        (two / "y").touch()

    assert ear.hears(two / "y", touch_both)
    assert str(one / "x") not in ear.heard
    ear.watcher.watch({one, two})
    assert ear.hears(one / "z", (one / "z").touch)


def test_a_directory_that_does_not_exist_yet_is_watched_once_it_does(ear: Ear, tmp_path: Path) -> None:
    late = tmp_path / "late"
    ear.watcher.watch({tmp_path, late})
    assert ear.hears(late, late.mkdir)
    ear.watcher.watch({tmp_path, late})
    assert ear.hears(late / "x", (late / "x").touch)


@pytest.mark.parametrize("how", ["removed", "moved"])
def test_a_directory_that_was_replaced_is_watched_anew(ear: Ear, tmp_path: Path, how: str) -> None:
    models = tmp_path / "models"
    models.mkdir()
    ear.watcher.watch({tmp_path, models})

    def replace() -> None:
        if how == "removed":
            shutil.rmtree(models)
        else:
            models.rename(tmp_path / "before")
        models.mkdir()
        (tmp_path / "done").touch()

    # The last event of the parent says that the others were heard; a scheduler's turn follows each.
    assert ear.hears(tmp_path / "done", replace)
    end = time.monotonic() + GENEROUS_SECONDS
    path = models / "a.py"
    while str(path) not in ear.heard and time.monotonic() < end:
        ear.watcher.watch({tmp_path, models})
        path.write_text("x")
        with ear.news:
            ear.news.wait_for(lambda: str(path) in ear.heard, 0.2)
    assert str(path) in ear.heard


def test_files_are_polled_where_nothing_can_be_watched(
    ear: Ear, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from watchdog.observers import Observer

    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "inotify watch limit reached")

    monkeypatch.setattr(Observer, "schedule", refuse)
    monkeypatch.setattr(watch, "_POLL_SECONDS", 0.05)
    (tmp_path / "inside").mkdir()
    with caplog.at_level(logging.WARNING, "mlpipeline.queue"):
        ear.watcher.watch({tmp_path, tmp_path / "inside"})
    assert len(caplog.records) == 1
    assert "polled" in caplog.text
    path = tmp_path / "models.config"
    assert ear.hears(path, lambda: path.write_text("x"))


def test_closing_ends_the_thread_and_is_harmless_twice(tmp_path: Path) -> None:
    ear = Ear()
    before = threading.active_count()
    ear.watcher.watch({tmp_path})
    ear.watcher.close()
    ear.watcher.close()
    assert threading.active_count() == before
