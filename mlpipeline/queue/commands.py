"""Carries out what people asked for through request files, each once, and answers it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mlpipeline import admission, events, requests, rundir, taking_up, wire
from mlpipeline.config_text import near_miss, near_or_known
from mlpipeline.errors import DiskFull, LedgerError, MlpipelineError, NotWritable, RequestRefused
from mlpipeline.failpoints import reach
from mlpipeline.queue.orders import Order
from mlpipeline.queue.verdicts import Verdict, Wanted
from mlpipeline.requests import Action, Request
from mlpipeline.run import OUTSIDE, Run, State, refusal

if TYPE_CHECKING:
    from mlpipeline.queue.scheduler import Scheduler

RETRIABLE = (State.FAILED, State.CANCELLED, State.LOST)


class Commands:
    """What a person may ask of a running scheduler.

    The answer is recorded in the ledger in one transaction with what the request changes there, so that a request is
    carried out once however often the scheduler is killed over it.
    """

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self.unreadable: set[str] = set()
        self.are_fits_going_on = False
        # A wish to stop that is older than this scheduler was meant for another one.
        self.earlier = {each.id for each in requests.pending(scheduler.project)} if self._enabled else set()
        self.actions: dict[str, Callable[[Request], str]] = {
            Action.CANCEL: self._cancel,
            Action.RETRY: self._retry,
            Action.HOLD: self._hold,
            Action.RELEASE: self._release,
            Action.NOW: self._now,
            Action.PAUSE: self._pause,
            Action.RESUME: self._resume,
            Action.STOP: self._stop,
            Action.NOTE: self._note,
            Action.TAG: self._tag,
            Action.RECORD: self._record,
            Action.IMPORT: self._import,
        }

    @property
    def _enabled(self) -> bool:
        return not self.scheduler.options.testing

    def carry_out(self) -> None:
        """Answers every pending request; one that cannot be carried out is refused with the reason.

        Raises:
            DiskFull, NotWritable, LedgerError, OSError: nothing can be recorded now; what is left stays pending.
        """
        if not self._enabled:
            return
        project, ledger = self.scheduler.project, self.scheduler.ledger
        self.are_fits_going_on = False
        for request in requests.pending(project):
            if request.action == Action.RECORD and not taking_up.has_ended(project, request.target):
                self.are_fits_going_on = True
                continue
            told = ledger.answer(request.id, request.key)
            if told is None:
                told = self._answered(request)
                self.scheduler.say(f"{request.action} {request.target}".strip() + f": {told['message']}")
            reach("scheduler.request_carried_out")
            requests.answer(project, request, told)
        for path in requests.damaged(project):
            if path.name not in self.unreadable:
                self.unreadable.add(path.name)
                self.scheduler.say(f"{project.relative(path)}: is no request: remove it", "WARNING")

    def _answered(self, request: Request) -> dict[str, object]:
        ledger = self.scheduler.ledger
        try:
            with ledger.together():
                told = requests.answered(request, True, self._one(request))
                ledger.keep_answer(request.id, request.key, True, told)
        except (DiskFull, NotWritable, LedgerError):
            raise
        except (MlpipelineError, FileNotFoundError) as error:
            # What is gone does not come back: waiting for it would keep every later request waiting.
            gone = f"{error.filename} is gone" if isinstance(error, FileNotFoundError) else ""
            told = requests.answered(request, False, gone or str(error))
            ledger.keep_answer(request.id, request.key, False, told)
        return told

    def _one(self, request: Request) -> str:
        action = self.actions.get(request.action)
        if action is None:
            raise RequestRefused(f"{request.action}: this scheduler does not know it: restart it after an upgrade")
        return action(request)

    def _find(self, request: Request) -> Run:
        if not request.target:
            raise RequestRefused(f"{request.action}: name a run")
        return self.scheduler.ledger.run(request.target)

    def _stop(self, request: Request) -> str:
        if request.id in self.earlier:
            raise RequestRefused(
                "the request to stop was meant for the scheduler before this one: ask again to stop this one"
            )
        how = "now" if request.options.get("now") else "detach" if request.options.get("detach") else "drain"
        self.scheduler.stop(how)
        return f"stopping ({how})"

    def _retry(self, request: Request) -> str:
        ledger = self.scheduler.ledger
        failed = [run for run in ledger.runs(states=RETRIABLE) if run.last.executor not in OUTSIDE]
        chosen = failed if request.options.get("failed") else [self._find(request)]
        for run in chosen:
            if run.last.executor in OUTSIDE:
                raise RequestRefused(f"{run.id} was {refusal(run.last.executor)}")
            if run.state not in RETRIABLE:
                raise RequestRefused(
                    f"{run.id} is {run.state.value}: only what failed, was cancelled or lost is retried"
                )
            ledger.record(events.RetryAsked(run_id=run.id, at=datetime.now(UTC), note=""))
        self.scheduler.outlook.forget()
        return f"{len(chosen)} to be tried again" if chosen else "nothing has failed"

    def _cancel(self, request: Request) -> str:
        run = self._find(request)
        live = self.scheduler.attempts.live.get(run.id)
        if live is None:
            raise RequestRefused(f"{run.id} is {run.state.value}: only a running attempt can be cancelled")
        reach("scheduler.cancelling")
        self.scheduler.executor.ask(live.directory, "cancel")
        return f"{run.model}:{run.version} is being ended"

    def _target(self, request: Request) -> str:
        """Returns `MODEL` or `MODEL:VERSION`, checked against what is listed and recorded."""
        scheduler = self.scheduler
        model, _, version = request.target.partition(":")
        if not model:
            raise RequestRefused(f"{request.action}: name a model, or MODEL:VERSION")
        description = scheduler.outlook.known.get(model)
        listed = {each.model for each in scheduler.selection.current.models}
        if description is None and model not in listed and not scheduler.ledger.runs(model=model, limit=1):
            raise RequestRefused(f"{model} is neither listed nor recorded.{near_or_known(model, listed)}")
        names = [each.name for each in description.versions] if description is not None else []
        if version and names and version not in names:
            raise RequestRefused(
                f"{model} has no version {version}.{near_miss(version, names)} It has: {', '.join(names)}"
            )
        return f"{model}:{version}" if version else model

    def _hold(self, request: Request) -> str:
        target, orders = self._target(request), self.scheduler.room.orders
        self.scheduler.room.keep(orders.with_hold(target, _order(request)))
        return f"nothing of {target} starts until: mlpipeline release {target}"

    def _release(self, request: Request) -> str:
        orders = self.scheduler.room.orders
        after = orders.without_hold(request.target)
        if after == orders:
            held = ", ".join(orders.holds) or "nothing"
            raise RequestRefused(
                f"{request.target} is not held by an order (held: {held}). An option `hold` stands in models.config"
            )
        self.scheduler.room.keep(after)
        return f"{request.target} may start again"

    def _now(self, request: Request) -> str:
        target, room = self._target(request), self.scheduler.room
        model, _, version = target.partition(":")
        if held := room.orders.held(model, version):
            raise RequestRefused(f"{held} is held {room.orders.holds[held]}: mlpipeline release {held}, and then now")
        room.keep(room.orders.with_first(target, _order(request)))
        items = [item for item in self.scheduler.outlook.plan.items if _is_of(item.wanted, target)]
        listed = {each.model for each in self.scheduler.selection.current.models}
        if target.partition(":")[0] not in listed:
            return f"{target} goes first if it waits to start, but it is not listed in models.config"
        if items and not any(item.verdict in (Verdict.DUE, Verdict.WAITING) for item in items):
            return f"{target} goes first if it waits to start, which it did not when last looked at: {items[0].reason}"
        return f"{target} is next; where no slot is free, a running one makes room at its next checkpoint"

    def _pause(self, request: Request) -> str:
        room = self.scheduler.room
        if not request.target:
            room.keep(room.orders.with_pause(_order(request)))
            asked = room.ask_to_yield(list(self.scheduler.attempts.live.values()))
            return (
                f"paused: nothing starts, {asked} running make room at their next checkpoint. Go on: mlpipeline resume"
            )
        target = self._target(request)
        room.keep(room.orders.with_hold(target, _order(request)))
        asked = room.ask_to_yield([each for each in self.scheduler.attempts.live.values() if _is_of(each.run, target)])
        return (
            f"{target} is held; {asked} running make room at their next checkpoint. Go on: mlpipeline resume {target}"
        )

    def _resume(self, request: Request) -> str:
        room = self.scheduler.room
        if request.target:
            return self._release(request)
        if room.orders.paused is None:
            raise RequestRefused("the queue is not paused: there is nothing to resume")
        room.keep(room.orders.with_pause(None))
        return "going on"

    def _record(self, request: Request) -> str:
        run = taking_up.take_up(self.scheduler.project, self.scheduler.ledger, request.target)
        if not self.scheduler.files.has_block(run.id, run.last.number):
            self.scheduler.attempts.taken_up.append(run)
        return taking_up.said(run)

    def _import(self, request: Request) -> str:
        return admission.admit(self.scheduler.project, self.scheduler.ledger, request.target)

    def _note(self, request: Request) -> str:
        run = self._find(request)
        text = str(request.options.get("text") or "").strip()
        if not text:
            raise RequestRefused("note: say what is to be noted: mlpipeline note RUN TEXT")
        path = self.scheduler.project.runs_dir / run.id / wire.NOTES
        wire.append_json(path, {"id": request.id, "at": request.at.isoformat(), "by": request.by, "text": text})
        return f"noted on {run.id}"

    def _tag(self, request: Request) -> str:
        run = self._find(request)
        added, removed = (list(map(str, request.options.get(name) or ())) for name in ("add", "remove"))
        if not added and not removed:
            raise RequestRefused("tag: say which: mlpipeline tag RUN TAG")
        for fault in filter(None, map(rundir.fault_of_tag, added)):
            raise RequestRefused(f"tag: {fault}")
        path = self.scheduler.project.runs_dir / run.id / wire.TAGS
        row = {"id": request.id, "at": request.at.isoformat(), "by": request.by, "add": added, "remove": removed}
        wire.append_json(path, row)
        return f"tags of {run.id}: {', '.join(rundir.read_tags(path.parent)) or 'none'}"


def _order(request: Request) -> Order:
    return Order(at=request.at, by=request.by)


def _is_of(run: Run | Wanted, target: str) -> bool:
    return target in (run.model, f"{run.model}:{run.version}")
