"""Predicts for one model in a thread of its own; requests that wait meanwhile are predicted together."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain

from mlpipeline.learning.serving.limits import Limits
from mlpipeline.learning.serving.refusal import Refusal
from mlpipeline.learning.serving.rows import Values
from mlpipeline.learning.serving.served import Answers, Served


@dataclass(frozen=True, slots=True)
class _Job:
    served: Served
    output: str
    values: Values
    rows: int
    future: asyncio.Future[Answers]


class Batcher:
    """Takes rows of requests and gives their predictions, in the order in which they came.

    A request alone is predicted at once. What comes while a prediction runs waits, and goes together into the next one:
    each row gives the same among others as alone. A request keeps the model that has checked its rows, whatever has
    taken its place by then.

    Args:
        name: of the model.
        limits: how many rows go together, and may wait.
        note: is told the number of requests and of rows of each prediction.
    """

    def __init__(self, name: str, limits: Limits, note: Callable[[int, int], None]) -> None:
        self._name, self._limits, self._note = name, limits, note
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._work, name=f"predict {name}", daemon=True)
        # Touched by the event loop alone.
        self.waiting_rows = 0
        self._thread.start()

    async def answer(self, served: Served, values: Values, output: str) -> Answers:
        """Returns the predictions of rows.

        Raises:
            Refusal: with status 503 where too many rows wait already, or it takes too long.
            Exception: what predicting has raised.
        """
        rows = len(values[0])
        if self.waiting_rows and self.waiting_rows + rows > self._limits.waiting_rows:
            raise _busy(f"{self.waiting_rows:,} rows wait for model '{self._name}': ask again later")
        job = _Job(served, output, values, rows, self._loop.create_future())
        self.waiting_rows += rows
        self._jobs.put(job)
        try:
            return await asyncio.wait_for(job.future, self._limits.answer_seconds)
        except TimeoutError:
            raise _busy(f"no prediction within {self._limits.answer_seconds:g} s: ask again later") from None

    def stop(self) -> None:
        """Ends the thread after what it has been given."""
        self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            batch, is_last = self._with_others(job)
            done = []
            for group in _alike(batch):
                done += self._predicted(group)
            self._loop.call_soon_threadsafe(self._deliver, done)
            if is_last:
                return

    def _with_others(self, first: _Job) -> tuple[list[_Job], bool]:
        """Returns a job with those that wait already, and whether they are the last ones."""
        batch, rows = [first], first.rows
        while rows < self._limits.batch_rows:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
            if job is None:
                return batch, True
            batch.append(job)
            rows += job.rows
        return batch, False

    def _predicted(self, jobs: Sequence[_Job]) -> list[tuple[_Job, Answers | Exception]]:
        wanted = [job for job in jobs if not job.future.done()]
        left_out: list[tuple[_Job, Answers | Exception]] = [(job, _busy("")) for job in jobs if job.future.done()]
        if not wanted:
            return left_out
        try:
            found = wanted[0].served.answer(_joined([job.values for job in wanted]), wanted[0].output)
        except Exception as error:  # whatever a model raises, others go on
            if len(wanted) > 1:
                return left_out + [pair for job in wanted for pair in self._predicted([job])]
            return [*left_out, (wanted[0], error)]
        self._note(len(wanted), len(found.rows))
        if len(wanted) == 1:
            return [*left_out, (wanted[0], found)]
        start = 0
        for job in wanted:
            left_out.append((job, Answers(found.rows[start : start + job.rows], found.classes)))
            start += job.rows
        return left_out

    def _deliver(self, done: Sequence[tuple[_Job, Answers | Exception]]) -> None:
        for job, answer in done:
            self.waiting_rows -= job.rows
            if job.future.done():
                continue
            if isinstance(answer, Exception):
                job.future.set_exception(answer)
            else:
                job.future.set_result(answer)


def _alike(batch: Sequence[_Job]) -> list[list[_Job]]:
    """Returns jobs that can be predicted together."""
    groups: dict[tuple[int, str], list[_Job]] = {}
    for job in batch:
        groups.setdefault((id(job.served), job.output), []).append(job)
    return list(groups.values())


def _joined(parts: Sequence[Values]) -> Values:
    return parts[0] if len(parts) == 1 else [list(chain.from_iterable(column)) for column in zip(*parts, strict=True)]


def _busy(message: str) -> Refusal:
    return Refusal(503, "busy", message, headers={"Retry-After": "1"})
