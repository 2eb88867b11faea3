"""Commands that look ahead: plan, why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from mlpipeline.cli.queue import complete_model
from mlpipeline.cli.setup import Setup, draw, now, say, scheduler_line, shared

if TYPE_CHECKING:
    from mlpipeline.durations import Estimate
    from mlpipeline.ledger import Key, Ledger
    from mlpipeline.observe.left import Left
    from mlpipeline.project import Project
    from mlpipeline.queue.launch import Preview
    from mlpipeline.queue.plan import Item
    from mlpipeline.queue.staleness import Stale

_MOST_COMPARED = 20
"""Reading sources takes longer than planning: only so many are compared with what ran before."""
_LOG = "List the accepted revisions of models.config, newest first (10), and what each changed."


@click.command()
@click.argument("models", metavar="[MODEL[:VERSION]]...", nargs=-1, shell_complete=complete_model)
@click.option("--all", "everything", is_flag=True, help="Also versions that are done.")
@click.option("--no-history", is_flag=True, help="What `mlpipeline -r` without -u would run.")
@click.option("--test", is_flag=True, help="What test mode would run (models_test.config).")
@click.option("--log", metavar="[N]", type=click.IntRange(min=1), is_flag=False, flag_value=10, help=_LOG)
@click.option("--undo", is_flag=True, help="Bring the former revision of models.config back; again: the one before.")
@click.option("--dry-run", is_flag=True, help="With --undo: only say what it would change.")
@shared
@click.pass_context
def plan(
    context: click.Context,
    models: tuple[str, ...],
    everything: bool,
    no_history: bool,
    test: bool,
    log: int | None,
    undo: bool,
    dry_run: bool,
) -> None:
    """Show what would run now, in which order, and why everything else would not.

    It imports the listed models, in child processes, to learn their versions; it trains nothing, and
    without --undo it changes nothing.

    \b
    mlpipeline plan
    mlpipeline plan digits.py --all
    mlpipeline plan --log            the accepted revisions of models.config, and what each changed
    mlpipeline plan --undo           back to the former one
    """
    from mlpipeline.cli import revisions
    from mlpipeline.queue.launch import preview

    setup: Setup = context.find_root().obj
    looks_ahead = bool(models or everything or no_history or test)
    if looks_ahead + (log is not None) + undo > 1 or dry_run > undo:
        raise click.UsageError("--log and --undo stand alone, and --dry-run goes with --undo", context)
    if log is not None:
        revisions.show_log(setup, log)
    elif undo:
        revisions.undo(setup, dry_run=dry_run)
    else:
        project = setup.project()
        names = tuple(name.removeprefix("./") for name in models)
        found = preview(project, names=names, use_history=not (no_history or test), testing=test)
        outlook = _outlook(found, project, has_history=not (no_history or test), is_timed=not test, names=names)
        if setup.json:
            setup.emit(_json(found, project, outlook))
        else:
            _draw(found, project, outlook, everything=everything)
        context.exit(1 if found.faults else 0)


class _Outlook(NamedTuple):
    """What the ledger adds to a plan: what changed, how long each version takes by its place, and all of them."""

    stale: Mapping[Key, Stale]
    takes: Sequence[Estimate | None]
    left: Left | None


def _outlook(
    found: Preview, project: Project, *, has_history: bool, is_timed: bool, names: tuple[str, ...]
) -> _Outlook:
    from mlpipeline.cli.forecast import Reckoning
    from mlpipeline.ledger import Ledger

    items = found.plan.items
    with closing(Ledger.open_readonly(project.ledger_path)) as ledger:
        stale = _stale(found, project, ledger) if has_history else {}
        if not is_timed:
            return _Outlook(stale, [None] * len(items), None)
        reckoning = Reckoning(project, ledger)
        takes = [reckoning.takes(item) for item in items]
        # Some versions alone: others may be in their way, so that nobody knows when they are done.
        return _Outlook(stale, takes, None if names and reckoning.is_served else reckoning.left(items))


def _stale(found: Preview, project: Project, ledger: Ledger) -> dict[Key, Stale]:
    """Returns what changed, for the first of those that would run."""
    from mlpipeline.queue.staleness import Comparison

    due = [item for item in found.plan.items if item.verdict.value == "due" and item.standing is None]
    comparison = Comparison(project, ledger, found.descriptions)
    compared = {item.wanted.key: comparison.of(item) for item in due[:_MOST_COMPARED]}
    return {key: each for key, each in compared.items() if each is not None}


def _json(found: Preview, project: Project, outlook: _Outlook) -> dict[str, Any]:
    items = [
        {"place": place, **item_json(item, outlook.stale.get(item.wanted.key), takes)}
        for place, (item, takes) in enumerate(zip(found.plan.items, outlook.takes, strict=True), 1)
    ]
    line = scheduler_line(project)
    scheduler = {"running": line.running, "pid": line.pid}
    about = {"faults": dict(found.faults), "scheduler": scheduler, "left": outlook.left}
    about["studies"] = [each.progress.to_json() for each in found.studies.values()]
    return {"format": 1, "items": items, **about}


def item_json(item: Item, stale: Stale | None, takes: Estimate | None) -> dict[str, Any]:
    """Returns a wish for programs."""
    from dataclasses import asdict

    wanted = item.wanted
    return {
        "model": wanted.model,
        "version": wanted.version,
        "replicate": wanted.replicate,
        "seed": wanted.seed,
        "verdict": item.verdict.value,
        "reason": item.reason,
        "until": item.until,
        "run": item.standing.run_id if item.standing is not None else None,
        "options": wanted.options.describe(),
        "takes": takes,
        "stale_since": stale.since.id if stale else None,
        "changes": [asdict(each) for each in stale.changes] if stale else [],
    }


def _draw(found: Preview, project: Project, outlook: _Outlook, *, everything: bool) -> None:
    from mlpipeline import trials
    from mlpipeline.observe import left, text

    items = found.plan.items
    done = sum(item.verdict.value == "done" for item in items)
    _draw_items(items, outlook, everything=everything)
    for fault in found.faults.values():
        say(f"fault: {text.one_line(fault, 500)}")
    due = sum(item.verdict.value == "due" for item in items)
    hidden = "" if everything or not done else " (see them: --all)"
    searched = [each.progress for each in found.studies.values()]
    for each in searched:
        say(f"{trials.sentence(each)}.")
    say(f"{text.many(len(items), 'version')}: {due} due, {done} done{hidden}.")
    is_served = scheduler_line(project).running
    if outlook.left:
        say(left.sentence(outlook.left, now(), is_served=is_served))
    if (due or any(each.is_open for each in searched)) and not is_served:
        say("Run them: mlpipeline -r -u")


def _draw_items(items: Sequence[Item], outlook: _Outlook, *, everything: bool) -> None:
    from mlpipeline.observe import left, text
    from mlpipeline.observe.table import Table

    timed = zip(items, outlook.takes, strict=True)
    shown = [(item, takes) for item, takes in timed if everything or item.verdict.value != "done"]
    rows = tuple(
        (
            str(place),
            text.title_of(item.wanted),
            item.verdict.value.replace("_", " "),
            left.of_one(takes, is_running=item.verdict.value == "running"),
            text.one_line(_why(item, outlook.stale.get(item.wanted.key))),
            item.wanted.options.describe(),
        )
        for place, (item, takes) in enumerate(shown, 1)
    )
    if rows:
        table = Table(columns=("#", "model:version", "verdict", "takes", "why", "options"), rows=rows)
        for column in ("takes", "options"):
            table = table.without_empty(column)
        draw(table)


def _why(item: Item, stale: Stale | None) -> str:
    from mlpipeline.queue.staleness import short

    return f"{item.reason}; {short(stale)}" if stale else item.reason
