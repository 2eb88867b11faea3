"""What happened, as the run directories tell it: the same runs that the ledger holds, read from files alone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path, PurePosixPath

from mlpipeline import events, wire
from mlpipeline.errors import IllegalTransition
from mlpipeline.project import Project
from mlpipeline.run import BY_HAND, Attempt, Cause, Run, State
from mlpipeline.rundir import AttemptDir, Outcome, Spec

_GONE = "its outcome is missing, and a later attempt began"


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """One run as its directory tells it.

    Attributes:
        run: None where no attempt of it was ever complete on disk.
        faults: what in the directory cannot be.
    """

    run: Run | None
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Renaming:
    old: tuple[str, str]
    new: tuple[str, str]
    at: datetime

    def applied(self, run: Run) -> Run:
        if run.created_at > self.at or run.model != self.old[0] or self.old[1] not in ("", run.version):
            return run
        return replace(run, model=self.new[0], version=self.new[1] or run.version)


class Replayer:
    """Reads run directories of one project. Changes nothing."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.renamings = tuple(_renamings(project.renames_path))

    def ids(self) -> list[str]:
        """Returns the names of all run directories."""
        try:
            return sorted(path.name for path in self.project.runs_dir.iterdir() if path.is_dir())
        except FileNotFoundError:
            return []

    def replay(self, run_id: str) -> Replay:
        """Reads one run."""
        run: Run | None = None
        faults: list[str] = []
        for path in _attempts(self.project.runs_dir / run_id):
            name = self.project.relative(path)
            try:
                spec = _spec(path)
                if spec is None or spec.mode != "execution" or _is_unfinished_fit(spec, path):
                    continue
                run = self._attempt(run, spec, path)
            except (ValueError, TypeError, KeyError, IllegalTransition) as error:
                faults.append(f"{name}: {error}")
        if run is not None:
            for renaming in self.renamings:
                run = renaming.applied(run)
        return Replay(run=run, faults=tuple(faults))

    def _attempt(self, run: Run | None, spec: Spec, path: Path) -> Run:
        attempt = Attempt(
            run_id=spec.run_id,
            number=spec.attempt,
            token=spec.token,
            state=State.SUBMITTED,
            executor=spec.executor,
            directory=self.project.relative(path),
            submitted_at=spec.submitted_at,
            changes=spec.changes,
        )
        if run is not None and not run.state.is_final:
            run = _lost(run, spec.submitted_at)
        run = run or _run(spec)
        run = replace(run, attempts=(*run.attempts, attempt))
        for event in _events(attempt, path):
            run = events.apply(run, event) or run
        return run


def _attempts(directory: Path) -> list[Path]:
    if not directory.is_dir():
        return []
    return sorted((path for path in directory.iterdir() if path.name.isdecimal()), key=lambda path: int(path.name))


def _spec(path: Path) -> Spec | None:
    """Reads what was asked for; None where nothing was, because the scheduler was stopped on its way."""
    spec = AttemptDir(path).spec
    if spec is None and ((path / wire.STARTED).exists() or (path / wire.OUTCOME).exists()):
        raise ValueError(f"{wire.SPEC} is missing or damaged: what ran here is not known")
    return spec


def _is_unfinished_fit(spec: Spec, path: Path) -> bool:
    """Whether it is a fit by hand that has not ended: nobody but its own process can tell how it does."""
    return spec.executor == BY_HAND and not (path / wire.OUTCOME).exists()


def _run(spec: Spec) -> Run:
    return Run(
        id=spec.run_id,
        model=spec.model,
        version=spec.version,
        replicate=spec.replicate,
        seed=spec.seed,
        sources=spec.sources,
        code_digest=spec.code_digest,
        params_digest=spec.params_digest,
        params=spec.params,
        invocation=spec.invocation,
        model_dir=PurePosixPath(spec.model_dir).name,
        created_at=spec.created_at,
    )


def _events(attempt: Attempt, path: Path) -> Iterator[events.Started | events.Ended]:
    started = wire.read_json(path / wire.STARTED)
    if started is not None and started.get("token") == attempt.token:
        at = datetime.fromisoformat(started["started_at"])
        yield events.Started(run_id=attempt.run_id, number=attempt.number, token=attempt.token, at=at)
    outcome = wire.read_json(path / wire.OUTCOME)
    if outcome is not None and outcome.get("token") == attempt.token:
        yield Outcome.from_json(outcome).event(attempt.run_id, attempt.number)


def _lost(run: Run, at: datetime) -> Run:
    """Ends an attempt that another one followed: both cannot live."""
    last = run.last
    event = events.Ended(
        run_id=run.id,
        number=last.number,
        token=last.token,
        at=at,
        state=State.LOST,
        cause=Cause.LOST_SUPERVISOR,
        message=_GONE,
    )
    return events.apply(run, event) or run


def _renamings(path: Path) -> Iterable[_Renaming]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        try:
            row = json.loads(line)
            old, new = row["old"].partition(":"), row["new"].partition(":")
            at = datetime.fromisoformat(row["at"])
        except (ValueError, TypeError, KeyError):
            continue  # a torn line was never acknowledged
        yield _Renaming(old=(old[0], old[2]), new=(new[0], new[2]), at=at)
