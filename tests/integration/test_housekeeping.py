"""Keeping house in real projects: what goes, what stays, beside a scheduler, and killed on the way."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from mlpipeline import pins
from mlpipeline.errors import NotWritable
from mlpipeline.project import Project
from mlpipeline.queue import housekeeping, sweep
from mlpipeline.queue.housekeeping import Keep

from .conftest import Workshop

TALKS = "print('something to read'); self.run.record(loss=1.0); self.run.log.info('noted')"
WEIGHTS = "\n(self.run.model_dir / 'weights').write_text(str(NUMBER))"


def age(path: Path, days: float = 3) -> Path:
    then = time.time() - days * 86_400
    os.utime(path, (then, then), follow_symlinks=False)
    return path


def train(workshop: Workshop, number: int, body: str = TALKS + WEIGHTS) -> str:
    """Trains the model with another fingerprint each time. Returns the run."""
    workshop.model("m.py", body.replace("NUMBER", str(number)))
    workshop.list("m.py")
    workshop.run("-r", "-u")
    run: str = workshop.history()[0]["id"]
    return run


def bulky(workshop: Workshop, run: str) -> set[str]:
    there = {path.name for path in (workshop.outputs / "runs" / run).glob("*/*")}
    return there - housekeeping.SMALL


def contents(root: Path) -> dict[str, bytes]:
    files = (path for path in root.rglob("*") if path.is_file() and not path.name.endswith(("-wal", "-shm")))
    return {str(path): path.read_bytes() for path in files}


def by_kind(told: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for item in told["items"]:
        found.setdefault(item["kind"], []).append(item["path"])
    return found


def test_a_project_with_nothing_to_remove_says_so(workshop: Workshop) -> None:
    status, text = workshop.run("gc")
    assert status == 0
    assert text.startswith("Nothing to remove.")
    train(workshop, 1)
    assert workshop.run("gc", "--keep-runs", "0", "--yes")[1].startswith("Nothing to remove.")


def test_older_runs_become_small_and_the_ledger_can_still_be_made_of_them(workshop: Workshop) -> None:
    workshop.config("keep_runs = 1\n")
    runs = [train(workshop, number) for number in range(3)]
    failed = train(workshop, 3, "raise ValueError('on purpose')")
    before = {row["id"]: row for row in workshop.history()}
    everything = contents(workshop.root)
    status, text = workshop.run("gc")
    assert status == 0
    assert "Nothing was removed" in text
    assert f"models/outputs/runs/{runs[0]}/1/output.log" in text
    assert contents(workshop.root) == everything, "a dry run changes nothing"
    promised = workshop.json("gc")
    told = workshop.json("gc", "--yes")
    assert told["removed"] is True
    assert told["items"] == promised["items"]
    assert told["bytes"] == promised["bytes"] == sum(item["bytes"] for item in told["items"]) > 0
    assert [bulky(workshop, run) for run in runs[:2]] == [set(), set()]
    assert {"output.log", "metrics.jsonl", "messages.jsonl"} <= bulky(workshop, runs[2]), "the newest that succeeded"
    assert "output.log" in bulky(workshop, failed), "the newest"
    assert workshop.run("fsck") == (0, "All well.\n")
    assert workshop.run("fsck", "--rebuild")[0] == 0
    rebuilt = {row["id"]: row for row in workshop.history()}
    assert {run: row["attempts"] for run, row in rebuilt.items()} == {
        run: row["attempts"] for run, row in before.items()
    }
    assert workshop.run("show", runs[0])[0] == 0
    assert workshop.run("logs", runs[0]) == (0, "")
    assert workshop.run("get", runs[0], "got")[0] == 0
    assert workshop.run("gc")[1].startswith("Nothing to remove.")


def test_a_pinned_run_stays_whole_until_it_is_released(workshop: Workshop) -> None:
    project = Project.load(workshop.root)
    runs = [train(workshop, number) for number in range(3)]
    pins.pin(project, runs[0], "served as digits")
    pins.pin(project, runs[0], "compared in paper.md")
    assert pins.pins(project) == {runs[0]: ("served as digits", "compared in paper.md")}
    assert workshop.run("gc", "--yes", "--keep-runs", "0", "--keep-checkpoints", "0")[0] == 0
    assert "output.log" in bulky(workshop, runs[0])
    kept = [path for path in (workshop.outputs / "model_dirs").glob("*.old-*") if (path / "weights").read_text() == "0"]
    assert len(kept) == 1, "its weights lie in a directory that was set aside"
    assert workshop.run("fsck") == (0, "All well.\n")
    for reason in ("served as digits", "compared in paper.md"):
        pins.unpin(project, runs[0], reason)
    assert pins.pins(project) == {}
    workshop.run("gc", "--yes", "--keep-runs", "0", "--keep-checkpoints", "0")
    assert bulky(workshop, runs[0]) == set()
    assert not kept[0].exists()


def test_a_run_that_is_pinned_while_others_are_removed_stays(workshop: Workshop) -> None:
    project = Project.load(workshop.root)
    runs = [train(workshop, number) for number in range(2)]
    items = decided(project, Keep(runs=0))
    assert {item.run for item in items} == {runs[0]}
    pins.pin(project, runs[0], "tagged best")
    assert sweep.remove(project, items) == []
    assert "output.log" in bulky(workshop, runs[0])


def decided(project: Project, keep: Keep) -> list[housekeeping.Item]:
    from datetime import UTC, datetime

    now = datetime.now(UTC)
    return housekeeping.decide(sweep.gather(project, keep, now), keep, now)


def test_set_aside_directories_and_rotated_logs_go_by_their_keys(workshop: Workshop) -> None:
    for number in range(4):
        train(workshop, number)
    places = workshop.outputs / "model_dirs"
    current = places / "m.py-one" / "weights"
    for number in (1, 2):
        (workshop.outputs / f"log-here.{number}").write_bytes(b"x" * 400_000)
        age(workshop.outputs / f"log-here.{number}", number)
    (workshop.outputs / "log-there.1").write_bytes(b"x" * 400_000)
    told = by_kind(workshop.json("gc", "--yes", "--keep-checkpoints", "1", "--keep-logs-mb", "0.5"))
    assert told["logs"] == ["models/outputs/log-here.2"]
    assert len(told["checkpoints"]) == 2
    assert current.read_text() == "3"
    assert [(path / "weights").read_text() for path in places.glob("*.old-*")] == ["2"]
    assert (workshop.outputs / "log-there.1").exists(), "another host's"
    assert list(places.glob(".gc-*")) == []


def test_what_nothing_refers_to_goes_without_a_key(workshop: Workshop) -> None:
    used = train(workshop, 1)
    outputs, sources = workshop.outputs, workshop.outputs / "sources"
    needed = {path.name for path in sources.iterdir()}
    for path in sources.iterdir():
        age(path)
    (sources / ("a" * 24) / "tree").mkdir(parents=True)
    (sources / ("a" * 24) / "tree" / "m.py").write_text("MODEL = 1")
    (sources / ("b" * 24)).mkdir()
    unacknowledged = outputs / "runs" / "20260101-000000-aaaaaa" / "1"
    unacknowledged.mkdir(parents=True)
    (sources / ("c" * 24)).mkdir()
    (unacknowledged / "spec.json").write_text(json.dumps({"sources": "c" * 24}))
    (sources / f".{'d' * 24}-x").mkdir()
    part = outputs / "runs" / used / "1" / "progress.json.77.part"
    part.touch()
    mine = outputs / "model_dirs" / "m.py-one" / "film.part"
    mine.touch()
    old = outputs / "requests-here" / "01aaaaaaaaaaaaaaaaaaaaaaaa.answer.json"
    old.touch()
    for path in (*(sources / (letter * 24) for letter in "ac"), sources / f".{'d' * 24}-x", part, mine):
        age(path)
    told = by_kind(workshop.json("gc", "--yes"))
    assert told == {
        "sources": [f"models/outputs/sources/{'a' * 24}"],
        "leftovers": [
            f"models/outputs/sources/.{'d' * 24}-x",
            f"models/outputs/runs/{used}/1/progress.json.77.part",
        ],
        "answers": ["models/outputs/requests-here/01aaaaaaaaaaaaaaaaaaaaaaaa.answer.json"],
    }
    assert {path.name for path in sources.iterdir()} == needed | {"b" * 24, "c" * 24}
    assert mine.exists()
    assert not old.exists()


def test_a_copy_of_sources_that_is_described_again_meanwhile_stays(workshop: Workshop) -> None:
    project = Project.load(workshop.root)
    train(workshop, 1)
    (workshop.outputs / "catalog-here.json").unlink()
    for path in (workshop.outputs / "runs").iterdir():
        path.rename(workshop.root / "away")
    (workshop.outputs / "ledger-here.db").unlink()
    (copy,) = (workshop.outputs / "sources").iterdir()
    age(copy)
    items = decided(project, Keep())
    assert [item.piece.name for item in items] == [copy.name]
    assert workshop.run("-r", "-u")[0] == 0
    (workshop.outputs / "catalog-here.json").unlink()
    assert sweep.remove(project, items) == []
    assert (copy / "manifest.json").exists()


def test_it_runs_beside_a_scheduler_and_leaves_what_lives(workshop: Workshop) -> None:
    first = train(workshop, 1)
    train(workshop, 2)
    workshop.model("m.py", TALKS + "\nwhile not (ROOT / 'go').exists(): time.sleep(0.01)")
    scheduler = workshop.start("-r", "-u", "--watch")
    workshop.until(lambda: workshop.history()[0]["state"] == "running", "a third run")
    live = workshop.history()[0]["id"]
    rotated = workshop.outputs / "log-here.1"
    rotated.write_text("this may hold what it said\n")
    status, text = workshop.run("gc", "--yes", "--keep-runs", "0", "--keep-checkpoints", "0", "--keep-logs-mb", "0")
    assert status == 0, text
    assert "output.log" in bulky(workshop, live)
    assert bulky(workshop, first) == set()
    assert rotated.exists()
    (workshop.root / "go").touch()
    workshop.until(lambda: workshop.history()[0]["state"] == "succeeded", "the live run ends well")
    assert scheduler.poll() is None
    assert workshop.run("fsck") == (0, "All well.\n")


def test_killed_at_any_moment_it_leaves_a_whole_project(workshop: Workshop) -> None:
    """What a killed `gc` left is whole, and a second one completes it."""
    runs = [train(workshop, number) for number in range(3)]
    saved = workshop.root.parent / "saved"
    shutil.copytree(workshop.outputs, saved, symlinks=True)
    place = workshop.outputs / "runs" / runs[0] / "1" / "output.log"
    for moment in range(6):
        shutil.rmtree(workshop.outputs)
        shutil.copytree(saved, workshop.outputs, symlinks=True)
        kill_while_it_removes(workshop, place, moment)
        assert workshop.run("fsck") == (0, "All well.\n"), moment
        for path in workshop.outputs.rglob(".gc-*.part"):
            age(path)
        assert workshop.run("gc", "--yes", "--keep-runs", "0", "--keep-checkpoints", "0")[0] == 0
        assert [bulky(workshop, run) for run in runs[:2]] == [set(), set()], moment
        assert list(workshop.outputs.rglob("*.part")) == []
        assert (workshop.outputs / "model_dirs" / "m.py-one" / "weights").read_text() == "2"
        assert workshop.run("fsck") == (0, "All well.\n"), moment


def kill_while_it_removes(workshop: Workshop, place: Path, moment: int) -> None:
    """Kills `gc` at a moment: before it has begun, or a little after the file at `place` is gone."""
    process = workshop.start("gc", "--yes", "--keep-runs", "0", "--keep-checkpoints", "0")
    if moment:
        workshop.until(lambda: not place.exists() or process.poll() is not None, "it has begun")
        time.sleep(0.0005 * (moment - 1))  # any moment will do
    process.kill()
    process.wait()


def test_what_cannot_be_removed_is_named(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    project = Project.load(workshop.root)
    runs = [train(workshop, number) for number in range(2)]

    def refuse(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(NotWritable, match=f"^models/outputs/runs/{runs[0]}/1/.* mend its permissions"):
        sweep.remove(project, decided(project, Keep(runs=0)))


def test_a_copy_of_sources_that_is_named_at_the_last_moment_goes_back(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Project.load(workshop.root)
    copy = workshop.outputs / "sources" / ("a" * 24)
    (copy / "tree").mkdir(parents=True)
    age(copy)
    items = decided(project, Keep())
    rename = Path.rename

    def name_it_first(path: Path, target: Path) -> Path:
        os.utime(path)
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", name_it_first)
    assert sweep.remove(project, items) == []
    assert (copy / "tree").is_dir()
    assert [path.name for path in copy.parent.iterdir()] == [copy.name]
