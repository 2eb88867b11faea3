"""The numbers that the design holds the queue to, read from what was measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from benchmarks.figures import Figures
from benchmarks.groups import (
    beginning,
    cache,
    comparing,
    composing,
    dashboard,
    empty,
    encoding,
    engines,
    estimators,
    growth,
    idle,
    latency,
    learning,
    queue,
    recording,
    reliability,
    search,
    serving,
    streaming,
    threads,
    training,
    watching,
)
from benchmarks.peers import COLD, WARM


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one number.

    Attributes:
        measured: the figure, with its unit.
        reached: whether it is within its aim; None where it was not measured.
        beside: what it is compared with.
    """

    measured: str = "not measured"
    reached: bool | None = None
    beside: str = ""


Judge = Callable[[Figures], Verdict]


@dataclass(frozen=True, slots=True)
class Number:
    """One line of the table: what, how much, and how to tell."""

    what: str
    aim: str
    judge: Judge


def at_most(limit: float, measure: str, tool: str = WARM.name, beside: Iterable[tuple[str, str]] = ()) -> Judge:
    """Judges the median of a series, and shows others beside it."""

    def judge(figures: Figures) -> Verdict:
        own = figures.get(measure, tool)
        if own is None:
            return Verdict()
        others = [found for key in beside if (found := figures.get(*key)) is not None]
        shown = ", ".join(f"{each.tool} {amount(each.median, each.unit)}" for each in others)
        return Verdict(amount(own.median, own.unit), own.median <= limit, shown)

    return judge


def ratio(limit: float, own: tuple[str, str], other: tuple[str, str], *, least: bool = False) -> Judge:
    """Judges how a median stands to another one.

    Args:
        limit: of own / other; where `least`, of other / own, which has to be greater.
        own: measure and tool.
        other: measure and tool.
        least: whether it is about a speed-up.
    """

    def judge(figures: Figures) -> Verdict:
        mine, theirs = figures.get(*own), figures.get(*other)
        if mine is None or theirs is None:
            return Verdict()
        found = theirs.median / mine.median if least else mine.median / theirs.median
        beside = f"{amount(mine.median, mine.unit)} against {amount(theirs.median, theirs.unit)} ({theirs.tool})"
        return Verdict(f"{found:.3g} x", found >= limit if least else found <= limit, beside)

    return judge


def unchanged(figures: Figures) -> Verdict:
    """Judges the cost of a run after the longest history against that of the first ones."""
    first = figures.get(growth.after(0), WARM.name)
    sizes = [size for size in growth.SIZES[1:] if figures.get(growth.after(size), WARM.name)]
    if first is None or not sizes:
        return Verdict()
    last = figures.get(growth.after(sizes[-1]), WARM.name)
    assert last is not None
    change = last.median / first.median - 1
    beside = f"{amount(first.median, 'ms')} with none, {amount(last.median, 'ms')} after {sizes[-1]:,}"
    return Verdict(f"{change:+.1%}", abs(change) <= 0.1, beside)


def amount(value: float, unit: str) -> str:
    """Writes a figure with three digits."""
    figure = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{figure} {unit}" if unit != "%" else f"{figure} %"


