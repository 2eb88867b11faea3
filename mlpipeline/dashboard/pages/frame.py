"""What every page has around its own content: the project, its scheduler, and what is wrong."""

from __future__ import annotations

from typing import Any

from mlpipeline.dashboard.lookout import Seen
from mlpipeline.observe import status, view

PAGES = (("Queue", "/"), ("Compare", "/compare"), ("Models", "/models"), ("Machine", "/machine"))


def frame(
    seen: Seen, *, title: str, here: str, live: str = "", tab: str = "", is_read_only: bool = False
) -> dict[str, Any]:
    """Returns what the layout needs.

    Args:
        seen: the project.
        title: of the page.
        here: the path of the page in the navigation.
        live: the path of the stream that keeps the page true; empty for none.
        tab: what the browser's tab says, where that is not the title.
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
        "tab": tab or title,
        "words": {each.run.run: each.word for each in picture.running},
        "latest_of": {each.run.run: each.latest for each in picture.running},
        "picture": picture,
        "now": seen.now,
        "scheduler": view.scheduler_sentence(picture.scheduler, seen.now),
        "alone": [] if picture.scheduler.running else status.without_scheduler([each.now for each in picture.running]),
    }


def fault_of(seen: Seen, model: str) -> str:
    """Returns what the scheduler found wrong with a model's file or search, nothing where it found nothing."""
    starts = tuple(f"{name}{end}" for name in (model, f"{seen.project.settings.models_dir}/{model}") for end in ":, ")
    return next((each for each in seen.picture.faults if each.startswith(starts)), "")
