"""The status: gathers the picture's facts without changing a byte, and draws them as a table or as plain lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from typing import Any

from mlpipeline import requests, tracking, trials, wire
from mlpipeline.durations import Estimate, Work
from mlpipeline.ledger import Ledger
from mlpipeline.lock import holder
from mlpipeline.observe import left, text, view
from mlpipeline.observe.activity import Activity, latest_metrics, life_of
from mlpipeline.observe.left import Left
from mlpipeline.observe.looks import Looks
from mlpipeline.observe.progress import Progress, read_progress
from mlpipeline.observe.table import Table
from mlpipeline.project import Project
from mlpipeline.run import Run, State
from mlpipeline.timings import Timings

FINAL = frozenset(state for state in State if state.is_final)


def gather(
    project: Project,
    scheduler: view.SchedulerLine,
    now: datetime,
    *,
    ended: int = 10,
    looks: Looks | None = None,
) -> view.Facts:
    """Reads ledger, status file and progress of what runs. Changes nothing, whether or not a scheduler runs.

    Args:
        project: which one.
        scheduler: what the lock says of the scheduler; details come from the status file.
        now: the time, aware.
        ended: how many of the runs that ended last are wanted.
        looks: of who looks again and again; None for a single look.
    """
    looks = looks or Looks()
    status = wire.read_json(project.status_path)
    with closing(Ledger.open_readonly(project.ledger_path)) as ledger:
        live, finished, counts = looks.book.read(ledger, ended, FINAL)
        progress = {run.last.directory: _progress(f"{project.root}/{run.last.directory}") for run in live}
        life = {run.last.directory: life_of(project, run.last, is_served=scheduler.running) for run in live}
        is_served = scheduler.running and (status or {}).get("state") in ("running", "idle")
        planned = status if status and is_served else None
        alive = [run for run in live if life[run.last.directory] in ("alive", "unknown")]
        here = {run.last.directory: run for run in live if life[run.last.directory] == "alive"}
        goes_on, takes, (queue, starts) = _estimates(
            looks.book.timings(ledger, project.root), alive, progress, planned, now, looks
        )
    return view.Facts(
        root=str(project.root),
        scheduler=_with_details(scheduler, status),
        status=status,
        live=live,
        ended=finished,
        progress=progress,
        life=life,
        left=goes_on,
        silent=looks.activity.silences(project.root, here, progress, now),
        latest={each: latest_metrics(f"{project.root}/{each}/{wire.METRICS}") for each in here},
        usage=looks.usage.get(lambda: looks.meter.look(str(project.root), here)),
        takes=takes,
        starts=starts,
        queue=queue,
        counts=counts,
        # A fit by hand asks for its record before it begins: that is nothing that somebody waits for.
        requests=sum(each.action != requests.Action.RECORD for each in requests.pending(project)),
        warnings=(*project.warnings, *tracking.warnings(project)),
    )


def _estimates(
    timings: Timings,
    alive: Sequence[Run],
    progress: Mapping[str, Progress],
    planned: Mapping[str, Any] | None,
    now: datetime,
    looks: Looks,
) -> tuple[dict[str, Estimate | None], dict[tuple[str, ...], Estimate | None], tuple[Left | None, left.Starts]]:
    """Returns how long each run goes on, how long each open version takes, and what is ahead of the queue."""
    running = {}
    for run in alive:
        running[run.last.directory] = left.of_run(run, progress[run.last.directory], timings, now)
    if planned is None:
        return running, {}, (None, ())
    coming = left.works_of_status(planned, timings, now)
    works = [Work(running[run.last.directory], (run.model, run.version)) for run in alive]
    takes = {each.kind: each.takes for each in coming}
    return running, takes, looks.queue.get(lambda: left.ahead(planned, works, coming, now))


def _progress(directory: str) -> Progress:
    return read_progress(wire.read_json(f"{directory}/{wire.PROGRESS}") or {})


def looked_at(project: Project, runs: Iterable[Run], now: datetime) -> dict[str, view.LiveLine]:
    """Returns, by their ids, those of some runs that live by the ledger, with what has become of them meanwhile."""
    live = [run for run in runs if not run.state.is_final]
    is_served = holder(project) is not None
    life = {run.last.directory: life_of(project, run.last, is_served=is_served) for run in live}
    progress = {run.last.directory: _progress(f"{project.root}/{run.last.directory}") for run in live}
    here = {run.last.directory: run for run in live if life[run.last.directory] == "alive"}
    facts = view.Facts(
        root=str(project.root),
        scheduler=view.SchedulerLine(running=is_served, host=project.host),
        live=live,
        progress=progress,
        life=life,
        silent=Activity().silences(project.root, here, progress, now),
    )
    return {line.run.run: line for line in view.picture(facts, now).running}


def _with_details(line: view.SchedulerLine, status: dict[str, Any] | None) -> view.SchedulerLine:
    if status is None:
        return line
    return view.SchedulerLine(
        running=line.running,
        pid=line.pid,
        host=line.host,
        since=line.since,
        state=_text(status.get("state")),
        mode=_text(status.get("mode")),
        slots=status.get("slots") if isinstance(status.get("slots"), int) else None,
        heard_at=read_progress(status).updated_at,
    )


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def sections(picture: view.Picture) -> list[Table]:
    """Returns the picture's tables, those that are empty left out."""
    still = [each for each in picture.next if each.verdict in view.STILL]
    coming = [each for each in picture.next if each.verdict not in view.STILL]
    tables = [
        _running(picture.running),
        _next("Next", coming),
        _next("Waits for you", still),
        ended_table(picture.ended, picture.at, "Ended lately"),
        _devices(picture.devices),
    ]
    return [table for table in tables if table.rows]


