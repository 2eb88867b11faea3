"""What every page has around its own content: the project, its scheduler, and what is wrong."""

from __future__ import annotations

from typing import Any

from mlpipeline.dashboard.lookout import Seen
from mlpipeline.observe import status, view

PAGES = (("Queue", "/"), ("Compare", "/compare"), ("Models", "/models"), ("Machine", "/machine"))


def frame(seen: Seen, *, title: str, here: str, live: str = "", is_read_only: bool = False) -> dict[str, Any]:
    """Returns what the layout needs.

    Args:
        seen: the project.
        title: of the page.
        here: the path of the page in the navigation.
        live: the path of the stream that keeps the page true; empty for none.
        is_read_only: nothing may be asked.
    """
    picture = seen.picture
    return {
        "title": title,
        "here": here,
        "pages": PAGES,
        "live": live,
        "is_read_only": is_read_only,
        "name": seen.project.root.name,
        "picture": picture,
        "now": seen.now,
        "scheduler": view.scheduler_sentence(picture.scheduler, seen.now),
        "alone": [] if picture.scheduler.running else status.without_scheduler([each.now for each in picture.running]),
    }
