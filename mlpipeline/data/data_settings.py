"""What `[DATA]` of mlp.config says: where answers and spools are kept, how much of them, and how long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlpipeline.project import Project
from mlpipeline.settings import values_of
from mlpipeline.values import seconds, size

SECTION = "DATA"
CACHE_LIMIT_BYTES = 10 * 10**9
SPOOL_LIMIT_BYTES = 100 * 10**9
SPOOL_UNUSED_SECONDS = 30 * 86_400.0

_READERS: dict[str, Callable[[str], Any]] = {
    "cache_dir": str,
    "cache_limit": size,
    "cache_ttl": seconds,
    "spool_dir": str,
    "spool_limit": size,
    "spool_unused": seconds,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSettings:
    """The values in force.

    Attributes:
        cache_dir: of answers.
        cache_limit: bytes of all answers together.
        cache_ttl: how old an answer may be, in seconds; None for any age.
        spool_dir: of the rows of streaming datasets.
        spool_limit: bytes of all spools together.
        spool_unused: a spool goes that nobody used for so many seconds.
    """

    cache_dir: Path
    cache_limit: int = CACHE_LIMIT_BYTES
    cache_ttl: float | None = None
    spool_dir: Path
    spool_limit: int = SPOOL_LIMIT_BYTES
    spool_unused: float = SPOOL_UNUSED_SECONDS


def read(project: Project) -> DataSettings:
    """Returns a project's settings.

    Raises:
        ConfigurationError: a key is not known, or its value cannot be read.
    """
    values = values_of(project.settings, SECTION, _READERS)
    for key, name in (("cache_dir", "cache"), ("spool_dir", "spools")):
        values[key] = project.root / values[key] if key in values else project.outputs_dir / name
    return DataSettings(**values)
