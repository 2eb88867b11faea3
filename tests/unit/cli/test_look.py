"""Commands that look: they tell what is recorded, and change nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace

import pytest

from mlpipeline.observe import status as statuses
from mlpipeline.observe import view
from mlpipeline.run import Cause, State
from tests.unit.cli.conftest import Desk
from tests.unit.sample_runs import NOW, run_in, sample_attempt, sample_run

GOOD = run_in(State.SUCCEEDED, "aaaaaa")
BAD = run_in(State.FAILED, "bbbbbb", Cause.EXCEPTION, "ValueError: \x1b[31mred\x1b[0m", version="deep")
LIVE = run_in(State.RUNNING, "cccccc", version="new")


def test_status_of_an_empty_project_says_how_to_begin(desk: Desk) -> None:
    result = desk.type("status")
    assert result.exit_code == 0
    assert "nothing has run yet" in result.stdout
    assert "mlpipeline start" in result.stdout


def test_status_without_a_scheduler_shows_what_runs_and_what_ended(desk: Desk) -> None:
    desk.record(GOOD, BAD, LIVE)
    progress = {"step": 30, "total": 120, "rate": 10.0}
    (desk.attempt_directory(LIVE) / "progress.json").write_text(json.dumps(progress))
    result = desk.type("status")
    assert result.exit_code == 0, result.output
    for said in ("not running on here", "digits.py:new", "30/120 (25%)", "test accuracy 0.9722", "ValueError: red"):
        assert said in result.stdout
    assert "\x1b" not in result.stdout


def test_status_for_programs_counts_every_state(desk: Desk) -> None:
    desk.record(GOOD, BAD, LIVE)
    read = desk.json("status")
    assert read["runs"] | {"succeeded": 1, "failed": 1, "running": 1} == read["runs"]
    assert read["scheduler"]["running"] is False
    assert read["running"][0]["run"]["run"] == LIVE.id


@pytest.mark.parametrize(
    "words", [["status"], ["history"], ["show", "digits.py"], ["logs", "digits.py:new"], ["--json", "status"]]
)
def test_reading_changes_no_byte(desk: Desk, bytes_of: Callable[[], dict[str, bytes]], words: list[str]) -> None:
    desk.record(GOOD, LIVE)
    before = bytes_of()
    assert desk.type(*words).exit_code == 0
    assert bytes_of() == before


def test_reading_makes_no_file_in_an_empty_project(desk: Desk, bytes_of: Callable[[], dict[str, bytes]]) -> None:
    before = bytes_of()
    for words in (["status"], ["history"]):
        assert desk.type(*words).exit_code == 0
    assert bytes_of() == before
    assert not desk.project.outputs_dir.exists()


def test_history_is_limited_and_filtered(desk: Desk) -> None:
    desk.record(GOOD, BAD, LIVE)
    assert len(desk.json("history", "--limit", "2")["runs"]) == 2
    assert [each["run"] for each in desk.json("history", "--state", "failed")["runs"]] == [BAD.id]
    assert [each["run"] for each in desk.json("history", "digits:wide")["runs"]] == [GOOD.id]
    assert len(desk.json("history", "models/digits.py", "-n", "0")["runs"]) == 3


def test_history_of_nothing_says_what_to_do(desk: Desk) -> None:
    assert "mlpipeline plan" in desk.type("history").stdout


def test_show_tells_everything_of_a_run(desk: Desk) -> None:
    desk.record(BAD)
    result = {"model_summary": "two layers", "notes": ["no checkpoints"], "error": {"traceback": "File x.py, line 3"}}
    (desk.attempt_directory(BAD) / "result.json").write_text(json.dumps(result))
    shown = desk.type("show", BAD.id)
    assert shown.exit_code == 0, shown.output
    for said in ("failed", "hidden", "two layers", "no checkpoints", "line 3", f"mlpipeline retry {BAD.id}"):
        assert said in shown.stdout
    assert "\x1b" not in shown.stdout
    assert desk.json("show", BAD.id)["run"]["version"] == "deep"


def test_show_finds_attempts_and_lists_them(desk: Desk) -> None:
    first = sample_attempt(GOOD.id, 1, State.LOST, Cause.KILLED, "killed by signal 9")
    desk.record(sample_run("aaaaaa", first, sample_attempt(GOOD.id, 2)))
    assert "killed by signal 9" in desk.type("show", f"{GOOD.id}.1").stdout
    assert desk.json("show", f"{GOOD.id}.1")["attempt"] == 1
    assert desk.type("show", f"{GOOD.id}.3").exit_code == 2


@pytest.mark.parametrize("reference", ["20991231", "nothing.py", "digits.py:nothing"])
def test_a_run_that_is_not_there_ends_with_status_2(desk: Desk, reference: str) -> None:
    desk.record(GOOD)
    result = desk.type("show", reference)
    assert result.exit_code == 2
    assert result.stderr.startswith("mlpipeline: ")


def test_an_ambiguous_beginning_lists_the_candidates(desk: Desk) -> None:
    desk.record(GOOD, BAD)
    result = desk.type("show", "20261121")
    assert result.exit_code == 2
    assert GOOD.id in result.stderr
    assert BAD.id in result.stderr


def test_why_of_a_run_answers_from_the_ledger(desk: Desk) -> None:
    desk.record(replace(BAD, retry_asked=True))
    result = desk.type("why", BAD.id)
    assert result.exit_code == 0, result.output
    assert "A retry was asked for" in result.stdout
    assert desk.json("why", BAD.id)["answers"][0]["verdict"] == "failed"


def test_why_of_nothing_known_ends_with_status_2(desk: Desk) -> None:
    result = desk.type("why", "nothing.py")
    assert result.exit_code == 2
    assert "neither a listed model nor a run" in result.stderr


def test_what_waits_for_a_person_stands_apart_from_what_comes_next() -> None:
    line = view.NextLine(model="a.py", version="v", replicate=0, verdict="due", reason="next")
    failed = view.NextLine(model="b.py", version="v", replicate=0, verdict="gave_up", reason="three times")
    up = view.SchedulerLine(running=True, host="h")
    facts = view.Facts(root="/p", scheduler=up, status={"next": [asdict(line), asdict(failed)]})
    tables = statuses.sections(view.picture(facts, NOW))
    assert [(table.title, table.rows[0][:2]) for table in tables] == [
        ("Next", ("a.py:v", "due")),
        ("Waits for you", ("b.py:v", "gave up")),
    ]
