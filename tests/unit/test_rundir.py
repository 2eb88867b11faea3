"""The typed view of an attempt's directory."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlpipeline import wire
from mlpipeline.events import Ended
from mlpipeline.run import Cause, State
from mlpipeline.rundir import AttemptDir, Outcome, Spec, read_metrics

from .sample_runs import NOW

SPEC = Spec(
    run_id="20261121-040406-aaaaaa",
    attempt=1,
    token="t",
    model="digits.py",
    version="wide",
    replicate=0,
    seed=7,
    sources="5" * 64,
    sources_path="../../../sources/5",
    root="../../../../..",
    models_dir="models",
    model_dir="models/outputs/model_dirs/digits.py-wide",
    params={"hidden": 32, "rate": [0.1, None]},
    params_digest="d" * 16,
    code_digest="c" * 16,
    invocation="first",
    created_at=NOW,
    executor="local",
    submitted_at=NOW,
)
OUTCOME = Outcome(token="t", state=State.FAILED, cause=Cause.NAN, started_at=NOW, ended_at=NOW, metrics={"a": {"b": 1}})


@pytest.mark.parametrize("record", [SPEC, replace(SPEC, timeout_seconds=2.5, threads=2), OUTCOME])
def test_a_record_comes_back_from_its_file_as_it_went(record: Spec | Outcome, tmp_path: Path) -> None:
    wire.write_json(tmp_path / "a.json", record.to_json())
    content = wire.read_json(tmp_path / "a.json")
    assert content is not None
    assert type(record).from_json(content) == record


def test_a_newer_writers_keys_are_left_out() -> None:
    assert Spec.from_json(SPEC.to_json() | {"since_9": 1}) == SPEC


@pytest.mark.parametrize("content", [{}, {"token": "t"}, OUTCOME.to_json() | {"state": "odd"}])
def test_what_is_no_outcome_is_refused(content: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"outcome|odd"):
        Outcome.from_json(content)


def test_an_outcome_is_the_event_that_the_ledger_records() -> None:
    event = OUTCOME.event("r", 2)
    assert isinstance(event, Ended)
    assert (event.run_id, event.number, event.token, event.at) == ("r", 2, "t", NOW)
    assert (event.state, event.cause, event.started_at, event.metrics) == (
        State.FAILED,
        Cause.NAN,
        NOW,
        {"a": {"b": 1}},
    )


def test_an_empty_directory_tells_nothing(tmp_path: Path) -> None:
    attempt = AttemptDir(tmp_path)
    told = (attempt.spec, attempt.started, attempt.progress, attempt.result, attempt.outcome, attempt.control)
    assert told == (None,) * 6
    assert list(read_metrics(attempt.metrics)) == []


def test_a_torn_file_is_as_good_as_absent(tmp_path: Path) -> None:
    (tmp_path / wire.SPEC).write_text(json.dumps(SPEC.to_json())[:-20])
    assert AttemptDir(tmp_path).spec is None


def test_the_newest_request_counts(tmp_path: Path) -> None:
    attempt = AttemptDir(tmp_path)
    attempt.request("checkpoint")
    attempt.request("yield")
    assert (attempt.control or {})["action"] == "yield"
    assert [path.name for path in tmp_path.iterdir()] == [wire.CONTROL]


def test_metrics_are_read_up_to_the_torn_line(tmp_path: Path) -> None:
    path = tmp_path / wire.METRICS
    path.write_bytes(b'{"step": 1}\n\xff{"step": \n[3]\n{"step": 2}\n{"step": 3}')
    assert [row["step"] for row in read_metrics(path)] == [1, 2]
