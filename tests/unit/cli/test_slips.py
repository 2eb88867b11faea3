"""Slips that people make: names that are nearly right, numbers that are none, and what is then said."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from mlpipeline import filesystems
from mlpipeline.config_text import near_or_known
from mlpipeline.run import State
from tests.unit.cli.conftest import Desk
from tests.unit.sample_runs import sample_run

RUN = replace(sample_run(), model="digits.py", version="wide")


def told(desk: Desk, *words: str) -> str:
    """What is said on stderr of a slip."""
    result = desk.type(*words)
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.output
    return result.stderr


@pytest.mark.parametrize("command", ["show", "logs", "compare", "history", "plot", "tag", "note"])
def test_a_model_that_is_nearly_right_is_suggested(desk: Desk, command: str) -> None:
    desk.record(RUN)
    said = told(desk, command, "digts.py", *(["text"] if command == "note" else []))
    assert "'digts.py' is no run, and no model that has run. Did you mean 'digits.py'? See mlpipeline history" in said


@pytest.mark.parametrize("command", ["show", "history", "compare"])
def test_a_version_that_is_nearly_right_is_suggested(desk: Desk, command: str) -> None:
    desk.record(RUN)
    said = told(desk, command, "digits.py:wode")
    assert "no run of digits.py has the version 'wode'. Did you mean 'wide'? There are runs of: wide" in said


def test_a_run_that_is_nearly_right_is_suggested(desk: Desk) -> None:
    desk.record(RUN)
    assert f"Did you mean '{RUN.id}'?" in told(desk, "show", f"{RUN.id[:-2]}zz")


def test_a_model_that_has_not_run_yet_is_no_slip(desk: Desk) -> None:
    desk.record(RUN)
    (desk.root / "models" / "new.py").touch()
    assert "new.py has not run yet" in told(desk, "show", "new.py")
    result = desk.type("history", "new.py")
    assert (result.exit_code, result.stdout) == (0, "No run is like that. See all: mlpipeline history\n")


def test_nothing_in_a_state_is_no_slip(desk: Desk) -> None:
    desk.record(RUN)
    state = next(each.value for each in State if each not in (RUN.state, State.SUBMITTED))
    assert desk.type("history", "digits.py:wide", "--state", state).exit_code == 0
    assert desk.json("history", "digits.py", "--state", state)["runs"] == []


def test_why_suggests_what_is_listed_and_what_has_run(desk: Desk) -> None:
    desk.record(RUN)
    (desk.root / "models" / "letters.py").touch()
    (desk.root / "models.config").write_text("[WHITELISTED_MODELS]\nletters.py\n")
    assert "'leters.py' is neither a listed model nor a run. Did you mean 'letters.py'?" in told(
        desk, "why", "leters.py"
    )
    assert "Did you mean 'digits.py'?" in told(desk, "why", "digts.py")


def catalog(desk: Desk) -> None:
    """Writes down that digits.py was read, and has a version."""
    from mlpipeline.queue import catalog as catalogs

    (desk.root / "models" / "digits.py").touch()
    version = {"name": "wide", "order": 0, "suffix": None, "params": {}, "params_digest": "d"}
    about = {"fault": None, "versions": [version], "files": {}}
    content = {"format": catalogs._FORMAT, "made_by": catalogs._MAKER, "models": {"digits.py": about}}
    desk.project.outputs_dir.mkdir(parents=True, exist_ok=True)
    (desk.project.outputs_dir / "catalog-here.json").write_text(json.dumps(content))


@pytest.mark.parametrize("command", ["hold", "now", "pause"])
def test_a_version_that_is_not_known_is_warned_of(desk: Desk, command: str) -> None:
    catalog(desk)
    result = desk.type(command, "digits.py:wode", "--dry-run")
    assert result.exit_code == 0
    assert "digits.py had no version 'wode'" in result.stderr
    assert "Did you mean 'wide'?" in result.stderr
    assert desk.type(command, "digits.py:wide", "--dry-run").stderr == ""


def test_what_can_be_held_is_listed_where_nothing_is_near(desk: Desk) -> None:
    (desk.root / "models" / "digits.py").touch()
    assert "'zzz' is no model in models/ and no run. Known: digits.py" in told(desk, "hold", "zzz")


@pytest.mark.parametrize("command", ["status", "history"])
def test_a_number_below_zero_is_refused(desk: Desk, command: str) -> None:
    assert "-3 is not in the range" in told(desk, command, "-n", "-3")


def test_an_empty_note_is_refused_at_once(desk: Desk) -> None:
    desk.record(RUN)
    assert "mlpipeline note RUN TEXT" in told(desk, "note", RUN.id, "  ")


def test_retry_says_what_its_filters_go_with(desk: Desk) -> None:
    desk.record(RUN)
    assert "--model and --cause go with --failed" in told(desk, "retry", "--cause", "oom")
    assert "There is no cause 'zzz'. Known: " in told(desk, "retry", "--failed", "--cause", "zzz")


def test_a_version_that_the_command_line_names_has_no_line(desk: Desk) -> None:
    (desk.root / "models" / "digits.py").write_text(
        "from mlpipeline import Model, Versions\n\n\nclass Digits(Model):\n"
        "    def train_model(self, input_fn, steps):\n        pass\n\n\n"
        "versions = Versions(batch_size=1, epochs=1)\nversions.add('wide')\nMODEL = Digits(versions)\n"
    )
    result = desk.type("plan", "digits.py:wode")
    assert "fault: command line: digits.py has no version 'wode'. Did you mean 'wide'?" in result.output


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOENT, "make the directory /nowhere/at"),
        (errno.EISDIR, "name a file"),
        (errno.EROFS, "choose another place"),
        (errno.ENOSPC, "free some space"),
        (errno.EACCES, "mend its permissions"),
        (errno.EIO, "the disk"),
    ],
)
def test_what_the_system_says_comes_with_a_remedy(number: int, advice: str) -> None:
    said = filesystems.remedy(OSError(number, os.strerror(number)), Path("/nowhere/at/all"))
    assert os.strerror(number) in said
    assert advice in said


def test_what_belongs_to_somebody_else_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert filesystems.belongs(tmp_path / "not" / "there") == ""
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 123456)
    assert f"({tmp_path} belongs to " in filesystems.belongs(tmp_path / "not" / "there")
    assert f"you are user {tmp_path.stat().st_uid + 123456})" in filesystems.belongs(tmp_path)


def test_names_that_there_are_stand_where_none_is_near() -> None:
    assert near_or_known("wode", ["wide", "deep"]) == " Did you mean 'wide'?"
    assert near_or_known("zzz", ["wide", "deep"]) == " Known: wide, deep"
    assert near_or_known("zzz", [f"v{number}" for number in range(14)]).endswith("v11, and 2 more")
    assert "None is known here" in near_or_known("zzz", [])


def test_claims_that_may_not_be_read_are_not_taken_for_none(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.project.claims_dir.mkdir(parents=True)
    assert desk.type("release", "--host", "gone", "--yes").stdout == "freed: nothing\n"
    listed = os.listdir

    def refused(path: object = ".") -> list[str]:
        if path == desk.project.claims_dir:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return listed(path)  # type: ignore[call-overload, no-any-return]

    monkeypatch.setattr(os, "listdir", refused)
    result = desk.type("release", "--host", "gone", "--yes")
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"{desk.project.claims_dir} cannot be read (Permission denied)" in result.stderr
