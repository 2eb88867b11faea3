"""Computes the queue from what is wanted and what happened. Decides, and touches nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from mlpipeline.ledger import Key, Standing
from mlpipeline.model_options import ModelOptions
from mlpipeline.policy import Action, Policy, find, hint
from mlpipeline.queue.hours import Hours
from mlpipeline.queue.orders import Orders
from mlpipeline.queue.pauses import Pauses, pause_after
from mlpipeline.queue.slots import Sharing
from mlpipeline.queue.verdicts import FOR_A_SLOT, IN_USE, Elsewhere, Item, Lender, Plan, Verdict, Wanted, seed_of
from mlpipeline.run import Cause, State

__all__ = ["Elsewhere", "Item", "Plan", "PlanDefaults", "Verdict", "Wanted", "pause_after", "plan", "seed_of"]

# Python 3.11 looks a member up in its class ten times slower than a name, and every wish asks several times.
_SUBMITTED, _RUNNING, _SUCCEEDED = State.SUBMITTED, State.RUNNING, State.SUCCEEDED
_FAILED, _CANCELLED, _LOST = State.FAILED, State.CANCELLED, State.LOST
_NEXT = "next"
_NO_ORDERS = Orders()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDefaults:
    """What holds where a model's options say nothing."""

    max_attempts: int = 3
    policies: Mapping[str, Policy] = field(default_factory=dict)


def plan(
    wanted: Sequence[Wanted],
    standings: Mapping[Key, Standing | None],
    *,
    slots: int,
    now: datetime,
    local_minute: int,
    defaults: PlanDefaults,
    busy: Collection[str],
    describing: Mapping[str, tuple[int, int]],
    faulty: Collection[str],
    orders: Orders = _NO_ORDERS,
    elsewhere: Mapping[Key, Elsewhere] | None = None,
    closed: str = "",
    running: Mapping[str, int] | None = None,
    lenders: Sequence[Lender] = (),
) -> Plan:
    """Decides about every wish.

    Args:
        wanted: all wishes, in any order.
        standings: how those stand that something happened to.
        slots: how many may be submitted now.
        now: the time, aware.
        local_minute: minutes since local midnight.
        defaults: for models without options of their own.
        busy: model directories in use.
        describing: models whose description is under way, each with its negated priority and its position.
        faulty: models that cannot run.
        orders: what people hold, and put first.
        elsewhere: wishes that another host took up last.
        closed: why nothing starts at present, where there is such a reason.
        running: how many runs of each model train now, also of edited code; None for one slot.
        lenders: give each wish that gets a slot what else it needs.

    Returns:
        the plan. Slots go by priority, and are shared by models of the same one (see `Sharing`). Who waits for
        something else holds nobody back; a model that is still being described does.
    """
    order = sorted(wanted, key=_order)
    if orders.first:
        order.sort(key=lambda each: orders.rank(each.model, each.version))
    turn = _Turn(standings, now, local_minute, defaults, set(busy))
    turn.orders, turn.elsewhere, turn.closed = orders, elsewhere or {}, closed
    turn.lenders, turn.sharing = lenders, Sharing(running, orders)
    turn.survey(order)
    turn.listed, turn.faulty = {each.model for each in order} | set(describing), set(faulty)
    turn.first_described = min(((orders.rank_of_model(each), *at) for each, at in describing.items()), default=None)
    turn.slots = 0 if closed else slots
    return Plan(items=tuple(turn.items(order)), submit=tuple(turn.submit), wake_at=turn.wake_at)


def _order(each: Wanted) -> tuple[int, int, int, int]:
    return (-each.options.priority, each.position, each.replicate, each.rank)


def _held_after(standing: Standing) -> str:
    advice = "; ".join(filter(None, [f"mlpipeline retry {standing.run_id} tries it again", hint(standing.cause)]))
    return f"held after {standing.cause.value.replace('_', ' ')}: {standing.message} ({advice})"