TSP, DVC, SHELL = "task-spooler (no record)", "DVC queue", "shell loop of `python`"
NUMBERS = (
    Number(
        "from `git clone` to the first trained result, downloads excluded", "<= 60 s", at_most(60, beginning.CLONED)
    ),
    Number("`mlpipeline init`, and the new project tried", "<= 10 s", at_most(10, beginning.TRIED)),
    Number(
        "a workflow of 200 components composed and checked",
        "<= 200 ms",
        at_most(200, composing.BUILD, composing.OURS, [(composing.BUILD, composing.HYDRA)]),
    ),
    Number("a call through all middleware, over a plain one", "<= 20 us", at_most(20, composing.CALL, composing.OURS)),
    Number(
        "`import mlpipeline.workflow`, with all that composes",
        "<= 100 ms",
        at_most(100, composing.IMPORT, composing.OURS, [(composing.IMPORT, composing.HYDRA)]),
    ),
    Number("an answer of 1,000,000 rows that is kept", "<= 500 ms", at_most(500, cache.ANSWER, cache.OURS)),
    Number(
        "the same against asking SQLite",
        ">= 10 x faster",
        ratio(10, (cache.ANSWER, cache.OURS), (cache.ANSWER, cache.QUERY), least=True),
    ),
    Number("`compare` over 10,000 runs", "<= 1 s", at_most(1000, comparing.COMPARED)),
    Number("200 live runs, looked at every second", "<= 5 % of a core", at_most(5, watching.WATCHED)),
    Number("a page of 1,000 runs, on the server", "<= 100 ms", at_most(100, dashboard.PAGE)),
    Number("the same, usable in Chromium", "<= 1 s", at_most(1000, dashboard.USABLE)),
    Number("200 live runs at 1 Hz, one open page", "<= 5 % of a core", at_most(5, dashboard.SHARE)),
    Number("a curve of 100,000 points, downsampled", "<= 50 ms", at_most(50, comparing.THINNED)),
    Number("submitted -> first line, TensorFlow imported, a spare ready", "<= 5 ms", at_most(5, latency.READY)),
    Number("the same, no spare ready", "<= 30 ms", at_most(30, latency.CROWDED)),
    Number(
        "the same against a cold process",
        ">= 100 x faster",
        ratio(100, (latency.READY, WARM.name), (latency.READY, COLD.name), least=True),
    ),
    Number(
        "a run that does nothing, all records durable, forked from the warm process",
        "<= 10 ms",
        at_most(10, empty.COST, beside=[(empty.COST, TSP), (empty.COST, SHELL), (empty.COST, "bare fork")]),
    ),
    Number(
        "the same against task-spooler, which records nothing",
        "< 1 x",
        ratio(1, (empty.COST, WARM.name), (empty.COST, TSP)),
    ),
    Number("the same, cold workers", "<= 40 ms", at_most(40, empty.COST, COLD.name)),
    Number(
        "last line of a run that does nothing -> first line of the next",
        "<= 15 ms",
        at_most(15, empty.GAP, beside=[(empty.GAP, TSP), (empty.GAP, DVC), (empty.GAP, "Guild queue")]),
    ),
    Number(
        "last line of a TensorFlow training -> first line of the next",
        "<= 15 ms",
        at_most(15, training.GAP, beside=[(training.GAP, TSP), (training.GAP, DVC), (training.GAP, SHELL)]),
    ),
    Number(
        "six TensorFlow trainings, from nothing, against a shell loop",
        "<= 0.25 x",
        ratio(0.25, (training.WHOLE, WARM.name), (training.WHOLE, SHELL)),
    ),
    Number(
        "the same against DVC's queue", "<= 0.15 x", ratio(0.15, (training.WHOLE, WARM.name), (training.WHOLE, DVC))
    ),
    Number(
        "two slots, two OpenMP trainings at once, against no thread limits",
        ">= 5 x faster",
        ratio(5, (threads.FIT, threads.OURS), (threads.FIT, threads.PLAIN), least=True),
    ),
    Number(
        "private memory of one more TensorFlow run, against a cold one",
        "<= 0.25 x",
        ratio(0.25, (latency.MEMORY, WARM.name), (latency.MEMORY, COLD.name)),
    ),
    Number("cost of a run after 100,000 others, against none", "within 10 %", unchanged),
    Number(
        "`run.record()` in a training loop, flushes included",
        "<= 3 us",
        at_most(3, recording.LOOP, recording.OURS, [(recording.COST, recording.JSON_LINE)]),
    ),
    Number("`steps()` and `record()` in a loop of 1 ms steps", "<= 1 %", at_most(1, recording.SHARE, recording.OURS)),
    Number(
        "1,000,000 rows of ten columns encoded, against scikit-learn",
        ">= 1 x as fast",
        ratio(1, (encoding.ENCODE, encoding.OURS), (encoding.ENCODE, encoding.SKLEARN), least=True),
    ),
    Number(
        "the encoders fitted, against scikit-learn",
        ">= 1 x as fast",
        ratio(1, (encoding.FIT, encoding.OURS), (encoding.FIT, encoding.SKLEARN), least=True),
    ),
    Number(
        "the rows encoded, against pandas `apply`",
        ">= 5 x faster",
        ratio(5, (encoding.ENCODE, encoding.OURS), (encoding.ENCODE, encoding.APPLY), least=True),
    ),
    Number("peak of memory meanwhile, by the output", "<= 1.5 x", at_most(1.5, encoding.PEAK, encoding.OURS)),
    Number("the books of a fit by hand, of its time", "<= 1 %", at_most(1, learning.BOOKS, learning.OURS)),
    Number(
        "a fit of XGBoost through its estimator, against the library by hand",
        ">= 0.99 x as fast",
        ratio(
            0.99,
            (estimators.fit_of("xgboost"), estimators.OURS),
            (estimators.fit_of("xgboost"), estimators.PLAIN),
            least=True,
        ),
    ),
    Number("edit saved -> in force on an idle scheduler", "<= 50 ms", at_most(50, queue.EDIT)),
    Number("planning turn, 10,000 versions wanted, 1,000,000 runs recorded", "<= 50 ms", at_most(50, queue.TURN)),
    Number("`mlpipeline status` with 100,000 runs, whole process", "<= 150 ms", at_most(150, queue.STATUS)),
    Number(
        "idle scheduler (without warm process and spare): memory", "<= 45 MB", at_most(45, idle.MEMORY, idle.SCHEDULER)
    ),
    Number("the same: share of a core", "<= 0.1 %", at_most(0.1, idle.SHARE, idle.SCHEDULER)),
    Number(
        "200 empty runs on Slurm, against an array of plain sbatch",
        "<= 1.1 x",
        ratio(1.1, (engines.RUNS, engines.OURS), (engines.RUNS, engines.PLAIN)),
    ),
    Number(
        "1,000 runs given to Slurm, from the start of the queue", "<= 10 s", at_most(10, engines.SUBMIT, engines.OURS)
    ),
    Number("a scheduler of which 1,000 wait: share of a core", "<= 1 %", at_most(1, engines.SHARE, engines.OURS)),
    Number("`import mlpipeline`, beyond a bare interpreter", "<= 30 ms", at_most(30, queue.IMPORT)),
    Number("`mlpipeline --help`, whole process", "<= 120 ms", at_most(120, queue.HELP)),
    Number("kill -9 of anything -> `status` says so, whole command", "<= 2,000 ms", at_most(2000, reliability.TRUTH)),
    Number("start of a scheduler over 50 live runs -> all adopted", "<= 1,000 ms", at_most(1000, reliability.RECOVERY)),
    Number(
        f"cancel of 10 processes that ignore SIGTERM, grace {reliability.GRACE:g} s -> none is left",
        "<= 3 s",
        at_most(3, reliability.CANCELLATION),
    ),
    Number(
        "three epochs by batches from a stream of 20,000,000 rows, from nothing, against the same rows in memory",
        ">= 0.8 x its speed",
        ratio(0.8, (streaming.WHOLE, streaming.STREAM), (streaming.WHOLE, streaming.MEMORY), least=True),
    ),
    Number(
        "one of these epochs, the first of which encodes",
        ">= 0.8 x its speed",
        ratio(0.8, (streaming.EPOCH, streaming.STREAM), (streaming.EPOCH, streaming.MEMORY), least=True),
    ),
    Number(
        "its peak memory",
        "<= 1,500 MB",
        at_most(1500, streaming.PEAK, streaming.STREAM, [(streaming.PEAK, streaming.MEMORY)]),
    ),
    Number(
        "200 trials of a cheap model, each a run of its own, two slots",
        "<= 60 s",
        at_most(60, search.WHOLE, search.TPE),
    ),
    Number(
        "a row predicted by XGBoost over HTTP, one connection, p50",
        "<= 2 ms",
        at_most(2, serving.ALONE, serving.OURS, [(serving.ALONE, serving.MLFLOW)]),
    ),
    Number(
        "rows a second with 32 connections, against `mlflow models serve`",
        ">= 3 x",
        ratio(3, (serving.SHARE, serving.OURS), (serving.SHARE, serving.MLFLOW), least=True),
    ),
    Number(
        "the same at 200 requests a second, p99",
        "<= 20 ms",
        at_most(20, serving.STEADY, serving.OURS, [(serving.STEADY, serving.MLFLOW)]),
    ),
)
