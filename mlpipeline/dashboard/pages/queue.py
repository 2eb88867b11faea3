"""The page of the queue: what runs, what is next, what waits for somebody, in which order models stand, what ended."""

from __future__ import annotations

from typing import Any

from mlpipeline import selection
from mlpipeline.dashboard.pages.frame import frame, look
from mlpipeline.observe.status import FINAL
from mlpipeline.project import Project
from mlpipeline.queue import orders, revisions

TEMPLATE = "queue.html"
ENDED = 30
_STILL = ("failed", "gave_up", "held")


def content(project: Project, *, is_read_only: bool = False) -> dict[str, Any]:
    """Returns what the page shows."""
    seen = look(project, ended=ENDED)
    listed = selection.read(project, test=False)
    picture = seen.picture
    return frame(seen, title="Queue", here="/", live="/live/queue", is_read_only=is_read_only) | {
        "coming": [each for each in picture.next if each.verdict not in _STILL],
        "waiting": [each for each in picture.next if each.verdict in _STILL],
        "listed": listed,
        "orders": _orders(project),
        "can_undo": revisions.former(revisions.kept(project)) is not None,
        "final": {state.value for state in FINAL},
    }


def _orders(project: Project) -> orders.Orders:
    try:
        return orders.read(project.orders_path)
    except ValueError:  # a damaged file: the scheduler tells it as a fault
        return orders.Orders()
