"""What one scheduler knows of its queue: what is wanted, what happened to it, and the plan that follows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from mlpipeline.ledger import Key, Ledger, Standing
from mlpipeline.project import Project
from mlpipeline.queue import plan as planning
from mlpipeline.queue import wishes
from mlpipeline.queue.attempts import Live
from mlpipeline.queue.catalog import Catalog, Description
from mlpipeline.queue.devices import Devices
from mlpipeline.queue.lenders import lenders
from mlpipeline.queue.memory import Memory
from mlpipeline.queue.orders import Orders
from mlpipeline.queue.preloading import Preloading
from mlpipeline.queue.studies import Studies
from mlpipeline.queue.verdicts import Elsewhere, Lender, Plan, Verdict, Wanted
from mlpipeline.run import Run, State
from mlpipeline.selection import Selection

_BAD = (State.FAILED, State.LOST)
_HOLDS_SECONDS = 60.0
"""So long a plan holds at most: hours in which a model may start also end, and clocks are set."""


class Outlook:
    """Computes the plan, reading the ledger only where something changed.

    Args:
        project: whose queue.
        ledger: what happened.
        catalog: what the models are.
        say: how a fault is announced.
        invocation: only runs of this invocation count as happened; None counts the whole history.
        testing: test mode.
    """

    def __init__(
        self,
        project: Project,
        ledger: Ledger,
        catalog: Catalog,
        say: Callable[..., None],
        *,
        invocation: str | None,
        testing: bool,
    ) -> None:
        self.project = project
        self.ledger = ledger
        self.catalog = catalog
        self.say = say
        self.invocation = invocation
        self.testing = testing
        self.devices = Devices(project, ledger, say)
        self.memory = Memory(project, ledger)
        self.plan = Plan(items=(), submit=(), wake_at=None)
        self.studies = Studies(project, ledger, testing=testing)
        self.known: Mapping[str, Description] = {}
        self.wanted: list[Wanted] = []
        self.standings: dict[Key, Standing | None] = {}
        self.faults: dict[str, str] = {}
        self.lends = True  # whether memory and devices of this machine are handed out
        self._barred: set[str] = set()
        self._basis: tuple[object, int] = (None, 0)
        self._changes = 0
        self._planned_from: tuple[object, ...] = ()
        self._planned_at = datetime.min.replace(tzinfo=UTC)

    def describe(self, selection: Selection, preloading: Preloading) -> tuple[list[str], bool]:
        """Has new and changed models described in the background, and says what is wrong with those that are.

        Returns:
            the models whose files decide, to be watched; and whether a description is new.
        """
        listed = [each for each in selection.models if each.fault is None]
        models = [each.model for each in listed]
        self.catalog.refresh(models, {each.model: each.options.python for each in listed})
        if self.catalog.waiting:
            preloading.tell(self.catalog.waiting)
        try:
            fresh = bool(self.catalog.collect())
        except OSError as error:  # they are in memory by then
            fresh = True
            self.say(f"descriptions of models cannot be kept for the next start: {error}", "ERROR")
        self.devices.project = self.memory.project = self.studies.project = self.project
        fresh |= self.studies.collect()
        self.known = self.studies.extended(selection, self.catalog.known)
        pending = self.catalog.pending(models)
        found = wishes.faults(selection, self.known)
        if self.lends:
            found = {**self.devices.faults(selection), **self.memory.faults(selection), **found}
        self._barred = {model for model in found if model not in pending}
        found = {**self.studies.faults, **found}
        self._announce({model: fault for model, fault in found.items() if model not in pending})
        return models, fresh

    def _announce(self, faults: Mapping[str, str]) -> None:
        for model, fault in faults.items():
            if self.faults.get(model) != fault:
                self.say(f"fault: {fault}", "ERROR")
        self.faults = dict(faults)

    def decide(
        self,
        selection: Selection,
        *,
        slots: int,
        live: Sequence[Live],
        orders: Orders,
        elsewhere: Mapping[Key, Elsewhere],
        closed: str,
    ) -> Plan:
        """Computes the plan.

        Args:
            selection: what is listed.
            slots: how many may train at once; 0 where nothing is to start any more.
            live: what does.
            orders: what people hold and put first.
            elsewhere: what other hosts took up.
            closed: why nothing may start, if so.
        """
        if self.invocation is not None:  # without history it counts only that a version is not trained twice at a time
            elsewhere = {key: each for key, each in elsewhere.items() if each.verdict is Verdict.WAITING}
        self._refresh(selection)
        now = datetime.now(UTC)
        given: dict[str, Any] = {
            "slots": max(0, slots - len(live)),
            "defaults": defaults(self.project),
            "busy": frozenset(each.run.model_dir for each in live),
            "describing": self._describing(selection),
            "faulty": frozenset(self._barred),
            "orders": orders,
            "elsewhere": dict(elsewhere),
            "closed": closed,
            "running": Counter(each.run.model for each in live) if slots > 1 else None,
        }
        if not self._is_planned(given, now):
            local = now.astimezone()
            self._planned_at = now
            self.plan = planning.plan(
                self.wanted,
                self.standings,
                now=now,
                local_minute=local.hour * 60 + local.minute,
                lenders=self._lenders(live, slots),
                **given,
            )
        self.devices.tell()
        self.studies.look(self.plan.items, elsewhere)
        self._announce(self.studies.faults | {model: self.faults[model] for model in self._barred})
        return self.plan

    def _describing(self, selection: Selection) -> dict[str, tuple[int, int]]:
        """Returns the models that are being described, each with its negated priority and its position."""
        pending = self.catalog.pending([each.model for each in selection.models])
        places = enumerate(selection.models)
        return {each.model: (-each.options.priority, place) for place, each in places if each.model in pending}

    def _is_planned(self, given: dict[str, Any], now: datetime) -> bool:
        """Whether the plan still holds: while a thousand wait for an engine, a turn finds that nothing has changed.

        What lends out this machine's memory and devices looks at them anew each time.
        """
        before, self._planned_from = self._planned_from, (self._changes, given)
        if self.lends or self.plan.submit or before != self._planned_from:
            return False
        if not 0 <= (now - self._planned_at).total_seconds() < _HOLDS_SECONDS:
            return False
        return self.plan.wake_at is None or now < self.plan.wake_at

    def _lenders(self, live: Sequence[Live], slots: int) -> list[Lender]:
        if not self.lends:
            return []
        return lenders(self.memory, self.devices, [(each.run, each.directory) for each in live], slots)

    def _refresh(self, selection: Selection) -> None:
        known = self.catalog.known
        pending = self.catalog.pending(list(known))
        basis = (id(selection), pending, tuple(map(id, known.values())))
        if self._basis != (basis, self.studies.revision):
            described = {model: each for model, each in self.known.items() if model not in pending}
            self.wanted = wishes.wanted(selection, described, testing=self.testing)
            if self._basis[0] != basis:
                self.standings.clear()
            self._basis = basis, self.studies.revision
            self._changes += 1
        missing = [each.key for each in self.wanted if each.key not in self.standings]
        if missing:
            self._changes += 1
            match = self.project.settings.rerun_on
            # What nothing happened to is remembered as well, or it would be looked up in every turn.
            self.standings |= dict.fromkeys(missing)
            self.standings |= self.ledger.standings(missing, match=match, invocation=self.invocation)

    def forget(self) -> None:
        """Forgets how every wish stands; the next decision asks the ledger."""
        self.standings.clear()
        self._changes += 1

    def changed(self, runs: Iterable[Run]) -> None:
        """Forgets how the wishes that these runs answer stand. The others need not be asked for again."""
        moved = {(run.model, run.version, run.replicate) for run in runs}
        self.devices.forget(moved)
        self.memory.forget(moved)
        if moved:
            self._changes += 1
            self.standings = {key: each for key, each in self.standings.items() if key[:3] not in moved}

    def earlier(self, wanted: Wanted) -> Run | None:
        """Returns the run whose next attempt `wanted` is, None where a new run begins."""
        standing = self.standings.get(wanted.key)
        if standing is None or standing.state is State.SUCCEEDED:
            return None
        return self.ledger.run(standing.run_id)

    def is_waiting(self) -> bool:
        """Whether something will be due at a known moment, or once a device is free."""
        waiting = (item for item in self.plan.items if item.verdict is Verdict.WAITING)
        return self.devices.is_awaited or any(item.until is not None for item in waiting)

    def has_failures(self) -> bool:
        """Whether a listed version stands failed, now or from before."""
        return any(
            item.verdict in (Verdict.FAILED, Verdict.GAVE_UP)
            or (item.verdict is Verdict.HELD and item.standing is not None and item.standing.state in _BAD)
            for item in self.plan.items
        )

    def has_due(self) -> bool:
        """Whether something would start if it could."""
        return any(item.verdict is Verdict.DUE for item in self.plan.items)


def defaults(project: Project) -> planning.PlanDefaults:
    """Returns what holds where a model's options say nothing."""
    settings = project.settings
    return planning.PlanDefaults(max_attempts=settings.max_attempts, policies=settings.policies)
