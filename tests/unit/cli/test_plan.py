"""Looking ahead: the plan as a table and as JSON, and sentences that say why."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mlpipeline.ledger import Key, Standing
from mlpipeline.model_options import ModelOptions
from mlpipeline.queue import launch
from mlpipeline.queue.plan import Item, Plan, Verdict, Wanted
from mlpipeline.run import Cause, State
from mlpipeline.selection import Selection
from tests.unit.cli.conftest import Desk
from tests.unit.sample_runs import run_in

BAD = run_in(State.FAILED, "bbbbbb", Cause.EXCEPTION, "ValueError: no", version="deep")


def item(version: str, verdict: Verdict, reason: str, standing: Standing | None = None) -> Item:
    key = Key("digits.py", version, 0, "d" * 16, "c" * 16)
    options = ModelOptions(priority=5)
    wanted = Wanted(
        model="digits.py",
        version=version,
        replicate=0,
        seed=1,
        key=key,
        options=options,
        position=0,
        rank=0,
        model_dir="",
    )
    return Item(wanted, verdict, reason, None, standing)


def failed() -> Standing:
    return Standing(
        run_id=BAD.id,
        state=State.FAILED,
        cause=Cause.EXCEPTION,
        counted_attempts=1,
        attempts=1,
        ended_at=None,
        retry_asked=False,
        message="ValueError: no",
    )


@pytest.fixture
def listed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A project whose plan is given: no model is imported."""
    (desk.root / "models" / "digits.py").touch()
    (desk.root / "models.config").write_text("[MLP]\n[WHITELISTED_MODELS]\ndigits.py\n[BLACKLISTED_MODELS]\n")
    items = (
        item("wide", Verdict.DUE, "next"),
        item("late", Verdict.WAITING, "not before 22:00"),
        item("deep", Verdict.FAILED, "failed: ValueError: no", failed()),
        item("good", Verdict.DONE, "done"),
    )
    selection = Selection(file="models.config", digest="", use_blacklist=False, models=(), faults=())
    computed = Plan(items=items, submit=(), wake_at=None)

    def preview(project: Any, **_: Any) -> launch.Preview:
        return launch.Preview(plan=computed, selection=selection, descriptions={}, faults={})

    monkeypatch.setattr(launch, "preview", preview)
    desk.record(BAD)
    return desk


def test_the_plan_shows_what_is_not_done_in_order_with_reasons(listed: Desk) -> None:
    result = listed.type("plan")
    assert result.exit_code == 0, result.output
    rows = result.stdout.splitlines()
    assert rows[1].split()[:4] == ["1", "digits.py:wide", "due", "next"]
    assert "priority" in rows[1]
    assert "digits.py:good" not in result.stdout
    assert rows[-3:] == [
        "4 versions: 1 due, 1 done (see them: --all).",
        "How long it takes is not known: 1 version never timed.",
        "Run them: mlpipeline -r -u",
    ]
    assert "digits.py:good" in listed.type("plan", "--all").stdout


def test_the_plan_for_programs_has_every_version_and_its_run(listed: Desk) -> None:
    read = listed.json("plan")
    assert [(each["version"], each["verdict"], each["run"]) for each in read["items"]] == [
        ("wide", "due", None),
        ("late", "waiting", None),
        ("deep", "failed", BAD.id),
        ("good", "done", None),
    ]


def test_the_plan_says_how_long_it_takes(listed: Desk) -> None:
    done = run_in(State.SUCCEEDED, "cccccc")  # digits.py:wide took 30 seconds
    listed.record(done)
    shown = listed.type("plan").stdout.splitlines()
    assert shown[0].split() == ["#", "MODEL:VERSION", "VERDICT", "TAKES", "WHY", "OPTIONS"]
    assert " 30 s (16-57) " in shown[1]
    assert re.fullmatch(r"About 30 s \(1\d s to .+\) of training\.", shown[-2])
    read = listed.json("plan")
    takes = read["items"][0]["takes"]
    assert (takes["seconds"], takes["runs"], takes["source"]) == (30.0, 1, "version")
    assert [each["takes"] for each in read["items"][1:]] == [None] * 3  # what does not start by itself
    assert read["left"] == {"takes": read["left"]["takes"], "done_at": None, "unknown": 0, "late": 0}
    assert "It takes about 30 s (16 s to 57 s), by 1 earlier run of it." in listed.type("why", "digits.py:wide").stdout


def test_a_fault_is_shown_and_ends_with_status_1(listed: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    before = launch.preview(listed.project)
    faulty = launch.Preview(
        plan=before.plan, selection=before.selection, descriptions={}, faults={"a.py": "a.py: gone"}
    )
    monkeypatch.setattr(launch, "preview", lambda project, **_: faulty)
    result = listed.type("plan")
    assert result.exit_code == 1
    assert "fault: a.py: gone" in result.stdout


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("digits:wide", ["digits.py:wide is due: next. It runs with: mlpipeline -r -u"]),
        ("./digits.py:late", ["digits.py:late is waiting: not before 22:00."]),
    ],
)
def test_why_of_a_version_answers_from_the_plan(listed: Desk, what: str, said: list[str]) -> None:
    assert listed.type("why", what).stdout.splitlines() == said


def test_why_of_a_failed_version_tells_the_runs_story_once(listed: Desk) -> None:
    told = listed.type("why", "digits.py:deep").stdout
    assert told.count("ValueError: no") == 1
    assert f"mlpipeline retry {BAD.id}" in told


@pytest.mark.parametrize(
    ("verdict", "reason", "told"),
    [
        (
            Verdict.WAITING,
            "tried again after a pause (attempt 2 of 3)",
            "It is tried again after a pause (attempt 2 of 3), at",
        ),
        (Verdict.HELD, "held after out of memory: no", "It is held until you say more: mlpipeline retry"),
        (Verdict.GAVE_UP, "gave up after 1 attempts: no", "It gave up after 1 attempt: mlpipeline retry"),
        (Verdict.DUE, "waits for a slot", "It is due again: waits for a slot. It runs with: mlpipeline -r -u"),
    ],
)
def test_why_of_what_ended_badly_says_what_the_plan_makes_of_it(
    listed: Desk, monkeypatch: pytest.MonkeyPatch, verdict: Verdict, reason: str, told: str
) -> None:
    until = datetime.now(UTC) + timedelta(minutes=1) if verdict is Verdict.WAITING else None
    before = launch.preview(listed.project)
    wish = item("deep", verdict, reason, failed())._replace(until=until)
    plan = Plan(items=(wish,), submit=(), wake_at=None)
    monkeypatch.setattr(launch, "preview", lambda project: replace(before, plan=plan))
    answer = listed.type("why", "digits.py:deep").stdout
    assert "failed" in answer
    assert told in answer


def test_why_of_a_model_answers_for_every_version(listed: Desk) -> None:
    assert len(listed.json("why", "digits.py")["answers"]) == 4


def test_why_names_the_fault_of_the_config_where_nothing_is_recorded(listed: Desk) -> None:
    (listed.root / "models.config").write_text("[MLP]\nuse_blacklist = perhaps\n[WHITELISTED_MODELS]\n")
    result = listed.type("why", "digits.py:none")
    assert result.exit_code == 2
    assert "models.config:2" in result.stderr
    assert "failed" in listed.type("why", BAD.id).stdout
