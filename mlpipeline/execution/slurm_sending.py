"""Hands batches of attempts to sbatch, one after the other, and makes sure that each is handed over once."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from mlpipeline.execution import slurm_batches, slurm_words
from mlpipeline.execution.engine_calls import Answer
from mlpipeline.execution.slurm_batches import Batch

if TYPE_CHECKING:
    from mlpipeline.execution.slurm import SlurmExecutor

_RETRY_SECONDS = 5.0


class Sender:
    """The batches of one executor that Slurm has not acknowledged.

    Whether sbatch was heard, where it was cut off or said nothing, nobody knows: then Slurm is asked for a job of that
    name before it is sent again. Should it be there twice after all, one of each pair finds its attempt taken.

    Attributes:
        most: how many tasks one array may have.
    """

    def __init__(self, executor: SlurmExecutor) -> None:
        self.executor = executor
        self.most = executor.settings.array
        self.unsent: list[Batch] = []
        self._send_at = 0.0
        self._is_busy = False

    def send(self) -> None:
        """Begins to send the next batch, where none is under way."""
        if self._is_busy or not self.unsent or time.monotonic() < self._send_at:
            return
        self._is_busy = True
        batch = self.unsent[0]
        if batch.may_be_there:
            command = ["squeue", "-h", "-a", "-t", "all", "-n", batch.name, "-o", slurm_words.QUEUE_FORMAT]
            self.executor.calls.start(command, partial(self._looked_for, batch))
        else:
            self._submit(batch)

    def _submit(self, batch: Batch) -> None:
        batch.note_sending()
        script = batch.script(self.executor.project.root, self.executor.settings)
        self.executor.calls.start(batch.command(), partial(self._sent, batch), script)

    def _looked_for(self, batch: Batch, answer: Answer) -> None:
        if answer.status != 0:
            self._later(answer.words)
            return
        found, _ = slurm_words.read_queue(answer.output, slurm_batches.PREFIX)
        if batch.token in found:
            self._acknowledged(batch, found[batch.token].job)
        else:
            self._submit(batch)

    def _sent(self, batch: Batch, answer: Answer) -> None:
        job = answer.output.strip().partition(";")[0]
        if answer.status == 0 and job.isdigit():
            self._acknowledged(batch, job)
        elif answer.status == 0:
            self._later(f"sbatch says {answer.words[:200]!r}, which is no number of a job")
        elif answer.status is None:
            self._later(answer.words)
        elif slurm_words.is_array_too_large(answer.words) and len(batch.directories) > 1:
            self.most = _half(batch)
            self._split(batch)
        elif slurm_words.is_full(answer.words) and len(batch.directories) > 1:
            self._split(batch)  # an array is taken whole or not at all, and all of it may be more than is ever allowed
        elif (refusal := slurm_words.rejection(answer.words, batch.flags)) is not None:
            self._done(batch)
            self.executor.refuse(batch, refusal)
            self.send()
        else:
            self._later(answer.words)

    def _acknowledged(self, batch: Batch, job: str) -> None:
        batch.acknowledge(job)
        self._done(batch)
        self.executor.sent()
        self.send()

    def _later(self, words: str) -> None:
        self._is_busy = False
        self._send_at = time.monotonic() + _RETRY_SECONDS
        self.executor.complain(f"Slurm takes no jobs now: {slurm_words.passing(words)}")

    def _split(self, batch: Batch) -> None:
        """Sends a batch in two halves, before what came after it."""
        self._done(batch)
        others = list(self.unsent)
        self.executor.replace(batch, slurm_batches.parts(batch, _half(batch), self.executor.place))
        self.unsent = [each for each in self.unsent if each not in others] + others
        self.send()

    def _done(self, batch: Batch) -> None:
        self.unsent.remove(batch)
        self._is_busy = False


def _half(batch: Batch) -> int:
    return (len(batch.directories) + 1) // 2
