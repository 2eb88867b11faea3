"""Commands that look ahead: plan, why."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import click

from mlpipeline.cli.queue import complete_model
from mlpipeline.cli.setup import Setup, draw, find_run, now, say, scheduler_line, shared

if TYPE_CHECKING:
    from mlpipeline.project import Project
    from mlpipeline.queue.launch import Preview
    from mlpipeline.queue.plan import Item

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
        if setup.json:
            setup.emit(_json(found, project))
        else:
            _draw(found, project, everything=everything)
        context.exit(1 if found.faults else 0)


def _json(found: Preview, project: Project) -> dict[str, Any]:
    items = [{"place": place, **_item(item)} for place, item in enumerate(found.plan.items, 1)]
    line = scheduler_line(project)
    scheduler = {"running": line.running, "pid": line.pid}
    return {"format": 1, "items": items, "faults": dict(found.faults), "scheduler": scheduler}


def _item(item: Item) -> dict[str, Any]:
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
    }


def _draw(found: Preview, project: Project, *, everything: bool) -> None:
    from mlpipeline.observe import text
    from mlpipeline.observe.table import Table

    items = found.plan.items
    done = sum(item.verdict.value == "done" for item in items)
    shown = [item for item in items if everything or item.verdict.value != "done"]
    rows = tuple(
        (
            str(place),
            text.title(item.wanted.model, item.wanted.version, item.wanted.replicate),
            item.verdict.value.replace("_", " "),
            text.one_line(item.reason),
            item.wanted.options.describe(),
        )
        for place, item in enumerate(shown, 1)
    )
    if rows:
        draw(Table(columns=("#", "model:version", "verdict", "why", "options"), rows=rows))
    for fault in found.faults.values():
        say(f"fault: {text.one_line(fault, 500)}")
    due = sum(item.verdict.value == "due" for item in items)
    hidden = "" if everything or not done else " (see them: --all)"
    say(f"{text.many(len(items), 'version')}: {due} due, {done} done{hidden}.")
    if due and not scheduler_line(project).running:
        say("Run them: mlpipeline -r -u")


@click.command()
@click.argument("what", metavar="MODEL[:VERSION]|RUN", shell_complete=complete_model)
@shared
@click.pass_obj
def why(setup: Setup, what: str) -> None:
    """Say why a model, a version or a run is as it is, and what to do about it.

    \b
    mlpipeline why digits.py         every version of a listed model
    mlpipeline why digits.py:wide    one of them
    mlpipeline why 20261121-04       one run
    """
    from mlpipeline.errors import ConfigurationError, RunNotFound

    project = setup.project()
    fault = None
    try:
        answers = _ahead(project, what)
    except ConfigurationError as error:
        # A faulty config must not hide what is recorded.
        answers, fault = [], error
    if not answers:
        try:
            answers = [_behind(project, what)]
        except RunNotFound as error:
            message = f"'{what}' is neither a listed model nor a run: see mlpipeline plan and mlpipeline history"
            raise fault or RunNotFound(message) from error
    if setup.json:
        setup.emit({"format": 1, "answers": answers})
        return
    for each in answers:
        say(each["sentence"])


def _behind(project: Project, what: str) -> dict[str, Any]:
    from mlpipeline.ledger import Ledger
    from mlpipeline.observe.view import why_run

    with closing(Ledger.open_readonly(project.ledger_path)) as ledger:
        run, _ = find_run(project, ledger, what)
    return {
        "model": run.model,
        "version": run.version,
        "replicate": run.replicate,
        "verdict": run.state.value,
        "run": run.id,
        "sentence": why_run(run, now()),
    }


def _ahead(project: Project, what: str) -> list[dict[str, Any]]:
    """Answers from the plan; nothing where `what` is not listed."""
    from mlpipeline import selection as selections
    from mlpipeline.cli.setup import model_names
    from mlpipeline.errors import ConfigurationError

    model, _, version = what.partition(":")
    names = model_names(project, model)
    selection = selections.read(project, test=False)
    if not selection.usable:
        raise ConfigurationError(faults=selection.faults)
    listed = [each.model for each in selection.models if each.model in names]
    if not listed:
        return []
    from mlpipeline.queue.launch import preview

    found = preview(project)
    if listed[0] in found.faults:
        return [{"model": listed[0], "verdict": "faulty", "sentence": f"fault: {found.faults[listed[0]]}"}]
    items = [item for item in found.plan.items if item.wanted.model == listed[0]]
    return [_answer(project, item) for item in items if version in ("", item.wanted.version)]


def _answer(project: Project, item: Item) -> dict[str, Any]:
    from mlpipeline.observe import text

    wanted = item.wanted
    about = _item(item)
    past = "" if item.standing is None else _behind(project, item.standing.run_id)["sentence"]
    if past and item.verdict.value in ("done", "failed"):
        return about | {"sentence": past}
    told = f"{text.title(wanted.model, wanted.version, wanted.replicate)} is {item.verdict.value.replace('_', ' ')}"
    told += f": {text.one_line(item.reason, 500)}."
    if item.verdict.value == "due" and not scheduler_line(project).running:
        told += " It runs with: mlpipeline -r -u"
    return about | {"sentence": f"{told} {past}".rstrip()}
