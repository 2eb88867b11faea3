"""What was measured: series of values, kept in a file, so that what is measured again replaces only itself."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One measure of one tool.

    Attributes:
        group: the group that measures it.
        measure: what is measured, the same words for every tool.
        tool: whose it is.
        unit: of the values.
        values: one for each repetition; none where it could not be measured.
        note: what a reader has to know.
        skipped: why this machine cannot measure it.
        failed: what went wrong.
        quick: whether counts were small.
        at: the day.
    """

    group: str
    measure: str
    tool: str
    unit: str = "ms"
    values: tuple[float, ...] = ()
    note: str = ""
    skipped: str = ""
    failed: str = ""
    quick: bool = False
    at: str = field(default_factory=lambda: f"{datetime.now(UTC):%Y-%m-%d}")

    @property
    def median(self) -> float:
        """The middle value; not a number where there is none."""
        return statistics.median(self.values) if self.values else math.nan


class Figures:
    """All series, by measure and tool, with what they were measured on.

    Attributes:
        machine: what figures depend on.
        versions: of the tools.
        seconds: how long each group took.
        others: the share of the machine, in percent, that others had before each group began.
        series: by measure and tool.
    """

    def __init__(self) -> None:
        self.machine: dict[str, str] = {}
        self.versions: dict[str, str] = {}
        self.seconds: dict[str, float] = {}
        self.others: dict[str, float] = {}
        self.series: dict[tuple[str, str], Series] = {}

    @classmethod
    def read(cls, path: Path, machine: dict[str, str]) -> Figures:
        """Returns what a file holds; nothing where it was measured on another machine, which nothing compares with."""
        found = cls()
        found.machine = machine
        if not path.exists():
            return found
        content = json.loads(path.read_text("utf-8"))
        if content["machine"] != machine or "others" not in content:  # or written by an older form of this
            return found
        found.versions, found.seconds, found.others = content["versions"], content["seconds"], content["others"]
        found.replace(Series(**each | {"values": tuple(each["values"])}) for each in content["series"])
        return found

    def write(self, path: Path) -> None:
        """Writes everything."""
        content = {
            "machine": self.machine,
            "versions": dict(sorted(self.versions.items())),
            "seconds": self.seconds,
            "others": self.others,
            "series": [asdict(each) | {"values": rounded(each.values)} for each in self.series.values()],
        }
        path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")

    def replace(self, series: Iterable[Series]) -> None:
        """Puts series into their places."""
        for each in series:
            self.series[each.measure, each.tool] = each

    def forget(self, group: str, tools: Collection[str] | None = None) -> None:
        """Drops what a group measured before; of some tools only, where they are named."""
        self.series = {
            key: each
            for key, each in self.series.items()
            if each.group != group or not (tools is None or each.tool in tools)
        }

    def of(self, measure: str) -> list[Series]:
        """Returns a measure's series that hold values, cheapest tool first."""
        return sorted(
            (each for each in self.series.values() if each.measure == measure and each.values),
            key=lambda each: each.median,
        )

    def get(self, measure: str, tool: str) -> Series | None:
        """Returns a series that holds values, None where there is none."""
        found = self.series.get((measure, tool))
        return found if found is not None and found.values else None


def rounded(values: Iterable[float]) -> list[float]:
    """Five digits are more than any of these figures has."""
    return [float(f"{each:.5g}") for each in values]


def scaled(series: Series, factor: float, unit: str) -> Series:
    """Returns the same in another unit."""
    return replace(series, values=tuple(value * factor for value in series.values), unit=unit)
