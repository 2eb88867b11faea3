"""Carries out what people asked for through request files, and answers each."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mlpipeline import events, requests
from mlpipeline.errors import MlpipelineError, RequestRefused
from mlpipeline.requests import Request
from mlpipeline.run import Run, State

if TYPE_CHECKING:
    from mlpipeline.queue.scheduler import Scheduler

_RETRIABLE = (State.FAILED, State.CANCELLED, State.LOST)


class Commands:
    """What a person may ask of a running scheduler."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler

    def carry_out(self) -> None:
        """Answers every pending request; one that cannot be carried out is refused with the reason."""
        if self.scheduler.options.testing:
            return
        project = self.scheduler.project
        for request in requests.pending(project):
            try:
                message, accepted = self._one(request), True
            except MlpipelineError as error:
                message, accepted = str(error), False
            requests.answer(project, request, accepted, message)
            self.scheduler.say(f"{request.action} {request.target or ''}".strip() + f": {message}")

    def _one(self, request: Request) -> str:
        if request.action == "stop":
            if request.at < self.scheduler.started_at:
                raise RequestRefused("it was meant for the scheduler before this one")
            how = "now" if request.options.get("now") else "detach" if request.options.get("detach") else "drain"
            self.scheduler.stop(how)
            return f"stopping ({how})"
        if request.action == "retry":
            return self._retry(request)
        if request.action == "cancel":
            return self._cancel(self._find(request))
        raise RequestRefused(f"{request.action}: this scheduler does not know it: restart it after an upgrade")

    def _find(self, request: Request) -> Run:
        if not request.target:
            raise RequestRefused(f"{request.action}: name a run")
        return self.scheduler.ledger.run(request.target)

    def _retry(self, request: Request) -> str:
        ledger = self.scheduler.ledger
        chosen = ledger.runs(states=_RETRIABLE) if request.options.get("failed") else [self._find(request)]
        for run in chosen:
            if run.state not in _RETRIABLE:
                raise RequestRefused(
                    f"{run.id} is {run.state.value}: only what failed, was cancelled or lost is retried"
                )
            ledger.record(events.RetryAsked(run_id=run.id, at=datetime.now(UTC), note=""))
        self.scheduler.outlook.forget()
        return f"{len(chosen)} to be tried again" if chosen else "nothing has failed"

    def _cancel(self, run: Run) -> str:
        live = self.scheduler.attempts.live.get(run.id)
        if live is None:
            raise RequestRefused(f"{run.id} is {run.state.value}: only a running attempt can be cancelled")
        self.scheduler.executor.ask(live.directory, "cancel")
        return f"{run.model}:{run.version} is being ended"
