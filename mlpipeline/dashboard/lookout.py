"""One look at the project for all pages that are open: it costs little, however many they are."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from mlpipeline.observe import finding, status, view
from mlpipeline.observe.looks import Looks
from mlpipeline.project import Project

ENDED = 30
_SAME_SECONDS = 0.5
"""Pages that are made within this time show the same picture; what runs keep busy is measured over as long at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One look at a project."""

    project: Project
    picture: view.Picture

    @property
    def now(self) -> datetime:
        """When it was."""
        return self.picture.at


class Lookout:
    """Looks at a project for pages, which are made in several threads. Changes no byte.

    Args:
        project: which one.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self._looks = Looks()
        self._lock = threading.Lock()
        self._seen: Seen | None = None
        self._until = 0.0

    def look(self) -> Seen:
        """Returns what is true now, with the runs that ended last."""
        with self._lock:
            if self._seen is None or time.monotonic() >= self._until:
                now = datetime.now(UTC)
                line = finding.scheduler_line(self.project)
                facts = status.gather(self.project, line, now, ended=ENDED, looks=self._looks)
                self._seen = Seen(project=self.project, picture=view.picture(facts, now))
                self._until = time.monotonic() + _SAME_SECONDS
            return self._seen

    def forget(self) -> None:
        """Has the next page look anew: something was asked for."""
        with self._lock:
            self._until = 0.0
