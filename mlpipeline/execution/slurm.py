"""Attempts as jobs of Slurm: it places and ends them; what happens in them is in their directories.

Jobs are known by their names, which hold a token of this queue's: a controller that crashed hands lost numbers out
again. It works without accounting: one call of squeue for all attempts tells how they are.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, Self

from mlpipeline import wire
from mlpipeline.errors import UsageError
from mlpipeline.execution import burial, slurm_batches, slurm_words
from mlpipeline.execution.engine_calls import Answer, Calls
from mlpipeline.execution.executor import Life
from mlpipeline.execution.remote import SHARE, SOONEST_SECONDS, Ending, RemoteExecutor, Sight, Stage
from mlpipeline.execution.slurm_batches import Batch
from mlpipeline.execution.slurm_line import Line
from mlpipeline.execution.slurm_sending import Sender
from mlpipeline.execution.slurm_settings import SlurmSettings, read
from mlpipeline.execution.slurm_words import Listed
from mlpipeline.project import Project

PROGRAMS = ("sbatch", "squeue", "scontrol", "scancel")
_DIRECTORY = "slurm"
_EARLY = 32
"""So many are sent on at once, where nothing is under way: nodes need not wait until a thousand are written down."""
_BUSY_SECONDS = 0.5
"""So soon squeue is called again where something was just submitted; then after twice that, and so on."""
_END_AGAIN_SECONDS = 10.0
_KILL_WAIT_SECONDS = 30.0
_WHY = ("scontrol", "-o", "show", "job")
_KILL_SHARE = 0.5
"""Of the time between Slurm's SIGTERM and its SIGKILL, for the worker to end by itself; the rest is the outcome's."""


class SlurmExecutor(RemoteExecutor):
    """Submits by sbatch, follows by squeue, ends by scancel; none of them is waited for."""

    name, title = "slurm", "Slurm"
    setting = "`time` in [SLURM]"
    slots = 1000

    def __init__(self, project: Project, settings: SlurmSettings) -> None:
        super().__init__(settings.patience)
        self.project, self.settings = project, settings
        self.threads = settings.cpus
        self.place = project.outputs_dir / _DIRECTORY
        self.calls = Calls(settings.answer_seconds, slurm_batches.variables(project.settings.env))
        self.outbox: list[Path] = []
        self.batches: dict[str, Batch] = {}
        self.places: dict[Path, tuple[Batch, int]] = {}
        self.listed: dict[str, Listed] = {}
        self.ending: dict[Path, float] = {}
        self.trouble = ""
        self.kill_seconds: float | None = None
        self._said: list[tuple[str, str]] = []
        self._heard: tuple[str, Mapping[str, str]] = "", {}
        self.sender, self.line = Sender(self), Line(self.calls)
        self._poll_at, self._pause, self._is_polling = 0.0, self.patience.poll, False

    @classmethod
    def for_project(cls, project: Project, *, debugger: bool = False) -> Self:
        """Reads `[SLURM]`.

        Raises:
            ConfigurationError: the section is faulty.
            UsageError: Slurm's programs are not on this machine, or there is no debugger.
        """
        settings = read(project.settings.sections.get("SLURM", {}))
        if debugger:
            raise UsageError("--pdb needs the model in this process: leave --executor slurm out")
        absent = next((each for each in PROGRAMS if shutil.which(each) is None), None)
        if absent is not None:
            raise UsageError(
                f"executor = slurm: {absent} is not on this machine's PATH: start the queue where Slurm's programs are "
                "(a login node, say), or choose another executor in mlp.config"
            )
        return cls(project, settings)

    def submit(self, directory: Path) -> None:
        """Keeps an attempt for the next `flush`; sends on what is enough to begin with."""
        self.hand(directory)
        self.outbox.append(directory)
        if len(self.outbox) == _EARLY and not self.sender.unsent:
            self.flush()

    def flush(self) -> None:
        """Makes arrays of what was submitted, as large as may be, and begins to send them."""
        outbox, self.outbox = self.outbox, []
        flags = {each: self._note(each, wire.read_json(each / wire.SPEC) or {}) for each in outbox}
        for shared, group in groupby(sorted(outbox, key=flags.__getitem__), key=flags.__getitem__):
            for batch in slurm_batches.make(self.place, list(group), shared, self.sender.most):
                self._keep(batch)
        self.sender.send()

    def _note(self, directory: Path, spec: dict[str, Any]) -> tuple[str, ...]:
        """Writes down what an attempt is given. Returns its options of sbatch."""
        kill_seconds = self.kill_seconds or _KILL_WAIT_SECONDS * _KILL_SHARE
        limits = {"seconds": self.settings.limit(spec), "memory": self.settings.memory, "kill_seconds": kill_seconds}
        # Its batch is written down durably.
        self.note(directory, sync=False, notice_seconds=self.settings.notice_seconds, why=_WHY, **limits)
        return self.settings.flags(spec)

    def _keep(self, batch: Batch) -> None:
        self.batches[batch.token] = batch
        if batch.job is None:
            self.sender.unsent.append(batch)
        for number, directory in enumerate(batch.directories):
            self.places[directory] = batch, number

    def adopt(self, directory: Path) -> Life:
        """Finds the batch of an attempt again; one that Slurm has not acknowledged is sent if it is not there."""
        if directory not in self.places:
            self._find()
        return super().adopt(directory)

    def _find(self) -> None:
        for batch in slurm_batches.find(self.place):
            if batch.token not in self.batches:
                self._keep(batch)

    @property
    def look_seconds(self) -> float:  # type: ignore[override]
        """How long the queue may sleep: until Slurm is to be asked again, or something is to be sent."""
        if self._is_polling:  # its end wakes the queue
            return super().look_seconds
        left = self._poll_at - time.monotonic()
        own = min(left, _BUSY_SECONDS) if self.sender.unsent else left
        return min(super().look_seconds, max(SOONEST_SECONDS, own))

    def tend(self) -> list[tuple[str, str]]:
        """Takes what Slurm's programs have said, and asks what is due."""
        self.calls.collect()
        self.look_around(is_answering=not self.trouble)
        if self.kill_seconds is None and self.handed:
            self.kill_seconds = _KILL_WAIT_SECONDS * _KILL_SHARE
            self.calls.start(["scontrol", "show", "config"], self._configure)
        self.sender.send()
        if not self._is_polling and time.monotonic() >= self._poll_at and self.handed:
            self._poll()
        said, self._said = self._said, []
        return said

    def _configure(self, answer: Answer) -> None:
        values = dict(re.findall(r"^(\w+)\s*=\s*(\d+)", answer.output, re.MULTILINE))
        if "KillWait" in values:
            self.kill_seconds = max(1.0, float(values["KillWait"]) * _KILL_SHARE)

    def refuse(self, batch: Batch, why: str) -> None:
        """Ends attempts that Slurm does not take."""
        ending = Ending("failed", "refused", why)
        for directory in batch.directories:
            token = str((wire.read_json(directory / wire.SPEC) or {}).get("token"))
            wire.write_json_once(directory / wire.NODE, {"token": token, "buried": True, "at": wire.utc_now()})
            wire.write_json_once(directory / wire.OUTCOME, burial.ended(directory, token, *ending))
            if directory in self.handed:
                self.see(directory, Sight(Stage.ENDED, ending=ending, is_certain=True))

    def replace(self, batch: Batch, parts: Iterable[Batch]) -> None:
        """Takes smaller batches in place of one."""
        del self.batches[batch.token]
        for part in parts:
            self._keep(part)

    def sent(self) -> None:
        """Has jobs looked at soon that Slurm has just taken."""
        self.recover()
        self._pause = _BUSY_SECONDS
        self._poll_at = min(self._poll_at, time.monotonic() + self._pause)

    def complain(self, words: str) -> None:
        """Says once that something does not go as it should."""
        if words != self.trouble:
            self.trouble = words
            self._said.append((f"{words}: tried again", "WARNING"))

    def recover(self) -> None:
        """Says that it goes on, where it did not."""
        if self.trouble:
            self.trouble = ""
            self._said.append(("Slurm answers again", "INFO"))

    def _poll(self) -> None:
        self._is_polling = True
        command = ["squeue", "-h", "-a", "-t", "all", "-u", str(os.getuid()), "-o", slurm_words.QUEUE_FORMAT]
        self.calls.start(command, partial(self._polled, time.monotonic()))

    def _polled(self, began: float, answer: Answer) -> None:
        self._is_polling = False
        took = time.monotonic() - began
        self._pause = min(self.patience.poll, max(2 * self._pause, took * SHARE))
        self._poll_at = time.monotonic() + self._pause
        if answer.status != 0:
            self.complain(f"Slurm does not say how jobs are: {answer.words}")
            return
        self.listed, odd = slurm_words.read_queue(answer.output, slurm_batches.PREFIX)
        if odd:
            self.complain(f"squeue says what cannot be read: {odd[0][:200]!r}")
        elif not self.sender.unsent:
            self.recover()
        said = answer.output, self.line.places
        for directory, handed in list(self.handed.items()):
            # Most of a thousand wait as they did; who runs or has ended may have written something.
            if not (said == self._heard and handed.answered and handed.sight.stage is Stage.WAITING):
                self._look(directory, is_whole=not odd)
        self._heard = said
        self.line.look(self.handed.values())
        self._end_again()

    def _look(self, directory: Path, *, is_whole: bool) -> None:
        """Takes what squeue says of an attempt.

        Args:
            directory: of the attempt.
            is_whole: whether all that squeue said could be read; else what is missing may be there.
        """
        batch, number = self.places.get(directory, (None, 0))
        if batch is not None and batch in self.sender.unsent:
            return
        listed = self.listed.get(batch.token) if batch is not None else None
        sight = slurm_words.sight(listed, number, self.line.place(listed))
        if sight.stage is not Stage.UNKNOWN or is_whole:
            self.see(directory, sight)

    def reasons(self) -> dict[Path, str]:
        """Returns why attempts wait, in Slurm's words; also where it does not answer."""
        unsent = self.trouble or "is about to be given to Slurm"
        waiting = [each for batch in self.sender.unsent for each in batch.directories]
        return {**super().reasons(), **dict.fromkeys(waiting, unsent)}

    def end(self, directory: Path) -> None:
        """Has scancel end a job, once Slurm knows it; an attempt that was not sent yet ends here."""
        if directory in self.outbox:
            self.outbox.remove(directory)
            self.see(directory, Sight(Stage.ENDED, is_certain=True))
            return
        self.ending.setdefault(directory, 0.0)
        self._end_again()

    def _end_again(self) -> None:
        """Ends what is to be ended and still in the queue: now, and again where that has not helped."""
        now = time.monotonic()
        jobs = []
        for directory, asked in self.ending.items():
            if now - asked >= _END_AGAIN_SECONDS and (found := self._jobs(directory)):
                jobs += found
                self.ending[directory] = now
        if jobs:
            self.calls.start(["scancel", *jobs], self._ended)

    def _jobs(self, directory: Path) -> list[str]:
        batch, number = self.places.get(directory, (None, 0))
        listed = self.listed.get(batch.token) if batch is not None else None
        rows = listed.tasks.get(number, []) if listed is not None else []
        return [f"{row.job}_{number}" for row in rows if row.stage is not Stage.ENDED]

    def _ended(self, answer: Answer) -> None:
        if answer.status != 0:
            self.complain(f"scancel: {answer.words}")
        self._poll_at = 0.0

    def _unexplained(self, directory: Path, *, has_begun: bool) -> Ending:
        """Says why a job left no outcome by what it printed before its supervisor began, or what Slurm printed."""
        batch, number = self.places.get(directory, (None, 0))
        log = batch.said(number) if batch is not None else ""
        if memory := slurm_words.memory_words(log):
            return Ending("failed", "memory_limit", f"{memory}: raise `memory` in [SLURM], or memory= of the model")
        if not has_begun and self.handed[directory].sight.stage is Stage.ENDED:
            said = " ".join(log.split())[-500:] or f"nothing; {batch and batch.place} may not be seen there"
            return Ending("failed", "refused", f"its job ended before it began, and printed {said}")
        return super()._unexplained(directory, has_begun=has_begun)

    def forget(self, directory: Path) -> None:
        """Lets go of an attempt, and of its batch with the last one of it."""
        super().forget(directory)
        self.ending.pop(directory, None)
        batch, number = self.places.pop(directory, (None, 0))
        if batch is None:
            return
        batch.clear(number)
        if self.places.keys().isdisjoint(batch.directories):
            self.batches.pop(batch.token, None)
            batch.remove()

    def descriptors(self) -> Sequence[int]:
        """Returns what tells that one of Slurm's programs has ended."""
        return self.calls.descriptors()

    def close(self) -> None:
        """Lets a submission that is under way come to its end. Jobs go on."""
        self.calls.close()
