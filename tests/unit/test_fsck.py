"""The check and the rebuilding of the ledger, from run directories that a test writes."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mlpipeline import wire
from mlpipeline.errors import LedgerDamaged
from mlpipeline.ledger import Ledger
from mlpipeline.project import Project
from mlpipeline.queue import fsck
from mlpipeline.run import Attempt, Cause, Run, State
from mlpipeline.rundir import Outcome, Spec

from .sample_runs import NOW, run_in, sample_attempt, sample_run

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "mlp.config").write_text("[MLP]\nhost = here\n")
    found = Project.load(tmp_path)
    found.runs_dir.mkdir(parents=True)
    return found


def write(project: Project, run: Run) -> None:
    """Writes the directories that a run leaves."""
    for attempt in run.attempts:
        directory = project.root / attempt.directory
        directory.mkdir(parents=True, exist_ok=True)
        wire.write_json(directory / wire.SPEC, spec(run, attempt).to_json())
        if attempt.started_at is not None:
            started = {"token": attempt.token, "started_at": attempt.started_at.isoformat(), "pid": 1}
            wire.write_json(directory / wire.STARTED, started)
        if attempt.ended_at is not None:
            wire.write_json(directory / wire.OUTCOME, outcome(attempt).to_json())


def spec(run: Run, attempt: Attempt) -> Spec:
    names = ("model", "version", "replicate", "seed", "sources", "code_digest", "params_digest", "invocation")
    return Spec(
        **{name: getattr(run, name) for name in names},
        run_id=run.id,
        attempt=attempt.number,
        token=attempt.token,
        sources_path="../../../sources/5",
        root="../../../../..",
        models_dir="models",
        model_dir=f"models/outputs/model_dirs/{run.model_dir}",
        params=dict(run.params),
        created_at=run.created_at,
        executor=attempt.executor,
        submitted_at=attempt.submitted_at,
    )


def outcome(attempt: Attempt) -> Outcome:
    assert attempt.ended_at is not None
    return Outcome(
        token=attempt.token,
        state=attempt.state,
        cause=attempt.cause,
        message=attempt.message,
        started_at=attempt.started_at,
        ended_at=attempt.ended_at,
        steps=attempt.steps,
        metrics=dict(attempt.metrics),
    )


def record(project: Project, *runs: Run) -> None:
    with closing(Ledger.open(project.ledger_path)) as ledger:
        ledger.import_runs(runs)


def recorded(project: Project) -> list[Run]:
    with closing(Ledger.open_readonly(project.ledger_path)) as ledger:
        return ledger.runs(newest_first=False)


def unreported(run: Run) -> Run:
    return replace(run, attempts=tuple(replace(each, reported=False) for each in run.attempts))


def both(project: Project, *runs: Run) -> None:
    for run in runs:
        write(project, run)
    record(project, *runs)


def history() -> list[Run]:
    twice = "20261121-040406-bbbbbb"
    return [
        sample_run("aaaaaa"),
        sample_run("bbbbbb", sample_attempt(twice, 1, State.LOST, Cause.KILLED, "x"), sample_attempt(twice, 2)),
        run_in(State.RUNNING, "cccccc", version="deep"),
        run_in(State.SUBMITTED, "dddddd", version="flat"),
        replace(run_in(State.FAILED, "eeeeee", Cause.EXCEPTION, "no \udc80"), created_at=LATER),
    ]


def change(project: Project, run: Run, name: str, **values: Any) -> None:
    path = project.root / run.last.directory / name
    wire.write_json(path, (wire.read_json(path) or {}) | values)


def test_a_project_where_nothing_ran_is_well(project: Project) -> None:
    assert fsck.check(project) == []
    assert not project.ledger_path.exists()


def test_what_agrees_is_well(project: Project) -> None:
    both(project, *history())
    assert fsck.check(project) == []


def test_a_run_that_ended_while_no_scheduler_looked_is_no_fault(project: Project) -> None:
    run = run_in(State.RUNNING)
    both(project, run)
    ended = replace(run.last, state=State.SUCCEEDED, ended_at=NOW)
    change(project, run, wire.OUTCOME, **outcome(ended).to_json())
    assert fsck.check(project) == []


def test_a_directory_that_was_never_acknowledged_is_no_fault(project: Project) -> None:
    write(project, run_in(State.SUBMITTED))
    (project.runs_dir / "20261121-040406-bbbbbb" / "1").mkdir(parents=True)
    assert fsck.check(project) == []


def one_fault(project: Project) -> str:
    (fault,) = fsck.check(project)
    return fault


def test_a_missing_directory_is_a_fault(project: Project) -> None:
    record(project, sample_run())
    assert "models/outputs/runs/20261121-040406-aaaaaa is missing" in one_fault(project)


def test_a_run_that_the_ledger_lost_is_a_fault(project: Project) -> None:
    write(project, sample_run())
    assert "the ledger does not know it" in one_fault(project)


@pytest.mark.parametrize(
    ("name", "values", "told"),
    [
        (wire.OUTCOME, {"state": "failed"}, "state is succeeded in the ledger, failed in its directory"),
        (wire.OUTCOME, {"steps": 7}, "steps is 120 in the ledger, 7 in its directory"),
        (wire.OUTCOME, {"token": "x"}, "there is no outcome in models/outputs/runs/20261121-040406-aaaaaa/1"),
        (wire.OUTCOME, {"state": "odd"}, "'odd' is not a valid State"),
        (wire.SPEC, {"version": "x"}, "version is wide in the ledger, x in its directory"),
        (wire.SPEC, {"sources": "x"}, "in the ledger, x in its directory"),
        (wire.SPEC, {"token": "x"}, "the token in its directory is another attempt's"),
    ],
)
def test_every_disagreement_is_named(project: Project, name: str, values: dict[str, Any], told: str) -> None:
    run = sample_run()
    both(project, run)
    change(project, run, name, **values)
    assert told in fsck.check(project)[0]


def test_a_damaged_spec_is_a_fault(project: Project) -> None:
    run = sample_run()
    both(project, run)
    (project.root / run.last.directory / wire.SPEC).write_text("{")
    assert "spec.json is missing or damaged" in fsck.check(project)[0]


def test_states_that_cannot_be_are_faults(project: Project) -> None:
    run = sample_run()
    both(project, replace(run, attempts=(replace(run.last, started_at=None, ended_at=None),)))
    faults = "\n".join(fsck.check(project))
    assert "was never started" in faults
    assert "ended at None" in faults


def test_the_ledger_is_rebuilt_from_the_directories_alone(project: Project) -> None:
    runs = history()
    for run in reversed(runs):
        write(project, run)
    project.ledger_path.write_bytes(b"rubbish")
    project.ledger_path.with_name(f"{project.ledger_path.name}-wal").write_bytes(b"old pages")
    with pytest.raises(LedgerDamaged):
        fsck.check(project)
    assert fsck.rebuild(project, project.ledger_path) == len(runs)
    assert fsck.check(project) == []
    stored = [replace(run.last, message=run.last.message.replace("\udc80", "\\udc80")) for run in runs]
    expected = [replace(run, attempts=(*run.attempts[:-1], last)) for run, last in zip(runs, stored, strict=True)]
    assert recorded(project) == [unreported(run) for run in expected]
    (kept,) = (path for path in project.outputs_dir.glob("*.damaged-*Z"))
    assert kept.read_bytes() == b"rubbish"
    assert kept.with_name(f"{kept.name}-wal").read_bytes() == b"old pages"


def test_blocks_that_stand_in_the_output_files_are_not_written_again(project: Project) -> None:
    first, second = sample_run("aaaaaa"), sample_run("bbbbbb")
    for run in (first, second, sample_run("cccccc")):
        write(project, run)
    project.output_path.write_text(f"x\nrun {second.id}.1\n    run 20261121-040406-cccccc.1\n")
    project.output_path.with_name(f"{project.output_path.name}.1").write_text(f"run {first.id}.1\n")
    fsck.rebuild(project, project.ledger_path)
    assert [run.last.reported for run in recorded(project)] == [True, True, False]


def test_of_two_attempts_the_earlier_one_cannot_live(project: Project) -> None:
    run_id = "20261121-040406-aaaaaa"
    attempts = (sample_attempt(run_id, 1, State.RUNNING), sample_attempt(run_id, 2, State.RUNNING))
    write(project, sample_run("aaaaaa", *attempts))
    fsck.rebuild(project, project.ledger_path)
    (run,) = recorded(project)
    assert [each.state for each in run.attempts] == [State.LOST, State.RUNNING]


def test_renamings_are_followed_and_concern_older_runs_only(project: Project) -> None:
    older, newer = sample_run("aaaaaa"), replace(sample_run("bbbbbb"), created_at=LATER)
    for run in (older, newer):
        write(project, run)
    at = (NOW + timedelta(minutes=1)).isoformat()
    rows = [
        {"kind": "model", "old": "digits.py", "new": "net.py", "at": at},
        {"kind": "version", "old": "net.py:wide", "new": "net.py:w32", "at": at},
    ]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (project.outputs_dir / "renames.jsonl").write_text(lines + '{"kind": "mod')
    fsck.rebuild(project, project.ledger_path)
    assert [(run.model, run.version) for run in recorded(project)] == [("net.py", "w32"), ("digits.py", "wide")]
    assert fsck.check(project) == []


def test_runs_of_other_hosts_are_theirs(project: Project) -> None:
    mine, theirs = sample_run("aaaaaa"), sample_run("bbbbbb")
    both(project, mine)
    write(project, theirs)
    with closing(Ledger.open(project.outputs_dir / "ledger-there.db")) as ledger:
        ledger.import_run(theirs)
    assert fsck.check(project) == []
    assert fsck.rebuild(project, project.ledger_path) == 1


def test_what_ran_in_test_mode_is_not_recorded(project: Project) -> None:
    run = sample_run()
    write(project, run)
    change(project, run, wire.SPEC, mode="test")
    assert fsck.check(project) == []
    assert fsck.rebuild(project, project.ledger_path) == 0
