"""What live attempts do: the metrics that they recorded last, whatever state the file is in."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from mlpipeline import wire
from mlpipeline.observe import activity
from mlpipeline.observe.progress import read_progress
from mlpipeline.project import Project
from mlpipeline.run import State
from tests.unit.sample_runs import NOW, run_in

ROW = '{"t": "2026-11-21T04:05:06.000+00:00", "step": 1, "values": {"loss": %s}}\n'


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (ROW % 0.5 + ROW % 0.25, {"loss": 0.25}),
        (ROW % 0.5 + '{"t": "2026', {"loss": 0.5}),
        (ROW % '"nan"', {"loss": "nan"}),
        (ROW % 0.5 * 1000, {"loss": 0.5}),
        ("", {}),
        ("no json\n", {}),
        ("[1, 2]\n", {}),
        ('{"values": 3}\n', {}),
        ("x" * 10_000 + "\n", {}),
    ],
)
def test_the_last_whole_row_is_told(tmp_path: Path, content: str, told: dict[str, object]) -> None:
    (tmp_path / "metrics.jsonl").write_text(content)
    assert activity.latest_metrics(f"{tmp_path}/metrics.jsonl") == told


def test_a_run_that_recorded_nothing_has_no_metrics(tmp_path: Path) -> None:
    assert activity.latest_metrics(f"{tmp_path}/metrics.jsonl") == {}


@pytest.mark.parametrize(("seconds", "is_stalled"), [([5.0, 5.0], True), ([5.0, 6.0], False), ([-1.0, 5.0], False)])
def test_only_a_silent_run_that_takes_no_processor_time_is_stalled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: list[float], is_stalled: bool
) -> None:
    run, clock, used = run_in(State.RUNNING), iter((10.0, 11.0)), iter(seconds)
    monkeypatch.setattr(activity, "_used", lambda _: (next(clock), next(used)))
    monkeypatch.setattr(activity.time, "sleep", lambda _: None)
    later = NOW + timedelta(hours=1)
    found = activity.Activity().silences(tmp_path, {run.last.directory: run}, {}, later)
    assert bool(found) is is_stalled


def test_of_a_run_that_tells_its_steps_no_other_file_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, asked, later = run_in(State.RUNNING), [], NOW + timedelta(hours=1)
    monkeypatch.setattr(activity, "_written", lambda directory: asked.append(directory) or [later])
    here, told = {run.last.directory: run}, {"step": 3, "rate": 1.0, "updated_at": later.isoformat()}
    for progress in (told, read_progress(told)):
        assert activity.Activity().silences(tmp_path, here, {run.last.directory: progress}, later) == {}
    assert asked == []
    assert activity.Activity().silences(tmp_path, here, {}, later) == {}  # its output was written to
    assert len(asked) == 1


def test_who_looks_again_and_again_does_not_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, clock, waited = run_in(State.RUNNING), iter(range(10)), []
    monkeypatch.setattr(activity, "_used", lambda _: (float(next(clock)), 5.0))
    monkeypatch.setattr(activity.time, "sleep", waited.append)
    watcher, later = activity.Activity(), NOW + timedelta(hours=1)
    for _ in range(3):
        assert watcher.silences(tmp_path, {run.last.directory: run}, {}, later) == {run.last.directory: 3659.0}
    assert len(waited) == 1


@pytest.mark.parametrize(
    ("state", "files", "is_served", "told"),
    [
        (State.SUBMITTED, {}, True, "unknown"),
        (State.SUBMITTED, {}, False, "gone"),
        (State.SUBMITTED, {wire.STARTED: {}}, True, "gone"),
        (State.RUNNING, {wire.STARTED: {}}, True, "gone"),
        (State.RUNNING, {wire.OUTCOME: {"token": "of another"}}, True, "gone"),
        (State.RUNNING, {wire.OUTCOME: {"token": "its own"}}, False, "ended"),
    ],
)
def test_what_became_of_an_attempt_without_a_supervisor(
    tmp_path: Path, state: State, files: dict[str, dict[str, str]], is_served: bool, told: str
) -> None:
    attempt = replace(run_in(state).last, token="its own")
    (tmp_path / attempt.directory).mkdir(parents=True)
    for name, content in files.items():
        wire.write_json(tmp_path / attempt.directory / name, content)
    assert activity.life_of(Project.load(tmp_path), attempt, is_served=is_served) == told


def test_a_supervisor_that_dies_before_its_start_is_told_is_gone(tmp_path: Path) -> None:
    attempt = run_in(State.SUBMITTED).last
    lock = tmp_path / attempt.directory / wire.LOCK
    lock.parent.mkdir(parents=True)
    lock.touch()
    assert activity.life_of(Project.load(tmp_path), attempt, is_served=True) == "unknown"  # it may be about to take it
    os.utime(lock, (lock.stat().st_mtime - 5,) * 2)
    assert activity.life_of(Project.load(tmp_path), attempt, is_served=True) == "gone"


def test_an_attempt_that_ends_between_two_looks_is_not_called_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = run_in(State.RUNNING).last
    (tmp_path / attempt.directory).mkdir(parents=True)

    def end(_: Path) -> None:
        wire.write_json(tmp_path / attempt.directory / wire.OUTCOME, {"token": attempt.token})

    monkeypatch.setattr(activity, "lock_holder", end)
    assert activity.life_of(Project.load(tmp_path), attempt, is_served=True) == "ended"
