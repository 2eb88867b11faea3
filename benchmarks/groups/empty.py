"""What a run costs that does nothing, by tool; and how long it takes from one such run to the next."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import peers, processes
from benchmarks.bench import Bench, Reading
from benchmarks.figures import Series
from benchmarks.peers.tool import Tool
from benchmarks.work import NOTHING, gaps, spacing

COST = "a run that does nothing"
GAP = "last line of a run that does nothing -> first line of the next"


def measure(bench: Bench) -> Iterator[Series]:
    """Measures every tool."""
    tools = [*peers.OURS, *peers.FLOOR, *bench.peers()]
    times = bench.settings.times(3, 1)
    return bench.alternate("empty", COST, tools, times, lambda tool: once(tool, quick=bench.settings.quick))


def once(tool: Tool, *, quick: bool) -> Iterator[Reading]:
    """Measures one tool once."""
    count = tool.counts[quick]
    with processes.directory() as root:
        many = tool.run(NOTHING, count + 1, root)
    if tool.steady:
        cost, how = spacing(many.stamps), "one to the next"
    else:
        with processes.directory() as root:
            one = tool.run(NOTHING, 1, root)
        cost, how = (many.seconds - one.seconds) * 1000 / count, "a queue of more less one of 1"
    yield Reading(measure=COST, values=(cost,), note=f"{count} runs, {how}")
    if tool.any_work:
        yield Reading(measure=GAP, values=tuple(gaps(many.stamps)))
