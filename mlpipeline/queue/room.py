"""Whether something may start now, and how room is made for what people put first."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence

from mlpipeline.errors import ConfigurationError
from mlpipeline.execution.executor import Executor
from mlpipeline.project import Project
from mlpipeline.queue import orders as standing
from mlpipeline.queue.attempts import Live
from mlpipeline.queue.orders import Orders
from mlpipeline.queue.verdicts import Plan, Verdict

_NOTHING_BYTES = 64 * 1024


def standing_orders(project: Project) -> Orders:
    """Reads what people ordered until further notice.

    Raises:
        ConfigurationError: the file is damaged.
    """
    try:
        return standing.read(project.orders_path)
    except ValueError as error:
        raise ConfigurationError(str(error)) from error


def closed(project: Project, orders: Orders) -> str:
    """Returns why nothing may start; empty where something may."""
    if orders.paused is not None:
        return f"the queue is paused {orders.paused}: mlpipeline resume"
    least = project.settings.min_free_disk
    if least is not None:
        space = os.statvfs(next(path for path in (project.outputs_dir, *project.outputs_dir.parents) if path.exists()))
        free = space.f_bavail * space.f_frsize
        if free < least:
            wanted = f"min_free_disk = {least / 1e9:.2f} GB"
            return f"waits for disk space: {free / 1e9:.2f} GB free, {wanted} (mlpipeline gc)"
    return ""


def full(project: Project) -> str:
    """Says so where nothing can be written any more; empty else."""
    space = os.statvfs(project.outputs_dir)
    if space.f_bavail * space.f_frsize >= _NOTHING_BYTES:
        return ""
    return "the disk is full: results wait in the memory of their supervisors: free some space (mlpipeline gc)"


class Room:
    """Holds the standing orders, and asks running attempts to make room.

    Raises:
        ConfigurationError: the file of orders is damaged.
    """

    def __init__(self, project: Project, executor: Executor, say: Callable[..., None], *, testing: bool) -> None:
        self.path = project.orders_path
        self.executor = executor
        self.say = say
        self.orders = Orders()
        if not testing:
            self.orders = standing_orders(project)

    def keep(self, orders: Orders) -> None:
        """Lets new orders hold from now on.

        Raises:
            OSError: they could not be written, and do not hold.
        """
        if orders != self.orders:
            standing.write(self.path, orders)
            self.orders = orders

    def ask_to_yield(self, chosen: Iterable[Live]) -> int:
        """Asks attempts to go at their next checkpoint. Returns how many were asked that had not been."""
        count = 0
        for live in chosen:
            if not live.asked_to_yield:
                self.executor.ask(live.directory, "yield")
                live.asked_to_yield = True
                count += 1
        return count

    def make(self, plan: Plan, live: Sequence[Live]) -> None:
        """Asks as many running attempts to make room as something that goes first waits for a slot."""
        first = self.orders.first
        if not first:
            return
        limit = len(first)
        waiting = sum(
            item.verdict is Verdict.DUE and self._rank(item.wanted.model, item.wanted.version) < limit
            for item in plan.items
        )
        waiting -= len(plan.submit) + sum(each.asked_to_yield for each in live)
        others = [
            each for each in live if self._rank(each.run.model, each.run.version) >= limit and not each.asked_to_yield
        ]
        others.sort(key=lambda each: each.attempt.submitted_at, reverse=True)
        for each in others[: max(0, waiting)]:
            self.ask_to_yield([each])
            self.say(f"{each.run.model}:{each.run.version} is asked to make room at its next checkpoint", run=each.name)

    def _rank(self, model: str, version: str) -> int:
        return self.orders.rank(model, version)

    def forget_what_had_its_turn(self, plan: Plan, pending: Iterable[str]) -> None:
        """Drops orders to go first of which nothing waits any more."""
        if not self.orders.first:
            return
        open_models = set(pending)
        waiting = {
            name
            for item in plan.items
            if item.verdict in (Verdict.DUE, Verdict.WAITING)
            for name in (item.wanted.model, f"{item.wanted.model}:{item.wanted.version}")
        }
        done = {name for name in self.orders.first if name not in waiting and name.partition(":")[0] not in open_models}
        if done:
            self.keep(self.orders.without_first(done))
