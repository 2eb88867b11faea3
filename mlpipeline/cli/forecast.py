"""What `plan` and `why` say about time: how long the items of a plan take, and what is left of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlpipeline.cli.setup import now, scheduler_line

if TYPE_CHECKING:
    from mlpipeline.durations import Estimate
    from mlpipeline.ledger import Ledger
    from mlpipeline.observe.left import Left
    from mlpipeline.project import Project
    from mlpipeline.queue.estimate import Start
    from mlpipeline.queue.plan import Item


class Reckoning:
    """Estimates for the items of one plan, from a ledger that stays open meanwhile."""

    def __init__(self, project: Project, ledger: Ledger) -> None:
        from mlpipeline.timings import Timings

        self.project = project
        self.now = now()
        self.is_served = scheduler_line(project).running
        self.timings = Timings(ledger)
        self.live = {run.id: run for run in ledger.live()}

    @property
    def slots(self) -> int:
        """How many run at a time."""
        from mlpipeline import wire

        told = wire.read_json(self.project.status_path) if self.is_served else None
        return int((told or {}).get("slots") or self.project.settings.slots)

    def whole(self, item: Item) -> Estimate | None:
        """How long an item takes from its beginning."""
        from mlpipeline.durations import size

        return self.timings.estimate(item.wanted.model, item.wanted.version, size(item.wanted.params))

    def takes(self, item: Item) -> Estimate | None:
        """How long an item takes from now on; None for what does not run and will not start by itself."""
        from mlpipeline.queue import estimate

        if item.verdict.value != "running":
            return self.whole(item) if estimate.is_open(item) else None
        return self.of_run(item.standing.run_id) if item.standing else None

    def of_run(self, run_id: str) -> Estimate | None:
        """How long a run goes on; None for one that does not run."""
        from mlpipeline import wire
        from mlpipeline.observe import left
        from mlpipeline.observe.progress import read_progress

        run = self.live.get(run_id)
        if run is None:
            return None
        content = wire.read_json(self.project.root / run.last.directory / wire.PROGRESS) or {}
        return left.of_run(run, read_progress(content), self.timings, self.now)

    def left(self, items: Sequence[Item]) -> Left | None:
        """What is left of a plan."""
        from mlpipeline.observe import left
        from mlpipeline.queue import estimate
        from mlpipeline.queue.room import closed, standing_orders

        works = estimate.works(items, self.takes, self.now)
        is_closed = bool(closed(self.project, standing_orders(self.project)))
        return left.of_queue(works, slots=self.slots, now=self.now, is_closed=is_closed or not self.is_served)

    def start(self, items: Sequence[Item], target: Item) -> Start | None:
        """When an item starts; None where that is not known, or no scheduler runs."""
        from mlpipeline.queue import estimate

        if not self.is_served:
            return None
        return estimate.start(items, target, slots=self.slots, takes=self.takes, whole=self.whole, now=self.now)
