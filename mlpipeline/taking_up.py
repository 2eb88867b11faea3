"""Takes up runs that no scheduler submitted: a fit by hand leaves a directory, the one writer records it."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mlpipeline import admission, plugins, requests, wire
from mlpipeline.errors import NotWritable, RequestRefused, RunNotFound, SchedulerRunning
from mlpipeline.ledger import Ledger
from mlpipeline.lock import SchedulerLock
from mlpipeline.project import Project
from mlpipeline.replay import Replayer
from mlpipeline.requests import Action, Answer, Request
from mlpipeline.run import BY_HAND, Run

if TYPE_CHECKING:
    from typing import Any

PATIENCE_SECONDS = 3.0
_PAUSE_SECONDS = 0.02


class Announced:
    """A fit by hand that is about to begin: that it is to be recorded is durable from now on, whatever is killed.

    While this lives, nobody else says how the fit ended; afterwards whoever holds the host's lock does.

    Args:
        project: whose run it is.
        run_id: of a run whose first attempt's directory has its `spec.json`.

    Raises:
        NotWritable: the wish cannot be written.
    """

    def __init__(self, project: Project, run_id: str) -> None:
        self.project = project
        self.run_id = run_id
        path = _directory(project, run_id) / wire.FITTER
        try:
            self._descriptor: int | None = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
            # Of a kind that ends with the process, and that other threads of it cannot lose by looking.
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        except OSError as error:
            raise NotWritable(f"{path}: cannot be locked ({error.strerror}): mend its permissions") from error
        self.request = requests.submit(project, Action.RECORD, run_id)

    def close(self) -> None:
        """Lets others say how the fit ended."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def record(self) -> bool:
        """Has the finished run recorded whose directory is whole: by the scheduler that lives, else here and now.

        Returns:
            whether it is recorded already; else the next scheduler, or the next fit by hand, does it.

        Raises:
            NotWritable, DiskFull, LedgerError: the ledger cannot be written.
        """
        self.close()
        with suppress(FileNotFoundError):  # it is answered already
            os.utime(self.project.requests_dir / f"{self.request}.json")  # which wakes a scheduler
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if self._is_answered() or (_alone(self.project) and self._is_answered()):
                return True
            time.sleep(_PAUSE_SECONDS)
        return False

    def _is_answered(self) -> bool:
        answer = requests.read_answer(self.project, self.request)
        if answer is not None and not answer.ok:
            # By a scheduler of an earlier release, which did not wait for the end.
            self.request = requests.submit(self.project, Action.RECORD, self.run_id)
        return answer is not None and answer.ok


def _directory(project: Project, run_id: str) -> Path:
    return project.runs_dir / run_id / "1"


def has_ended(project: Project, run_id: str) -> bool:
    """Whether a fit by hand is over. One whose processes are all gone is: then its directory says so afterwards.

    Raises:
        OSError: what became of it cannot be written now.
    """
    directory = _directory(project, run_id)
    spec = wire.read_json(directory / wire.SPEC)
    if not run_id or spec is None or spec.get("executor") != BY_HAND or (directory / wire.OUTCOME).exists():
        return True
    if _is_held(directory / wire.FITTER):
        return False
    executor: Any = plugins.load("executor", "local").for_project(project)
    try:
        if executor.life(directory) != "gone":
            return False
        return bool(executor.bury(directory, str(spec["token"])))
    finally:
        executor.close()


def _is_held(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _alone(project: Project) -> bool:
    """Records everything that waits and is over, where no scheduler lives. Returns whether this could be done."""
    lock = SchedulerLock(project)
    try:
        lock.acquire()
    except SchedulerRunning:
        return False
    try:
        with closing(Ledger.open(project.ledger_path)) as ledger:
            for request in requests.pending(project):
                is_over = request.action == Action.RECORD and has_ended(project, request.target)
                if is_over or request.action == Action.IMPORT:
                    requests.answer(project, request, _carried_out(project, ledger, request))
    finally:
        lock.release()
    return True


def import_(project: Project, batch: str) -> Answer | None:
    """Has staged runs admitted: by the scheduler that lives, else here and now.

    Returns:
        what was said; None where a scheduler lives that has not answered yet: it does so when it can.

    Raises:
        NotWritable, DiskFull, LedgerError: the ledger cannot be written.
    """
    request = requests.submit(project, Action.IMPORT, batch)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        answer = requests.read_answer(project, request)
        if answer is not None or (_alone(project) and (answer := requests.read_answer(project, request)) is not None):
            return answer
        time.sleep(_PAUSE_SECONDS)
    return None


def _carried_out(project: Project, ledger: Ledger, request: Request) -> dict[str, object]:
    if (told := ledger.answer(request.id, request.key)) is not None:
        return told
    try:
        with ledger.together():
            is_import = request.action == Action.IMPORT
            admitted = admission.admit if is_import else _taken_up
            told = requests.answered(request, True, admitted(project, ledger, request.target))
            ledger.keep_answer(request.id, request.key, True, told)
    except RequestRefused as error:
        told = requests.answered(request, False, str(error))
        ledger.keep_answer(request.id, request.key, False, told)
    return told


def _taken_up(project: Project, ledger: Ledger, run_id: str) -> str:
    return said(take_up(project, ledger, run_id))


def said(run: Run) -> str:
    """Returns the answer to who asked for it."""
    return f"recorded {run.model}:{run.version}, fitted by hand: {run.state.value}"


def take_up(project: Project, ledger: Ledger, run_id: str) -> Run:
    """Writes a finished run into the ledger, as its directory tells it. Once: what is there already stays.

    Raises:
        RequestRefused: there is no such directory, or it is not whole.
    """
    replay = Replayer(project).replay(run_id) if run_id else None
    if replay is None or replay.run is None or not replay.run.state.is_final:
        why = "; ".join(replay.faults) if replay is not None and replay.faults else "there is no finished attempt"
        raise RequestRefused(f"{run_id}: cannot be recorded: {why}")
    run = replay.run
    try:
        return ledger.run(run.id)
    except RunNotFound:
        ledger.import_run(run)
    return run
