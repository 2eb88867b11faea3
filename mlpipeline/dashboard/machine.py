"""What the machine did lately: a few numbers every few seconds, for an hour."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import psutil

SECONDS, KEPT = 5.0, 720


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Memory in bytes, and the share of all processors that was busy since the sample before, from 0 to 1."""

    at: datetime
    memory_used: int
    memory_total: int
    busy: float


class Machine:
    """The samples of the last hour, the oldest first."""

    def __init__(self) -> None:
        self.samples: deque[Sample] = deque(maxlen=KEPT)

    def sample(self) -> None:
        """Takes one."""
        memory = psutil.virtual_memory()
        self.samples.append(
            Sample(
                at=datetime.now(UTC),
                memory_used=memory.total - memory.available,
                memory_total=memory.total,
                busy=psutil.cpu_percent(interval=None) / 100,
            )
        )

    async def watch(self) -> None:
        """Takes one every few seconds, until it is cancelled."""
        psutil.cpu_percent(interval=None)  # the first call measures nothing
        while True:
            self.sample()
            await asyncio.sleep(SECONDS)

    def to_json(self) -> dict[str, list[Any]]:
        """Returns them as a chart wants them: columns, times in seconds since 1970."""
        rows = [asdict(each) for each in self.samples]
        columns = {name: [row[name] for row in rows] for name in ("memory_used", "memory_total", "busy")}
        return {"at": [row["at"].timestamp() for row in rows], **columns}