def _running(lines: Sequence[view.LiveLine]) -> Table:
    rows = []
    for line in lines:
        run, progress = line.run, line.progress
        name = text.title_of(run)
        is_alive = line.now in ("alive", "unknown")
        goes_on = is_alive and line.stalled is None
        rate = f"{progress.rate:.3g}/s" if progress.rate and goes_on else ""
        left = text.duration(progress.eta_seconds) if goes_on else ""
        metrics = text.metrics(line.latest, most=2)
        so_far = text.duration(run.seconds) if is_alive else ""
        memory, gpu = text.memory(line.memory), text.memory(line.gpu_memory)
        waits = text.one_line(line.reason, 120) if run.state == State.SUBMITTED.value else ""
        told = (_steps(progress), rate, so_far, left, memory, gpu, metrics, waits)
        rows.append((run.run, name, line.word, *told))
    seldom = ("memory", "GPU memory", "last metrics", "waits for")
    columns = ("run", "model:version", "state", "step", "rate", "so far", "left", *seldom)
    table = Table(title="Running", columns=columns, rows=tuple(rows))
    for each in seldom:
        table = table.without_empty(each)
    return table


def _devices(lines: Sequence[view.DeviceLine]) -> Table:
    rows = tuple(
        (
            f"GPU {each.index}",
            each.name,
            text.memory(each.memory_free),
            text.memory(each.memory_total),
            text.one_line(each.note.removeprefix(f"GPU {each.index} ") or "is free"),
        )
        for each in lines
    )
    return Table(title="Devices", columns=("device", "name", "free", "of", "it"), rows=rows)


def _steps(progress: Progress) -> str:
    if progress.step is None:
        return ""
    if not progress.total:
        return str(progress.step)
    share = min(1.0, progress.step / progress.total)
    return f"{progress.step}/{progress.total} ({share:.0%})"


