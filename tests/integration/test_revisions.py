"""Accepted revisions of models.config: listed with what each changed, and brought back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlpipeline.errors import NotWritable
from mlpipeline.project import Project
from mlpipeline.queue import revisions

from .conftest import Workshop

COMMENT = "# why this list is as it is\n"


def write(workshop: Workshop, *lines: str) -> bytes:
    """Lists models below a comment. Returns the file's bytes."""
    workshop.list(*lines)
    path = workshop.root / "models.config"
    path.write_text(COMMENT + path.read_text())
    return path.read_bytes()


def accept(workshop: Workshop, *lines: str) -> bytes:
    """Lists models and has a scheduler accept that."""
    data = write(workshop, *lines)
    status, text = workshop.run("-r", "-u")
    assert status == 0, text
    return data


@pytest.fixture
def three(workshop: Workshop) -> tuple[Workshop, list[bytes]]:
    """A project with three accepted revisions."""
    for name in ("a.py", "b.py", "c.py"):
        workshop.model(name, "pass")
    lists = [("a.py",), ("a.py", "b.py"), ("b.py", "a.py = timeout_seconds=90", "c.py")]
    return workshop, [accept(workshop, *lines) for lines in lists]


def present(workshop: Workshop) -> bytes:
    return (workshop.root / "models.config").read_bytes()


def test_the_log_says_what_each_revision_changed(three: tuple[Workshop, list[bytes]]) -> None:
    workshop, _ = three
    told = workshop.json("plan", "--log")
    assert told["edited_since"] is False
    newest, second, first = told["revisions"]
    assert "+ added c.py" in newest["differences"]
    assert any("timeout_seconds: none → 90" in line for line in newest["differences"])
    assert any(line.startswith("↕ moved") for line in newest["differences"])
    assert second["differences"] == ["+ added b.py"]
    assert (first["before"], second["before"]) == (None, first["digest"])
    assert [each["digest"] for each in workshop.json("plan", "--log", "1")["revisions"]] == [newest["digest"]]
    status, text = workshop.run("plan", "--log")
    assert status == 0
    assert text.index(newest["digest"]) < text.index(first["digest"])
    write(workshop, "a.py")
    assert "has been edited since" in workshop.run("plan", "--log")[1]


def test_undo_goes_further_back_each_time_and_an_edit_begins_anew(three: tuple[Workshop, list[bytes]]) -> None:
    workshop, (first, second, third) = three
    path = workshop.root / "models.config"
    path.chmod(0o640)
    promised = workshop.json("plan", "--undo", "--dry-run")
    assert present(workshop) == third
    told = workshop.json("plan", "--undo")
    assert present(workshop) == second, "comments and all"
    assert path.stat().st_mode & 0o777 == 0o640
    assert told["differences"] == promised["differences"]
    assert (told["undone"], promised["undone"]) == (True, False)
    assert "- removed c.py" in told["differences"]
    assert workshop.run("-r", "-u")[0] == 0, "a scheduler that reads it keeps it no second time"
    assert workshop.run("plan", "--undo")[0] == 0
    assert present(workshop) == first
    status, text = workshop.run("plan", "--undo")
    assert status == 2
    assert "no revision before this one is kept" in text
    accept(workshop, "c.py")
    assert workshop.run("plan", "--undo")[0] == 0
    assert present(workshop) == first, "what was in force before the edit, not what was undone before"
    assert workshop.run("plan", "--undo")[0] == 2
    assert len(workshop.json("plan", "--log")["revisions"]) == 7
    assert list(workshop.root.glob("**/*.part")) == []


def test_an_edit_that_was_not_accepted_is_never_lost(three: tuple[Workshop, list[bytes]]) -> None:
    workshop, _ = three
    edited = write(workshop, "c.py")
    status, text = workshop.run("plan", "--undo")
    assert status == 2
    assert "models.config has been edited since its last accepted revision" in text
    assert "models/outputs/revisions-here/" in text
    assert present(workshop) == edited
    (workshop.root / "models.config").unlink()
    status, text = workshop.run("plan", "--undo")
    assert status == 2
    assert "models.config is missing" in text


def test_without_revisions_there_is_nothing_to_undo(workshop: Workshop) -> None:
    workshop.model("a.py", "pass")
    workshop.list("a.py")
    status, text = workshop.run("plan", "--undo")
    assert status == 2
    assert "no revision of models.config is kept yet" in text
    assert "kept yet" in workshop.run("plan", "--log")[1]
    accept(workshop, "a.py")
    assert "no revision before this one" in workshop.run("plan", "--undo")[1]


