"""What one may choose of an export: retries, schedule, image."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mlpipeline.errors import UsageError

_MACROS = ("@hourly", "@daily", "@weekly", "@monthly", "@yearly")
_FIELD = re.compile(r"[0-9A-Za-z*,/#L?-]+")
_FIELDS = 5
_IMAGE = re.compile(r"[A-Za-z0-9][\w.:/@-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What one may choose.

    Attributes:
        retries: how often a task that failed is run again; finished steps are not repeated.
        retry_seconds: the wait before each.
        schedule: five fields of cron, or `@daily` and the like; None runs when asked.
        image: the container image that Kubernetes runs, and that Docker is told to build.

    Raises:
        UsageError: one of them is none.
    """

    retries: int = 2
    retry_seconds: int = 10
    schedule: str | None = None
    image: str | None = None

    def __post_init__(self) -> None:
        if self.retries < 0 or self.retry_seconds < 0:
            raise UsageError(
                f"--retries {self.retries} --retry-seconds {self.retry_seconds}: whole numbers from 0 on are needed"
            )
        if self.schedule is not None and not _is_cron(self.schedule):
            told = f"five fields as cron has them, '0 3 * * *', or one of {', '.join(_MACROS)}"
            raise UsageError(f"{self.schedule!r} is no schedule: write {told}")
        if self.image is not None and not _IMAGE.fullmatch(self.image):
            raise UsageError(f"{self.image!r} is no name of an image: write registry/name:tag")


def _is_cron(text: str) -> bool:
    fields = text.split()
    return text in _MACROS or (len(fields) == _FIELDS and all(map(_FIELD.fullmatch, fields)))