def _next(title: str, lines: Sequence[view.NextLine]) -> Table:
    rows = tuple(
        (
            text.title_of(each),
            each.verdict.replace("_", " "),
            left.of_one(each.takes),
            left.reason(each),
        )
        for each in lines
    )
    return Table(title=title, columns=("model:version", "verdict", "takes", "why"), rows=rows).without_empty("takes")


def ended_table(lines: Sequence[view.RunLine], now: datetime, title: str) -> Table:
    """Returns runs as a table: what came out, or why they failed."""
    rows = []
    for line in lines:
        good = line.state == State.SUCCEEDED.value
        told = text.metrics(line.metrics) if good else text.one_line(line.message or _cause(line.cause), 90)
        if good and line.message:
            told = f"{text.one_line(line.message, 90)}; {told}" if told else text.one_line(line.message, 90)
        name = text.title_of(line)
        when = text.ago(line.ended_at or line.started_at or line.created_at, now)
        rows.append((line.run, name, line.state, when, text.duration(line.seconds), told))
    columns = ("run", "model:version", "state", "when", "took", "result")
    return Table(title=title, columns=columns, rows=tuple(rows))


def headlines(picture: view.Picture) -> list[str]:
    """Returns what is said before the tables: the scheduler, counts, faults, open requests."""
    counts = dict(picture.runs)
    for line in picture.running:
        if line.now in ("ended", "gone"):
            counts[line.run.state] -= 1
            counts[line.word] = counts.get(line.word, 0) + 1
    counted = [f"{count} {name}" for name, count in counts.items() if count]
    planned = [f"{count} {name}" for name, count in picture.versions.items() if count]
    lines = [f"{text.one_line(picture.project)}: {', '.join(counted) or 'nothing has run yet'}."]
    lines.append(view.scheduler_sentence(picture.scheduler, picture.at))
    if planned:
        lines.append(f"Versions listed: {', '.join(planned)}.")
    if picture.left:
        lines.append(left.sentence(picture.left, picture.at))
    lines += [f"{trials.sentence(each)}." for each in picture.studies]
    lines += [_stalled(line) for line in picture.running if line.stalled is not None]
    if not picture.scheduler.running:
        lines += without_scheduler([line.now for line in picture.running])
    if picture.requests:
        lines.append(f"{text.many(picture.requests, 'request')} not carried out yet.")
    lines += [f"fault: {text.one_line(fault, 500)}" for fault in picture.faults]
    return lines + [f"warning: {text.one_line(warning, 500)}" for warning in picture.warnings]


def _stalled(line: view.LiveLine) -> str:
    name = text.title_of(line.run)
    silent = text.duration(line.stalled)
    return (
        f"STALLED: {name} has done nothing for {silent} (no step, no output, no processor time). It is left alone; see "
        f"mlpipeline logs {line.run.run}, or end it: mlpipeline cancel {line.run.run}"
    )


def without_scheduler(lives: Sequence[str]) -> list[str]:
    """Says what becomes of runs while no scheduler looks after them, by what has become of each: see LiveLine."""
    lines = []
    if "alive" in lives or "unknown" in lives:
        lines.append("What is running goes on without a scheduler; the next one takes its results.")
    if "ended" in lives:
        lines.append(f"{lives.count('ended')} ended meanwhile; the next scheduler records the results.")
    if "gone" in lives:
        lines.append(f"{lives.count('gone')} lost: the processes are gone; the next scheduler tries again.")
    return lines


def _cause(cause: str) -> str:
    return "" if cause == "none" else cause.replace("_", " ")


def attempts_table(run: Run, now: datetime) -> Table:
    """Returns a run's attempts as a table, the first one first."""
    rows = tuple(
        (
            f"{run.id}.{each.number}",
            each.state.value,
            _cause(each.cause.value),
            text.ago(each.ended_at, now),
            text.duration(each.seconds_by(now)),
            text.one_line(each.message or "", 90),
        )
        for each in run.attempts
    )
    return Table(columns=("attempt", "state", "cause", "ended", "took", "message"), rows=rows)
