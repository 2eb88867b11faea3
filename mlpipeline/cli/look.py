"""Commands that only look: status, history, show."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from mlpipeline.cli.queue import complete_model
from mlpipeline.cli.setup import Setup, draw, find_run, model_names, now, say, scheduler_line, shared

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlpipeline.ledger import Ledger
    from mlpipeline.project import Project
    from mlpipeline.run import Attempt, Run

STATES = ("submitted", "running", "succeeded", "failed", "cancelled", "yielded", "lost")
COUNT = click.IntRange(0)


@click.command()
@click.option(
    "-n", "--limit", default=10, type=COUNT, show_default=True, metavar="N", help="How many ended runs to show."
)
@click.option("-w", "--watch", is_flag=True, help="Go on showing it, every second, until Ctrl-C.")
@shared
@click.pass_obj
def status(setup: Setup, limit: int, watch: bool) -> None:
    """Show what runs, what is next, and what ended lately.

    It works whether or not a scheduler runs, and changes nothing. Piped, --watch prints a line for whatever happens.

    \b
    mlpipeline status
    mlpipeline status --watch
    mlpipeline status --json | jq .runs.failed
    """
    from mlpipeline.observe import status as statuses
    from mlpipeline.observe import view

    project = setup.project()
    if watch:
        from mlpipeline.cli.watch import watch_status

        watch_status(setup, project, limit)
        return
    moment = now()
    facts = statuses.gather(project, scheduler_line(project), moment, ended=limit)
    picture = view.picture(facts, moment)
    if setup.json:
        setup.emit(picture.to_json())
        return
    for line in statuses.headlines(picture):
        say(line)
    for table in statuses.sections(picture):
        say()
        draw(table)


@click.command()
@click.argument("model", metavar="[MODEL[:VERSION]]", required=False, shell_complete=complete_model)
@click.option(
    "-n", "--limit", default=20, type=COUNT, show_default=True, metavar="N", help="How many runs at most; 0 for all."
)
@click.option("--state", "states", multiple=True, type=click.Choice(STATES), help="Only these; may be given again.")
@shared
@click.pass_obj
def history(setup: Setup, model: str | None, limit: int, states: tuple[str, ...]) -> None:
    """List the runs so far, newest first.

    \b
    mlpipeline history
    mlpipeline history digits.py:wide --limit 0
    mlpipeline history --state failed --state lost
    """
    from mlpipeline.ledger import Ledger
    from mlpipeline.observe import status as statuses
    from mlpipeline.observe import view
    from mlpipeline.run import State

    project = setup.project()
    wanted = {"states": frozenset(map(State, states)) or None, "limit": limit if limit > 0 else None}
    with closing(Ledger.open_readonly(project.ledger_path)) as ledger:
        runs = _runs(project, ledger, model, wanted)
    moment = now()
    words = {run: line.word for run, line in statuses.looked_at(project, runs, moment).items()}
    lines = [view.run_line(run, moment) for run in runs]
    if setup.json:
        from dataclasses import asdict

        setup.emit({"format": 1, "runs": [asdict(line) | {"now": words.get(line.run, line.state)} for line in lines]})
    elif lines:
        lines = [replace(line, state=words.get(line.run, line.state)) for line in lines]
        draw(statuses.ended_table(lines, moment, ""))
    elif model is None and not states:
        say("No run is recorded yet. See what would run: mlpipeline plan")
    else:
        say("No run is like that. See all: mlpipeline history")


def _runs(project: Project, ledger: Ledger, model: str | None, wanted: dict[str, Any]) -> list[Run]:
    from mlpipeline.errors import RunNotFound
    from mlpipeline.observe import finding

    if model is None:
        return ledger.runs(**wanted)
    name, _, version = model.partition(":")
    names = model_names(project, name)
    candidates = (ledger.runs(model=each, version=version or None, **wanted) for each in names)
    found = next((runs for runs in candidates if runs), [])
    if not found and not _is_known(project, ledger, names, version):
        raise RunNotFound(finding.unknown(project, ledger, model))
    return found


def _is_known(project: Project, ledger: Ledger, names: Sequence[str], version: str) -> bool:
    """Whether a model has run, or that version of it, or is there and has not run yet; else its name is a slip."""
    if any(ledger.runs(model=each, version=version or None, limit=1) for each in names):
        return True
    has_run = any(ledger.runs(model=each, limit=1) for each in names)
    return not has_run and any((project.models_dir / each).is_file() for each in names)


@click.command()
@click.argument("run", metavar="RUN")
@shared
@click.pass_obj
def show(setup: Setup, run: str) -> None:
    """Show everything that is recorded about one run.

    RUN is its id or the beginning of it; RUN.2 is its second attempt; MODEL or MODEL:VERSION is its newest run.

    \b
    mlpipeline show 20261121-04
    mlpipeline show digits.py:wide
    """
    from mlpipeline import wire
    from mlpipeline.ledger import Ledger

    project = setup.project()
    with closing(Ledger.open_readonly(project.ledger_path)) as ledger:
        found, attempt = find_run(project, ledger, run)
    directory = project.root / attempt.directory
    files = {name.removesuffix(".json"): wire.read_json(directory / name) for name in _FILES}
    if setup.json:
        from dataclasses import asdict

        setup.emit({"format": 1, "run": asdict(found), "attempt": attempt.number, "files": files})
        return
    _show(project, found, attempt, files)


_FILES = (
    "spec.json",
    "started.json",
    "progress.json",
    "result.json",
    "outcome.json",
    "environment.json",
    "data.json",
    "origin.json",
    "node.json",
)


def _show(project: Project, run: Run, attempt: Attempt, files: dict[str, dict[str, Any] | None]) -> None:
    from mlpipeline.cli.why import read_details
    from mlpipeline.observe import text
    from mlpipeline.observe.why import why_run
    from mlpipeline.rundir import read_notes, read_tags

    say(why_run(run, now(), read_details(project, run)))
    say()
    spec, outcome, environment = (files[name] or {} for name in ("spec", "outcome", "environment"))
    git = environment.get("git") or {}
    facts = {
        "run": f"{run.id}, attempt {attempt.number} of {len(run.attempts)}",
        "seed": f"{run.seed} (replicate {run.replicate})",
        "created": run.created_at.isoformat(timespec="seconds"),
        "took": text.duration(attempt.seconds_by(now())),
        "steps": attempt.steps,
        "checkpoint": _at_step(outcome.get("checkpoint_step")),
        "peak memory": text.memory(attempt.peak_memory_bytes),
        "peak GPU memory": text.memory(outcome.get("peak_gpu_memory_bytes")),
        "devices": ", ".join(f"GPU {each.get('index')} ({each.get('name')})" for each in spec.get("devices") or ()),
        "place": _place(files["node"] or {}),
        "exit": text.ended(attempt.signal, attempt.exit_code),
        "code": f"{run.code_digest} (sources {run.sources[:12]})",
        "imported": _from(files["origin"] or {}),
        "commit": f"{git['commit'][:12]}{' with changes' if git.get('dirty') else ''}" if git.get("commit") else "",
        "directory": attempt.directory,
        "model_dir": run.model_dir,
        "output": f"mlpipeline logs {run.id}.{attempt.number}",
    }
    _pairs({name: value for name, value in facts.items() if value not in ("", None)})
    if tags := read_tags(project.runs_dir / run.id):
        say(f"tags: {' '.join(tags)}")
    for each in read_notes(project.runs_dir / run.id):
        say(f"note of {each.get('by')}, {str(each.get('at'))[:16]}: {text.one_line(str(each.get('text')), 500)}")
    _details(run, attempt, files)


def _from(origin: dict[str, Any]) -> str:
    where = " of ".join(str(origin[name]) for name in ("id", "store") if origin.get(name))
    return f"{where}, on {str(origin.get('imported_at'))[:10]}" if origin else ""


def _place(node: dict[str, Any]) -> str:
    """Returns where an engine had a run, and what it gave it there."""
    job = str(node.get("job") or "")
    told = [node.get("node"), job and "@" not in job and f"job {job}"]  # Ray's names of nodes are long, and say nothing
    if node.get("devices"):
        told.append(f"GPU {node['devices']}")
    return ", ".join(str(each) for each in told if each)


def _at_step(step: Any) -> str:
    return "" if step is None else f"at step {step}"


def _details(run: Run, attempt: Attempt, files: dict[str, dict[str, Any] | None]) -> None:
    import json

    from mlpipeline.observe import status as statuses
    from mlpipeline.observe import text

    for title, values in (("Metrics", text.flat_metrics(attempt.metrics or {})), ("Parameters", run.params)):
        if values:
            say(f"\n{title}:")
            shown = {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}
            _pairs(shown)
    for told in _told(files["result"] or {}, files["outcome"] or {}, files["data"] or {}):
        say(f"\n{told}")
    if len(run.attempts) > 1:
        say("\nAttempts:")
        draw(statuses.attempts_table(run, now()))


def _told(result: dict[str, Any], outcome: dict[str, Any], data: dict[str, Any]) -> Iterator[str]:
    """Yields what the attempt's files say at length: summaries, notes, warnings, data, the traceback."""
    from mlpipeline import wire

    for name in ("model_summary", "loader_summary"):
        if result.get(name):
            yield f"{name.replace('_', ' ').capitalize()}:\n{result[name]}"
    yield from map(str, (*(result.get("notes") or ()), *(outcome.get("warnings") or ())))
    if data:
        rows = ", ".join(f"{count:,} {part}" for part, count in (data.get("rows") or {}).items())
        yield f"Data: {rows} rows of {data.get('dataset')}, digest {data.get('digest')}; see {wire.DATA}"
    if trace := (result.get("error") or {}).get("traceback"):
        yield str(trace)


def _pairs(values: dict[str, Any]) -> None:
    from mlpipeline.observe import text

    width = max(map(text.cells, values))
    for name, value in values.items():
        say(f"  {text.padded(text.one_line(name, 80), width)}  {text.one_line(str(value), 2000)}")
