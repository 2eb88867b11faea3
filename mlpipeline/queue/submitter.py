"""Starts what the plan says: claims it, writes it down, records it, hands it over."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mlpipeline.errors import DiskFull, LedgerError, NotWritable, RunNotFound
from mlpipeline.execution import machine
from mlpipeline.queue import digests, submission
from mlpipeline.queue.memory import gigabytes
from mlpipeline.queue.verdicts import Verdict, Wanted

if TYPE_CHECKING:
    from mlpipeline.queue.scheduler import Scheduler


class Submitter:
    """Submits for one scheduler."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self.digested: set[str] = set()
        self._crowded: set[tuple[int, int]] = set()

    def prepare(self) -> None:
        """Brings the digests of stored sources up to date, and frees what was claimed and never recorded."""
        scheduler = self.scheduler
        if not scheduler.options.testing:
            scheduler.claims.forget_unrecorded(self._is_recorded)
        digests.refresh(scheduler.project, scheduler.ledger, scheduler.say)
        self.digested = set(scheduler.ledger.known_sources())

    def _is_recorded(self, run_id: str, token: str) -> bool:
        try:
            run = self.scheduler.ledger.run(run_id)
        except RunNotFound:
            return False
        return any(each.token == token for each in run.attempts)

    def _occasion(self) -> submission.Occasion:
        scheduler = self.scheduler
        settings = scheduler.project.settings
        return submission.Occasion(
            project=scheduler.project,
            invocation=scheduler.invocation,
            executor=scheduler.executor.name,
            threads=settings.threads or scheduler.executor.threads or max(1, machine.cores() // scheduler.slots),
            fresh=not scheduler.options.use_history,
            testing=scheduler.options.testing,
        )

    def submit(self) -> None:
        """Starts what the plan says. One that cannot be written stays due; one that another host has is left to it.

        Raises:
            DiskFull: with what could not be started, and why.
        """
        if not self.scheduler.outlook.plan.submit:
            return
        occasion = self._occasion()
        submit = self.scheduler.outlook.plan.submit
        if self.scheduler.executor.is_here:
            self._tell_of_crowding(max((each.options.threads or occasion.threads for each in submit), default=0))
        try:
            for wanted in submit:
                self._try(occasion, wanted)
        finally:
            self.scheduler.executor.flush()

    def _try(self, occasion: submission.Occasion, wanted: Wanted) -> None:
        try:
            self._one(occasion, wanted)
        except (DiskFull, NotWritable, LedgerError, OSError) as error:
            raise DiskFull(f"{wanted.model}:{wanted.version} cannot be started: {error}") from error

    def _tell_of_crowding(self, threads: int) -> None:
        """Says it once when runs side by side have more threads than there are cores."""
        slots, cores = self.scheduler.slots, machine.cores()
        if slots > 1 and slots * threads > cores and (slots, threads) not in self._crowded:
            self._crowded.add((slots, threads))
            each = f"{threads} threads" if threads > 1 else "one thread"
            advice = "fewer slots, or a smaller `threads`" if threads > 1 else "fewer slots"
            told = f"{slots} slots of {each}, and {cores} cores: runs side by side slow one another down: {advice}"
            self.scheduler.say(told, "WARNING")

    def _one(self, occasion: submission.Occasion, wanted: Wanted) -> None:
        scheduler = self.scheduler
        description = scheduler.outlook.known[wanted.model]
        earlier = scheduler.outlook.earlier(wanted)
        prepared = submission.draft(occasion, wanted, description, earlier)
        prepared = replace(prepared, heavy=scheduler.preloading.is_heavy(wanted.model))
        if not occasion.testing and not self._claim(
            occasion, wanted, prepared, again=bool(earlier and earlier.retry_asked)
        ):
            return
        if scheduler.executor.is_here:
            need = self._need(wanted)
            submission.write(occasion, wanted, prepared, scheduler.outlook.devices.given(wanted.key), need)
        else:
            submission.write(occasion, wanted, prepared)
        digests.remember(scheduler.ledger, self.digested, description.sources, description.code_digest)
        scheduler.attempts.submit(prepared)
        scheduler.surroundings.attach(prepared.directory)
        scheduler.outlook.changed([prepared.run])

    def _need(self, wanted: Wanted) -> int:
        need = self.scheduler.outlook.memory.need(wanted).memory
        if need > (total := machine.memory().total):
            told = f"takes {gigabytes(need)} by its last runs, and this machine has {gigabytes(total)}: it trains alone"
            self.scheduler.say(f"{wanted.model}:{wanted.version} {told}", "WARNING")
        return need

    def _claim(
        self, occasion: submission.Occasion, wanted: Wanted, prepared: submission.Prepared, *, again: bool
    ) -> bool:
        scheduler, attempt = self.scheduler, prepared.attempt
        about = {
            "run": prepared.run.id,
            "attempt": attempt.number,
            "token": attempt.token,
            "directory": attempt.directory,
        }
        if scheduler.claims.take(wanted.key, about, again=again or occasion.fresh):
            return True
        # Where one wish is another host's, more may be: all that are due are looked at, and the plan is made again.
        items = scheduler.outlook.plan.items
        scheduler.claims.discover(item.wanted.key for item in items if item.verdict is Verdict.DUE)
        scheduler.wakeup.wake()
        return False
