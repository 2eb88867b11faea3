"""What every page has around its own content: the project, its scheduler, and what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from mlpipeline.observe import finding, status, view
from mlpipeline.project import Project

PAGES = (("Queue", "/"), ("Compare", "/compare"), ("Models", "/models"), ("Machine", "/machine"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One look at a project."""

    project: Project
    picture: view.Picture

    @property
    def now(self) -> datetime:
        """When it was."""
        return self.picture.at


def look(project: Project, *, ended: int = 0) -> Seen:
    """Looks at a project. Changes no byte.

    Args:
        project: which one.
        ended: how many of the runs that ended last are wanted.
    """
    now = datetime.now(UTC)
    facts = status.gather(project, finding.scheduler_line(project), now, ended=ended)
    return Seen(project=project, picture=view.picture(facts, now))


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
    counted, _, *more = status.headlines(picture)
    lines = [f"Runs: {counted.rpartition(': ')[2]}", *more]
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
        "headlines": [line for line in lines if not line.startswith(("fault: ", "warning: "))],
    }
