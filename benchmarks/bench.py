"""The round of repetitions: every tool once, then every tool again, so that a noisy minute meets them all."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks import peers
from benchmarks.figures import Series
from benchmarks.peers.tool import Tool
from benchmarks.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one repetition yields."""

    measure: str
    values: tuple[float, ...]
    unit: str = "ms"
    note: str = ""


Once = Callable[[Tool], Iterable[Reading]]


@dataclass(slots=True)
class Bench:
    """One invocation.

    Attributes:
        settings: how much is measured.
        versions: of what was measured, by key.
    """

    settings: Settings
    versions: dict[str, str] = field(default_factory=dict)
    _reasons: dict[str, str] = field(default_factory=dict)

    def peers(self) -> list[Tool]:
        """Returns the peers that were chosen."""
        return peers.chosen(self.settings)

    def why_not(self, tool: Tool) -> str:
        """Makes a tool ready, once. Returns why it cannot be measured; empty where it can."""
        if tool.name not in self._reasons:
            self._reasons[tool.name] = reason = peers.why_not(tool, self.settings)
            if not reason and (version := tool.version()):
                self.versions[tool.package or tool.key] = version
        return self._reasons[tool.name]

    def alternate(self, group: str, measure: str, tools: Sequence[Tool], times: int, once: Once) -> Iterator[Series]:
        """Measures tools in turn. Yields their series; those of a tool that is skipped or fails hold the reason.

        Args:
            group: whose series they are.
            measure: under which a tool that yields nothing is shown.
            tools: in the order of each round.
            times: how many rounds.
            once: measures one tool once.
        """
        quick = self.settings.quick
        able = []
        for tool in tools:
            if reason := self.why_not(tool):
                yield Series(group=group, measure=measure, tool=tool.name, skipped=reason, quick=quick)
            else:
                able.append(tool)
        gathered: dict[tuple[str, str], list[Reading]] = {}
        for number in range(times):
            for tool in list(able):
                begin = time.monotonic()
                try:
                    for reading in once(tool):
                        gathered.setdefault((reading.measure, tool.name), []).append(reading)
                # Whatever a tool raises is its result; the others are measured all the same.
                except Exception as error:
                    able.remove(tool)
                    said = f"{type(error).__name__}: {error}"
                    yield Series(group=group, measure=measure, tool=tool.name, failed=said, quick=quick)
                say(f"  {number + 1}/{times} {tool.name}: {time.monotonic() - begin:.1f} s")
        failed = {tool.name for tool in tools} - {tool.name for tool in able}
        for (each, name), readings in gathered.items():
            if name not in failed:
                values = tuple(value for reading in readings for value in reading.values)
                unit, note = readings[0].unit, readings[0].note
                yield Series(group=group, measure=each, tool=name, unit=unit, values=values, note=note, quick=quick)

    def ours(self, group: str, jobs: Mapping[str, Callable[[], Iterable[Reading]]]) -> Iterator[Series]:
        """Measures what only our own queue has. Yields its series; a job that fails is shown under its key."""
        name, quick = peers.WARM.name, self.settings.quick
        for measure, job in jobs.items():
            begin = time.monotonic()
            try:
                for reading in job():
                    unit, values, note = reading.unit, reading.values, reading.note
                    yield Series(
                        group=group,
                        measure=reading.measure,
                        tool=name,
                        unit=unit,
                        values=values,
                        note=note,
                        quick=quick,
                    )
            # What cannot be measured is a result; the rest is measured all the same.
            except Exception as error:
                said = f"{type(error).__name__}: {error}"
                yield Series(group=group, measure=measure, tool=name, failed=said, quick=quick)
            say(f"  {measure}: {time.monotonic() - begin:.1f} s")


def say(line: str) -> None:
    """Tells a person how far it is."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
