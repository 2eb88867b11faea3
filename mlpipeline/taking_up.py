"""Takes up runs that no scheduler submitted: a fit by hand leaves a directory, the one writer records it."""

from __future__ import annotations

import time
from contextlib import closing

from mlpipeline import requests
from mlpipeline.errors import RequestRefused, RunNotFound, SchedulerRunning
from mlpipeline.ledger import Ledger
from mlpipeline.lock import SchedulerLock
from mlpipeline.project import Project
from mlpipeline.replay import Replayer
from mlpipeline.requests import Action, Request
from mlpipeline.run import Run

PATIENCE_SECONDS = 3.0
_PAUSE_SECONDS = 0.02


def record(project: Project, run_id: str) -> bool:
    """Has a finished run recorded whose directory is whole: by the scheduler that lives, else here and now.

    The wish is a request, durable before anything else happens: whatever is killed, the next one who holds the host's
    lock carries it out, once.

    Returns:
        whether it is recorded already; else the next scheduler, or the next fit by hand, does it.

    Raises:
        NotWritable, DiskFull, LedgerError: the wish, or the ledger, cannot be written.
    """
    request = requests.submit(project, Action.RECORD, run_id)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if requests.read_answer(project, request) is not None:
            return True
        if _alone(project):
            return requests.read_answer(project, request) is not None
        time.sleep(_PAUSE_SECONDS)
    return False


def _alone(project: Project) -> bool:
    """Records everything that waits, where no scheduler lives. Returns whether this could be done."""
    lock = SchedulerLock(project)
    try:
        lock.acquire()
    except SchedulerRunning:
        return False
    try:
        with closing(Ledger.open(project.ledger_path)) as ledger:
            for request in requests.pending(project):
                if request.action == Action.RECORD:
                    requests.answer(project, request, _carried_out(project, ledger, request))
    finally:
        lock.release()
    return True


def _carried_out(project: Project, ledger: Ledger, request: Request) -> dict[str, object]:
    if (told := ledger.answer(request.id, request.key)) is not None:
        return told
    try:
        with ledger.together():
            run = take_up(project, ledger, request.target)
            told = requests.answered(request, True, said(run))
            ledger.keep_answer(request.id, request.key, True, told)
    except RequestRefused as error:
        told = requests.answered(request, False, str(error))
        ledger.keep_answer(request.id, request.key, False, told)
    return told


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
