"""Requests by command line: checked first, durable, and honest about a scheduler that is not there."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest

from mlpipeline import requests
from mlpipeline.cli import control, daemon
from mlpipeline.errors import NotWritable
from mlpipeline.ledger import Ledger
from mlpipeline.observe.view import SchedulerLine
from mlpipeline.run import Cause, State
from tests.unit.cli.conftest import Desk
from tests.unit.sample_runs import run_in

BAD = run_in(State.FAILED, "bbbbbb", Cause.EXCEPTION, version="deep")
LIVE = run_in(State.RUNNING, "cccccc", version="new")
GOOD = run_in(State.SUCCEEDED, "aaaaaa")


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (control, daemon):
        monkeypatch.setattr(module, "scheduler_line", lambda project: SchedulerLine(running=True, pid=1, host="here"))


def asked(desk: Desk) -> list[tuple[str, str]]:
    return [(each.action, each.target) for each in requests.pending(desk.project)]


def test_a_live_run_can_be_cancelled_by_the_beginning_of_its_id(desk: Desk, running: None) -> None:
    desk.record(LIVE)
    result = desk.type("cancel", "20261121-04")
    assert result.exit_code == 0, result.output
    assert "accepted" in result.stdout
    assert "not running" not in result.stdout
    assert asked(desk) == [("cancel", LIVE.id)]


def test_without_a_scheduler_the_request_is_accepted_and_waits(desk: Desk) -> None:
    desk.record(LIVE)
    assert "it is not running" in desk.type("cancel", LIVE.id, "--wait").stdout
    assert asked(desk) == [("cancel", LIVE.id)]


def test_what_has_ended_cannot_be_cancelled(desk: Desk) -> None:
    desk.record(GOOD, LIVE)
    result = desk.type("cancel", LIVE.id, GOOD.id)
    assert result.exit_code == 2
    assert "is not running" in result.stderr
    assert asked(desk) == []


def test_a_failed_run_can_be_retried_and_a_good_one_not(desk: Desk) -> None:
    desk.record(GOOD, BAD)
    assert desk.json("retry", "digits.py:deep")["requests"][0]["target"] == BAD.id
    assert desk.type("retry", GOOD.id).exit_code == 2
    assert asked(desk) == [("retry", BAD.id)]


def test_retry_failed_asks_for_everything_that_stands_failed(desk: Desk) -> None:
    mended = run_in(State.FAILED, "dddddd", Cause.EXCEPTION)  # the same version and code as GOOD, which succeeded
    desk.record(mended, GOOD, BAD)
    assert desk.type("retry", "--failed").exit_code == 0
    assert asked(desk) == [("retry", BAD.id)]


def test_retry_failed_without_a_failure_asks_nothing(desk: Desk) -> None:
    desk.record(GOOD)
    assert "Nothing stands failed" in desk.type("retry", "--failed").stdout
    assert asked(desk) == []


@pytest.mark.parametrize("words", [["retry"], ["retry", "x", "--failed"], ["stop", "--now", "--detach"], ["cancel"]])
def test_wrong_usage_asks_nothing(desk: Desk, words: list[str]) -> None:
    assert desk.type(*words).exit_code == 2
    assert asked(desk) == []


def test_stop_says_how(desk: Desk, running: None) -> None:
    assert desk.type("stop", "--now").exit_code == 0
    (request,) = requests.pending(desk.project)
    assert request.options == {"now": True, "detach": False}


def test_stop_without_a_scheduler_leaves_nothing_for_the_next_one(desk: Desk) -> None:
    result = desk.type("stop")
    assert (result.exit_code, asked(desk)) == (0, [])
    assert "nothing to stop" in result.stdout


def test_a_refused_request_ends_with_status_1(desk: Desk, running: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def wait_answer(project: Any, identity: str, timeout: float) -> requests.Answer | None:
        (request,) = requests.pending(project)
        requests.answer(project, request, requests.answered(request, False, "it has ended meanwhile"))
        return requests.read_answer(project, identity)

    monkeypatch.setattr(requests, "wait_answer", wait_answer)
    desk.record(LIVE)
    result = desk.type("cancel", LIVE.id, "--wait")
    assert result.exit_code == 1
    assert "refused: it has ended meanwhile" in result.stdout


def test_a_second_scheduler_is_not_started(desk: Desk, running: None) -> None:
    result = desk.type("start")
    assert result.exit_code == 2
    assert "pid 1" in result.stderr
    assert "mlpipeline stop" in result.stderr


def test_a_key_is_used_up_last_when_several_are_asked(
    desk: Desk, running: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = run_in(State.RUNNING, "dddddd", version="other")
    desk.record(LIVE, other)
    submit, count = requests.submit, 0

    def full(*arguments: Any, **options: Any) -> str:
        nonlocal count
        count += 1
        if count > 1:
            raise NotWritable("the disk is full")
        return submit(*arguments, **options)

    monkeypatch.setattr(requests, "submit", full)
    assert desk.type("cancel", LIVE.id, other.id, "--key", "k").exit_code != 0
    assert [each.key for each in requests.pending(desk.project)] == ["k#1"]


def test_what_was_refused_before_is_refused_again(desk: Desk, running: None) -> None:
    desk.record(BAD)
    asked = requests.submit(desk.project, "retry", BAD.id, key="k")
    (request,) = requests.pending(desk.project)
    with closing(Ledger.open(desk.project.ledger_path)) as ledger:
        ledger.keep_answer(asked, "k", False, requests.answered(request, False, "it is too late"))
    result = desk.type("retry", BAD.id, "--key", "k")
    assert result.exit_code == 1
    assert "refused before: it is too late" in result.stdout
