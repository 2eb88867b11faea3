"""How much is measured, and of whom."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the command line asks for.

    Attributes:
        quick: small counts, and only peers that cost little to install.
        repeat: repetitions of everything that alternates; None leaves it to each measure.
        peers: keys of the peers to be measured; None means all.
    """

    quick: bool = False
    repeat: int | None = None
    peers: frozenset[str] | None = None

    def times(self, full: int, quick: int) -> int:
        """Returns how often something is repeated."""
        return self.repeat or self.count(full, quick)

    def count(self, full: int, quick: int) -> int:
        """Returns how many there are of something."""
        return quick if self.quick else full


def machine() -> dict[str, str]:
    """Describes the machine as far as figures depend on it."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    model = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.machine(),
    )
    return {
        "cores": str(os.cpu_count()),
        "memory": f"{memory:.0f} GiB",
        "processor": model,
        "kernel": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
    }


def _lines(path: str) -> list[str]:
    return Path(path).read_text("utf-8").splitlines()
