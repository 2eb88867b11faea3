"""Where jobs stand among all that wait in Slurm's queue: asked seldom, since it is about everybody's jobs."""

from __future__ import annotations

import time
from collections.abc import Iterable

from mlpipeline.execution import slurm_words
from mlpipeline.execution.engine_calls import Answer, Calls
from mlpipeline.execution.remote import Handed, Stage
from mlpipeline.execution.slurm_words import Listed

_SECONDS = 60.0
"""Between two questions: places in a line change slowly, and on a large cluster the answer is long."""
_COMMAND = ("squeue", "-h", "-a", "-t", "PENDING", "-S", "-p,i", "-o", slurm_words.LINE_FORMAT)


class Line:
    """Asks who waits, the first in line first.

    Args:
        calls: what starts Slurm's programs.

    Attributes:
        places: of jobs and arrays, in words; another mapping once they were asked for again.
    """

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self.places: dict[str, str] = {}
        self._ask_at = 0.0

    def look(self, attempts: Iterable[Handed]) -> None:
        """Asks where any of them waits, unless that was done just now.

        What Slurm does not tell is left out: a place is no more than a comfort.
        """
        now = time.monotonic()
        if now >= self._ask_at and any(each.sight.stage is Stage.WAITING for each in attempts):
            self._ask_at = now + _SECONDS
            self._calls.start(list(_COMMAND), self._take)

    def _take(self, answer: Answer) -> None:
        self.places = slurm_words.read_line(answer.output) if answer.status == 0 else {}

    def place(self, listed: Listed | None) -> str:
        """Returns the place of a job or array in words that go on a sentence; empty where it is not known."""
        return self.places.get(listed.job, "") if listed is not None else ""
