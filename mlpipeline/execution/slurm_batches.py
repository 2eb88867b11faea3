"""What is submitted to Slurm together: one array of jobs, named so that it is found again whatever its number is."""

from __future__ import annotations

import os
import secrets
import shlex
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlpipeline import wire
from mlpipeline.execution.environment import PACKAGE_PARENT
from mlpipeline.execution.forked import STARTED_WITH
from mlpipeline.execution.node import BOOTSTRAP
from mlpipeline.execution.slurm_settings import SlurmSettings

PREFIX = "mlp-"
"""Begins the names of this queue's jobs."""
_BATCH = "batch.json"
_LIST = "attempts"
_SENT = "sent"
_LOG_BYTES = 4000

_SCRIPT = """#!/bin/bash
export MLP_JOB="${{SLURM_ARRAY_JOB_ID}}_${{SLURM_ARRAY_TASK_ID}}"
cd {root} || {{ echo "{root}: not there on $(hostname): Slurm's nodes must see the project" >&2; exit 78; }}
mapfile -t -s "$SLURM_ARRAY_TASK_ID" -n 1 directory < {list}
[ -n "$directory" ] || {{ echo "{list}: not to be read on $(hostname)" >&2; exit 78; }}
{setup}
export {variables}
exec {command} "$directory"
"""


@dataclass(slots=True)
class Batch:
    """Attempts that are tasks of one array, the first with number 0.

    Attributes:
        token: what its job name holds beside the prefix.
        flags: options of sbatch.
        job: the array's number; None as long as Slurm has not acknowledged it. For people: jobs are found by name.
    """

    token: str
    directories: list[Path]
    flags: tuple[str, ...]
    place: Path
    job: str | None = None

    @property
    def name(self) -> str:
        """The job's name."""
        return f"{PREFIX}{self.token}"

    def log(self, number: int) -> Path:
        """Returns where a task's output goes that is not its run's: of Slurm itself, and of the set-up lines."""
        return self.place / f"{number}.log"

    def write(self) -> None:
        """Writes down which attempts these are, durably, before Slurm is told."""
        wire.make_directory(self.place.parent)
        wire.make_directory(self.place)
        beside = self.place / f"{_LIST}.part"
        beside.write_text("".join(f"{each}\n" for each in self.directories))
        wire.sync_file(beside)
        beside.rename(self.place / _LIST)
        content = {"token": self.token, "flags": self.flags, "attempts": list(map(str, self.directories))}
        wire.write_json(self.place / _BATCH, content, sync=True)

    @property
    def may_be_there(self) -> bool:
        """Whether sbatch was started with it at some time."""
        return (self.place / _SENT).exists()

    def note_sending(self) -> None:
        """Writes down that sbatch is about to be started."""
        (self.place / _SENT).touch()

    def acknowledge(self, job: str) -> None:
        """Writes down that Slurm has it."""
        self.job = job
        content = {"token": self.token, "flags": self.flags, "attempts": list(map(str, self.directories)), "job": job}
        wire.write_json(self.place / _BATCH, content, sync=True)

    def command(self) -> list[str]:
        """Returns the call of sbatch; it reads the script."""
        output = str(self.place).replace("%", "%%")
        return [
            *("sbatch", "--parsable", "--no-requeue", f"--job-name={self.name}", f"--comment={self.name}"),
            *(f"--array=0-{len(self.directories) - 1}", f"--output={output}/%a.log", "--open-mode=append", "--chdir=/"),
            *self.flags,
        ]

    def script(self, root: Path, settings: SlurmSettings) -> str:
        """Returns what each task runs: it finds its attempt by its number, and becomes the supervisor."""
        command = [settings.python or sys.executable, "-c", BOOTSTRAP, PACKAGE_PARENT]
        return _SCRIPT.format(
            root=shlex.quote(str(root)),
            list=shlex.quote(str(self.place / _LIST)),
            setup=settings.setup,
            variables=shlex.join(f"{name}={value}" for name, value in STARTED_WITH.items()),
            command=shlex.join(command),
        )

    def said(self, number: int) -> str:
        """Returns the end of a task's log; empty where there is none."""
        path = self.log(number)
        try:
            with path.open("rb") as file:
                file.seek(max(0, path.stat().st_size - _LOG_BYTES))
                return file.read().decode("utf-8", "replace")
        except OSError:
            return ""

    def clear(self, number: int) -> None:
        """Removes a task's log, where nothing stands in it."""
        path = self.log(number)
        try:
            if path.stat().st_size == 0:
                path.unlink()
        except OSError:
            return  # there is none, or it is not to be had: it is small

    def remove(self) -> None:
        """Removes its files, once nobody asks for any of its attempts; logs in which something stands stay."""
        for name in (_LIST, _SENT, _BATCH):
            (self.place / name).unlink(missing_ok=True)
        if not any(self.place.iterdir()):
            self.place.rmdir()


def make(place: Path, directories: Sequence[Path], flags: tuple[str, ...], most: int) -> list[Batch]:
    """Makes batches of attempts, and writes them down.

    Args:
        place: where they are kept, each in a directory.
        directories: of the attempts.
        flags: options of sbatch.
        most: how many attempts one may have.
    """
    found = []
    for start in range(0, len(directories), most):
        token = secrets.token_hex(8)
        found.append(Batch(token, list(directories[start : start + most]), flags, place / token))
        found[-1].write()
    return found


def find(place: Path) -> Iterable[Batch]:
    """Yields the batches that are written down."""
    for path in sorted(place.glob(f"*/{_BATCH}")):
        told = wire.read_json(path)
        if told is not None:
            directories = [Path(each) for each in told["attempts"]]
            yield Batch(told["token"], directories, tuple(told["flags"]), path.parent, told.get("job"))


def parts(batch: Batch, most: int, place: Path) -> list[Batch]:
    """Returns smaller batches of the same attempts, where Slurm takes no arrays of this size."""
    found = make(place, batch.directories, batch.flags, most)
    shutil.rmtree(batch.place, ignore_errors=True)
    return found


def variables(given: Mapping[str, str]) -> dict[str, str]:
    """Returns the environment of Slurm's programs, which jobs inherit.

    A queue that runs within a job must not hand that job's own numbers on.
    """
    inherited = dict(os.environ)
    if "SLURM_JOB_ID" in inherited:
        inherited = {name: value for name, value in inherited.items() if not _is_of_job(name)}
    return inherited | dict(given) | {"SLURM_BITSTR_LEN": "0", "SLURM_TIME_FORMAT": "standard"}


def _is_of_job(name: str) -> bool:
    return name.startswith(("SLURM_", "SLURMD_")) and name not in ("SLURM_CONF", "SLURM_CLUSTERS")
