"""Makes sure that a lost attempt stays dead, and writes the outcome that its supervisor could not write."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import time
from pathlib import Path

from mlpipeline import wire
from mlpipeline.execution.limits import boot_id, carried, carries, file_mark, kill, with_token
from mlpipeline.execution.memory import remove_group
from mlpipeline.run import BY_HAND

_SECONDS = 5.0


def bury(directory: Path, token: str) -> bool:
    """Ends every process that carries a lost attempt's token for this directory. Returns whether none is left.

    The attempt's lock is taken first: a supervisor that was started but has not come to run yet finds it taken,
    or finds the outcome, and goes away.
    """
    directory.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(directory / wire.LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        lock = file_mark(descriptor)
        if not end_all(carried(token, lock)):
            return False
        remove_group(token)
        if wire.read_json_patiently(directory / wire.OUTCOME) is None:
            outcome = succeeded(directory, token) or _lost(directory, token, lock)
            wire.write_json(directory / wire.OUTCOME, outcome, sync=True)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EAGAIN):
            return False
        raise
    finally:
        os.close(descriptor)
    return True


def end_all(value: str) -> bool:
    """Kills every process that carries a token (see `limits.carried`). Returns whether none is left."""
    end = time.monotonic() + _SECONDS
    while left := with_token(value):
        for pid in left:
            kill(pid, signal.SIGKILL, lambda each: carries(each, value))
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def succeeded(directory: Path, token: str) -> dict[str, object] | None:
    """Takes the worker's word that all was done, where only its supervisor came to no end."""
    result = wire.read_json_patiently(directory / wire.RESULT) or {}
    if result.get("token") != token or result.get("state") != "succeeded":
        return None
    unseen = "its supervisor vanished after the work was done: exit status and memory are not known"
    told = {name: result.get(name) for name in ("steps", "metrics", "checkpoint_step")}
    outcome = ended(directory, token, "succeeded", "none", "") | told | {"warnings": [*result["warnings"], unseen]}
    # It may have been so short that its supervisor never came to say that it began.
    begun = outcome["started_at"] or (wire.read_json(directory / wire.SPEC) or {}).get("submitted_at")
    return outcome | {"started_at": begun}


def _lost(directory: Path, token: str, lock: str) -> dict[str, object]:
    started = wire.read_json(directory / wire.STARTED) or {}
    cause, what = "lost_supervisor", "its supervisor vanished without a word (killed, or out of memory)"
    if started and started.get("boot_id") != boot_id():
        cause, what = "reboot", "the machine was restarted"
    elif started.get("lock", lock) != lock:
        what = "the project was copied while it ran: it went on in the original"
    state, message = "lost", f"{what}; tried again from its last checkpoint while attempts are left"
    if (wire.read_json(directory / wire.SPEC) or {}).get("executor") == BY_HAND:
        message = f"{what.replace('supervisor', 'process')}: fit it again"
    if (wire.read_json(directory / wire.CONTROL) or {}).get("action") == "cancel":
        state, cause, message = "cancelled", "cancelled", f"cancelled on request; {what}"
    return ended(directory, token, state, cause, message)


def ended(directory: Path, token: str, state: str, cause: str, message: str) -> dict[str, object]:
    """Returns the outcome of an attempt that left none, with what its files say."""
    started = wire.read_json(directory / wire.STARTED) or {}
    progress = wire.read_json(directory / wire.PROGRESS) or {}
    return {
        "token": token,
        "state": state,
        "cause": cause,
        "message": message,
        "exit_code": None,
        "signal": None,
        "peak_memory_bytes": None,
        "cpu_seconds": None,
        "steps": progress.get("step"),
        "metrics": {},
        "checkpoint_step": progress.get("checkpoint_step"),
        "warnings": [],
        "started_at": started.get("started_at"),
        "ended_at": wire.utc_now(),
    }