class _Turn:
    """One computation; holds what wishes take from one another."""

    def __init__(
        self,
        standings: Mapping[Key, Standing | None],
        now: datetime,
        local_minute: int,
        defaults: PlanDefaults,
        busy: set[str],
    ) -> None:
        self.standings = standings
        self.now = now
        self.defaults = defaults
        self.busy = busy
        self.taken: set[Key] = set()
        self.pauses = Pauses(now)
        self.hours = Hours(now, local_minute)
        self.done: dict[str, str] = {}
        self.listed: set[str] = set()
        self.faulty: set[str] = set()
        self.first_described: tuple[int, int, int] | None = None
        self.orders = _NO_ORDERS
        self.elsewhere: Mapping[Key, Elsewhere] = {}
        self.closed = ""
        self.policies: dict[tuple[int, Cause], Policy] = {}
        self.slots = 0
        self.sharing = Sharing(None, _NO_ORDERS)
        self.lenders: Sequence[Lender] = ()
        self.submit: list[Wanted] = []
        self.wake_at: datetime | None = None

    def survey(self, order: Sequence[Wanted]) -> None:
        """Notes for each model whether all its wishes are done, else why not, and which directories are in use."""
        found = self.done
        get = self.standings.get
        for each in order:
            standing = get(each.key)
            if self.elsewhere and (theirs := self.elsewhere.get(each.key)):
                if theirs.verdict is not Verdict.DONE:
                    found[each.model] = found.get(each.model) or "open"
                else:
                    found.setdefault(each.model, "")
            elif standing is None:
                found[each.model] = found.get(each.model) or "open"
            elif standing.state is _SUCCEEDED:
                found.setdefault(each.model, "")
            elif obstacle := self.obstacle(each, standing):
                if found.get(each.model, "open") in ("", "open"):
                    found[each.model] = obstacle
            else:
                found[each.model] = found.get(each.model) or "open"
                if standing.state is _SUBMITTED or standing.state is _RUNNING:
                    self.busy.add(each.model_dir)

    def obstacle(self, wanted: Wanted, standing: Standing) -> str:
        """Returns why nothing more happens before somebody asks for it; empty where something does."""
        state = standing.state
        if state is _SUCCEEDED or standing.retry_asked:
            return ""
        if state is _CANCELLED:
            return "" if standing.cause is Cause.INTERRUPTED else "was cancelled"
        if state is not _FAILED and state is not _LOST:
            return ""
        policy = self._policy(wanted.options, standing.cause)
        if policy.action is not Action.RETRY:
            return "is held" if policy.action is Action.HOLD else "failed"
        change = policy.change
        if change and (standing.changed or change.applied(wanted.params.get(change.name)) is None):
            return "is held"
        return "gave up" if standing.counted_attempts >= self._limit(wanted.options) else ""

    def _limit(self, options: ModelOptions) -> int:
        return options.max_attempts or self.defaults.max_attempts

    def _policy(self, options: ModelOptions, cause: Cause) -> Policy:
        known = self.policies.get((id(options), cause))
        if known is None:
            known = self.policies[id(options), cause] = find(cause, options.policies, self.defaults.policies)
        return known

    def items(self, order: Sequence[Wanted]) -> list[Item]:
        """Judges every wish, and gives the free slots to those that could start."""
        items = [self.item(each) for each in order]
        if self.slots > 0 or self.sharing.is_shared:
            for place, item in enumerate(items):
                if item.reason is FOR_A_SLOT:
                    self.sharing.add(place, item.wanted)

        def start(place: int) -> bool:
            items[place] = self._start(items[place])
            return items[place].reason is _NEXT

        places = self.sharing.give(self.slots, start)
        for place, item in zip(sorted(places), list(map(items.__getitem__, places)), strict=True):
            items[place] = item
        return items

    def item(self, wanted: Wanted) -> Item:
        standing = self.standings.get(wanted.key)
        if self.elsewhere and (theirs := self.elsewhere.get(wanted.key)):
            # Who asks for it once more asks in spite of what another host made of it, but not while that trains it.
            if theirs.verdict is not Verdict.WAITING and standing is not None and standing.retry_asked:
                return self._barred(wanted, standing) or self._take(wanted, standing)
            return Item(wanted, *theirs, None, standing)
        if standing is not None:
            settled = self._settled(wanted, standing)
            if settled is not None:
                return settled
        return self._barred(wanted, standing) or self._take(wanted, standing)

    def _settled(self, wanted: Wanted, standing: Standing) -> Item | None:
        """The verdict where history decides; None where the wish is due (again)."""
        state = standing.state
        if state is _SUCCEEDED:
            return Item(wanted, Verdict.DONE, "done", None, standing)
        if state is _SUBMITTED or state is _RUNNING:
            return Item(wanted, Verdict.RUNNING, f"runs as {standing.run_id}", None, standing)
        obstacle = self.obstacle(wanted, standing)
        if not obstacle:
            return self._pausing(wanted, standing) if state is _LOST or state is _FAILED else None
        if obstacle == "failed":
            return Item(wanted, Verdict.FAILED, f"failed: {standing.message}", None, standing)
        if obstacle == "was cancelled":
            return Item(wanted, Verdict.FAILED, "cancelled: mlpipeline retry takes it up again", None, standing)
        if obstacle == "is held":
            return Item(wanted, Verdict.HELD, _held_after(standing), None, standing)
        reason = f"gave up after {standing.counted_attempts} attempts: {standing.message}"
        return Item(wanted, Verdict.GAVE_UP, reason, None, standing)

    def _pausing(self, wanted: Wanted, standing: Standing) -> Item | None:
        if standing.ended_at is None or standing.retry_asked:
            return None
        count = standing.counted_attempts
        until = self.pauses.until(standing.ended_at, count)
        if until is None:
            return None
        self._wake(until)
        reason = f"tried again after a pause (attempt {count + 1} of {self._limit(wanted.options)})"
        return Item(wanted, Verdict.WAITING, reason, until, standing)

    def _wake(self, at: datetime) -> None:
        if self.wake_at is None or at < self.wake_at:
            self.wake_at = at

    def _barred(self, wanted: Wanted, standing: Standing | None) -> Item | None:
        options = wanted.options
        if wanted.model in self.faulty:
            return Item(wanted, Verdict.WAITING, "its file has a fault", None, standing)
        if target := self.orders.held(wanted.model, wanted.version):
            reason = f"held {self.orders.holds[target]}: mlpipeline release {target}"
            return Item(wanted, Verdict.HELD, reason, None, standing)
        if options.hold:
            return Item(wanted, Verdict.HELD, "held: remove `hold` in models.config", None, standing)
        if options.after and (reason := self._after(options.after)):
            return Item(wanted, Verdict.WAITING, reason, None, standing)
        if options.not_before is not None or options.not_after is not None:
            return self._outside_hours(wanted, standing)
        return None

    def _after(self, names: Sequence[str]) -> str:
        for name in names:
            if name in self.faulty:
                return f"waits for {name}, whose file has a fault"
            if name not in self.listed:
                return f"waits for {name}, of which no version is wanted"
            if state := self.done.get(name, "open"):
                return f"waits for {name}" + (f", which {state}" if state != "open" else "")
        return ""

    def _outside_hours(self, wanted: Wanted, standing: Standing | None) -> Item | None:
        closed = self.hours.until(wanted.options.not_before, wanted.options.not_after)
        if closed is None:
            return None
        self._wake(closed[1])
        return Item(wanted, Verdict.WAITING, *closed, standing)

    def _take(self, wanted: Wanted, standing: Standing | None) -> Item:
        if self.first_described is not None:
            rank = self.orders.rank(wanted.model, wanted.version)
            if self.first_described < (rank, -wanted.options.priority, wanted.position):
                return Item(wanted, Verdict.DUE, "after a model that is still being described", None, standing)
        if wanted.model_dir in self.busy:
            return Item(wanted, Verdict.WAITING, IN_USE, None, standing)
        return Item(wanted, Verdict.DUE, self.closed or FOR_A_SLOT, None, standing)

    def _start(self, item: Item) -> Item:
        """Takes what a wish needs besides a slot, or says why it cannot have it."""
        wanted, _, _, _, standing = item
        if wanted.key in self.taken:
            return Item(wanted, Verdict.WAITING, "the same is next already", None, standing)
        if wanted.model_dir in self.busy:
            return Item(wanted, Verdict.WAITING, IN_USE, None, standing)
        for count, lender in enumerate(self.lenders):
            if refusal := lender.lend(wanted):
                for other in self.lenders[:count]:
                    other.take_back(wanted)
                return Item(wanted, Verdict.DUE if refusal.is_ours else Verdict.WAITING, refusal.reason, None, standing)
        self.busy.add(wanted.model_dir)
        self.taken.add(wanted.key)
        self.submit.append(wanted)
        return Item(wanted, Verdict.DUE, _NEXT, None, standing)
