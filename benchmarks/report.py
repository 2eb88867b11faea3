"""RESULTS.md: the numbers to reach, then every measure as a table, with its plot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from benchmarks.figures import Figures, Series
from benchmarks.groups import GROUPS, growth
from benchmarks.numbers import NUMBERS, amount
from benchmarks.peers import WARM

_WORDS = {True: "reached", False: "**missed**", None: ""}
_OURS = "mlpipeline"
_BUSY = 10.0


def text(figures: Figures, drawn: Mapping[str, str]) -> str:
    """Returns the whole page.

    Args:
        figures: what was measured.
        drawn: the plot of a measure, as a path beside the page.
    """
    lines = [
        "# Results of the benchmarks",
        "",
        "Written by `make bench`; [how they are made](NOTES.md). Medians; every tool was measured in turn, round after",
        "round, on the machine named here, so ratios say more than single figures.",
        "",
        *_machine(figures),
        "",
        *_warnings(figures),
        *_numbers(figures),
        *_measures(figures, drawn),
        *_absent(figures),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _machine(figures: Figures) -> Iterator[str]:
    of = figures.machine
    yield f"* {of['cores']} cores ({of['processor']}), {of['memory']}, {of['kernel']}, Python {of['Python']}"
    yield "* " + ", ".join(f"{name} {version}" for name, version in sorted(figures.versions.items()))
    minutes = sum(figures.seconds.values()) / 60
    taken = ", ".join(f"{name} {seconds:.0f}" for name, seconds in figures.seconds.items())
    yield f"* measured in {minutes:.1f} minutes; seconds by group: {taken}"


def _warnings(figures: Figures) -> Iterator[str]:
    busy = max(figures.others.values(), default=0.0)
    if busy > _BUSY:
        said = (
            f"**The machine was busy with other work (up to {busy:.0f} % of it): compare ratios, and measure again.**"
        )
        yield from (said, "")
    if any(each.quick for each in figures.series.values()):
        yield from ("**Small counts (`--quick`): this shows that everything can be measured, not how much it is.**", "")


def _numbers(figures: Figures) -> Iterator[str]:
    judged = [(number, number.judge(figures)) for number in NUMBERS]
    reached = sum(verdict.reached is True for _, verdict in judged)
    known = sum(verdict.reached is not None for _, verdict in judged)
    yield from ("## Numbers to reach", "", f"{reached} of {known} that were measured are reached.", "")
    yield from ("| what | aim | measured | | beside it |", "|---|---|---|---|---|")
    for number, verdict in judged:
        yield f"| {number.what} | {number.aim} | {verdict.measured} | {_WORDS[verdict.reached]} | {verdict.beside} |"


def _measures(figures: Figures, drawn: Mapping[str, str]) -> Iterator[str]:
    yield from ("", "## Tool by tool", "")
    alone = []
    histories = {growth.after(size) for size in growth.SIZES}
    order = list(GROUPS)
    found = sorted((each for each in figures.series.values() if each.values), key=lambda each: order.index(each.group))
    for measure in dict.fromkeys(each.measure for each in found):
        rows = figures.of(measure)
        if measure in histories:
            continue
        if len(rows) == 1:
            alone += rows
            continue
        yield from _headed(measure, drawn)
        yield from _table(rows)
        yield ""
    yield from _growth(figures, drawn)
    yield from ("## Ours alone", "", "| what | median | least to most | values | |", "|---|---|---|---|---|")
    for each in alone:
        figure, count = amount(each.median, each.unit), len(each.values)
        yield f"| {each.measure} | {figure} | {_span(each)} | {count} | {each.note} |"
    yield ""


def _headed(measure: str, drawn: Mapping[str, str]) -> Iterator[str]:
    yield from (f"### {measure[0].upper()}{measure[1:]}", "")
    if measure in drawn:
        yield from (f"![{measure}]({drawn[measure]})", "")


def _growth(figures: Figures, drawn: Mapping[str, str]) -> Iterator[str]:
    sizes = [size for size in growth.SIZES if figures.of(growth.after(size))]
    if not sizes:
        return
    yield from ("### A run that does nothing, as the history grows", "")
    if (plot := drawn.get(growth.after(0))) is not None:
        yield from (f"![cost of a run by runs recorded before]({plot})", "")
    yield "| ms per run after | " + " | ".join(f"{size:,}" for size in sizes) + " |"
    yield "|---|" + "---|" * len(sizes)
    for tool in dict.fromkeys(each.tool for size in sizes for each in figures.of(growth.after(size))):
        found = (figures.get(growth.after(size), tool) for size in sizes)
        cells = " | ".join("" if each is None else f"{each.median:.3g}" for each in found)
        yield f"| {_name(tool)} | {cells} |"
    yield ""


def _name(tool: str) -> str:
    return f"**{tool}**" if tool.startswith(_OURS) else tool


def _span(series: Series) -> str:
    return f"{amount(min(series.values), series.unit)} to {amount(max(series.values), series.unit)}"


def _table(rows: list[Series]) -> Iterator[str]:
    own = next((each for each in rows if each.tool == WARM.name), None)
    own = own or next((each for each in rows if each.tool.startswith(_OURS)), None)
    compared = own is not None and own.median > 0 and len(rows) > 1
    yield "| tool | median | least to most | values |" + (f" {own.tool} = 1 |" if compared and own else "") + " |"
    yield "|---|---|---|---|" + ("---|" if compared else "") + "---|"
    for each in rows:
        part = f" {each.median / own.median:.3g} |" if compared and own else ""
        figure, span = amount(each.median, each.unit), _span(each)
        yield f"| {_name(each.tool)} | {figure} | {span} | {len(each.values)} |{part} {each.note} |"


def _absent(figures: Figures) -> Iterator[str]:
    missing = [each for each in figures.series.values() if each.skipped or each.failed]
    if not missing:
        return
    yield from ("## Not measured", "", "| what | tool | why |", "|---|---|---|")
    for each in missing:
        why = f"**failed:** {each.failed}" if each.failed else each.skipped
        yield f"| {each.measure} | {each.tool} | {_cell(why)} |"


def _cell(words: str) -> str:
    return words.replace("|", "\\|").replace("\n", " ")[:300]