def test_a_running_scheduler_takes_the_undo_up(workshop: Workshop) -> None:
    workshop.model("a.py", "pass")
    workshop.model("b.py", "pass")
    first = accept(workshop, "a.py")
    scheduler = workshop.start("-r", "-u", "--watch")
    workshop.until(lambda: workshop.json("status")["scheduler"]["running"], "the scheduler runs")
    write(workshop, "a.py", "b.py")
    workshop.until(lambda: "models.config: + added b.py" in workshop.output(), "the edit is accepted")
    workshop.until(lambda: len(workshop.json("plan", "--log")["revisions"]) == 2, "the edit is kept")
    assert workshop.run("plan", "--undo")[0] == 0
    workshop.until(lambda: "models.config: - removed b.py" in workshop.output(), "the undo is accepted")
    assert present(workshop) == first
    assert workshop.run("plan", "--undo")[0] == 2, "the scheduler has kept no second revision of it"
    assert scheduler.poll() is None


def test_an_undo_that_was_killed_half_way_can_be_done_again(three: tuple[Workshop, list[bytes]]) -> None:
    workshop, (first, second, third) = three
    project = Project.load(workshop.root)
    kept = revisions.kept(project)
    assert revisions.save_revision(project, second, restores=kept[1].stamp) is not None
    assert present(workshop) == third, "the file was not reached"
    assert workshop.run("plan", "--undo")[0] == 0
    assert present(workshop) == second
    assert len(revisions.kept(project)) == 4
    assert workshop.run("plan", "--undo")[0] == 0
    assert present(workshop) == first


def test_a_symbolic_link_stays_one(three: tuple[Workshop, list[bytes]]) -> None:
    workshop, (_, second, _) = three
    path = workshop.root / "models.config"
    real = path.rename(workshop.root / "lists.config")
    path.symlink_to("lists.config")
    assert workshop.run("plan", "--undo")[0] == 0
    assert path.is_symlink()
    assert real.read_bytes() == second


def test_a_file_that_cannot_be_written_leaves_everything_as_it_was(
    three: tuple[Workshop, list[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop, (_, _, third) = three
    project = Project.load(workshop.root)
    rename = Path.rename

    def refuse(path: Path, target: Path) -> Path:
        if Path(target).name == "models.config":
            raise PermissionError(13, "Permission denied", str(target))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(NotWritable, match=r"models\.config: Permission denied"):
        revisions.undo(project)
    assert present(workshop) == third
    assert len(revisions.kept(project)) == 3
    assert list(workshop.root.glob("**/*.part")) == []


def test_models_named_on_the_command_line_make_no_revision(workshop: Workshop) -> None:
    workshop.model("a.py", "pass")
    (workshop.root / "models.config").write_text("[NONSENSE]\n")
    assert workshop.run("-r", "-u", "a.py")[0] == 0
    assert revisions.kept(Project.load(workshop.root)) == []


def test_a_clock_that_was_set_back_reorders_nothing(workshop: Workshop) -> None:
    project = Project.load(workshop.root)
    project.revisions_dir.mkdir(parents=True)
    future = project.revisions_dir / "20991231T235959.999999Z-00000000.config"
    future.write_bytes(b"one")
    saved = revisions.save_revision(project, b"two")
    assert saved is not None
    assert [each.path for each in revisions.kept(project)] == [future, saved]


def test_forms_that_do_not_go_together_are_refused(workshop: Workshop) -> None:
    for words in (["--undo", "--log"], ["--dry-run"], ["--undo", "--all"], ["--log", "3", "a.py"]):
        status, text = workshop.run("plan", *words)
        assert status == 2
        assert "stand alone" in text


def test_a_revision_is_json_that_programs_can_read(three: tuple[Workshop, list[bytes]]) -> None:
    workshop, (_, second, _) = three
    told = workshop.json("plan", "--undo")
    json.dumps(told)
    assert told["format"] == 1
    newest = workshop.json("plan", "--log")["revisions"][0]
    assert (workshop.root / newest["file"]).read_bytes() == second
    assert newest["back_to"] is not None


def test_an_edit_that_concerns_a_running_attempt_is_explained(workshop: Workshop) -> None:
    workshop.model("long.py", "while not (ROOT / 'go').exists(): time.sleep(0.01)")
    workshop.list("long.py")
    scheduler = workshop.start("-r", "-u")
    workshop.until(lambda: workshop.truth("train"), "it trains")
    workshop.list("long.py = timeout_seconds=1")
    told = "models.config: long.py runs on; its new timeout_seconds holds from the next attempt"
    workshop.until(lambda: told in workshop.output(), "what a new limit means is said")
    workshop.list()
    (run,) = workshop.history()
    goes_on = f"its running attempt of one goes on; end it with: mlpipeline cancel {run['id']}"
    workshop.until(
        lambda: f"models.config: long.py is removed: {goes_on}" in workshop.output(), "what taking it off means is said"
    )
    (workshop.root / "go").touch()
    assert scheduler.wait(60) == 0
    assert workshop.history()[0]["state"] == "succeeded"
