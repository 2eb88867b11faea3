"""The command that trains one version now, with other parameters."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import click

from mlpipeline.cli.queue import complete_model
from mlpipeline.cli.setup import Setup, say, shared

if TYPE_CHECKING:
    from mlpipeline.project import Project
    from mlpipeline.queue.by_hand import Fit, Target
    from mlpipeline.rundir import Outcome

OPEN = {"ignore_unknown_options": True, "allow_extra_args": True}
"""A command that takes any option: parameters have addresses of their own."""
_STATUS = {"succeeded": 0, "cancelled": 130}


@click.command(context_settings=OPEN)
@click.argument("model", metavar="MODEL[:VERSION]", shell_complete=complete_model)
@click.argument("words", metavar="[--PARAMETER VALUE]...", nargs=-1, type=click.UNPROCESSED)
@click.option("--set", "sets", multiple=True, metavar="NAME=VALUE", help="A parameter; may be given again.")
@click.option("--list", "listing", is_flag=True, help="Show all parameters, with types and values, and train nothing.")
@shared
@click.pass_context
def fit(context: click.Context, model: str, words: tuple[str, ...], sets: tuple[str, ...], listing: bool) -> None:
    """Train one version now, in the foreground, perhaps with other parameters. It is a run like any other.

    Without :VERSION (or with :MODEL) it is the first one. Parameters have addresses, and the types that the script's
    signatures say. Ctrl-C once ends the training after this step, twice ends the process.

    \b
    mlpipeline fit subscribers.py --estimator__max_depth 5 --epochs 20
    mlpipeline fit digits.py:wide --learning_rate 0.01
    mlpipeline fit digits.py --list
    """
    from mlpipeline.cli import model_parameters, typed
    from mlpipeline.queue.by_hand import Fit, target

    setup: Setup = context.find_root().obj
    project = setup.project()
    name, version = model_of(project, model)
    texts = typed.words(words, sets)
    found = target(project, name)
    chosen = found.version(version)
    known = model_parameters.ask(project, found.description.model, chosen, found.python) if texts or listing else {}
    if listing:
        _list(setup, known)
        return
    changes = typed.values(texts, known, f"{found.description.model}:{chosen}")
    made = Fit(found, chosen, changes)
    if not setup.json:
        _announce(found, chosen, made, changes)
    outcome = _trained(made, quiet=setup.json)
    _report(setup, made, outcome)
    context.exit(_STATUS.get(outcome.state.value, 1))


def model_of(project: Project, text: str) -> tuple[str, str]:
    """Splits `models/digits.py:wide`; `:MODEL`, the name that every script gives its model, is no version."""
    name, _, version = text.removeprefix("./").partition(":")
    prefix = f"{project.relative(project.models_dir)}/"
    return name.removeprefix(prefix), "" if version == "MODEL" else version


def _announce(found: Target, version: str, made: Fit, changes: dict[str, Any]) -> None:
    told = "".join(f" {name}={value!r}" for name, value in changes.items())
    say(f"run {made.run_id}: {found.description.model}:{version}{' with' + told if told else ''}")


def _list(setup: Setup, known: dict[str, Any]) -> None:
    from mlpipeline.cli.setup import draw
    from mlpipeline.observe.table import Table

    if setup.json:
        rows = {name: {"kinds": each.kinds, "value": each.default} for name, each in known.items()}
        setup.emit({"format": 1, "parameters": rows})
        return
    table = tuple((f"--{name}", each.kinds or "any", each.default or "") for name, each in known.items())
    draw(Table(columns=("parameter", "type", "value"), rows=table))


def _trained(made: Fit, *, quiet: bool) -> Outcome:
    """Trains, passes the wish to end on, and returns how it ended."""
    from mlpipeline.observe.text import plain

    def show(text: str) -> None:
        if not quiet:
            click.echo(plain(text), nl=False)

    def ended(*_: Any) -> None:
        del wishes[1:]
        raise KeyboardInterrupt

    wishes = ["cancel", "stop"]
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, ended)
    made.start()
    try:
        while True:
            try:
                outcome = made.wait(show)
                break
            except KeyboardInterrupt:
                if wishes:
                    made.ask(wishes.pop())
                    told = "ending after this step; Ctrl-C again ends it now" if wishes else "ending it now"
                    click.echo(f"mlpipeline: {told}", err=True)
    finally:
        made.close()
    return outcome


def _report(setup: Setup, made: Fit, outcome: Outcome) -> None:
    from mlpipeline.observe import text

    recorded = made.record()
    if setup.json:
        told: dict[str, Any] = {"run": made.run_id, "state": outcome.state.value, "cause": outcome.cause.value}
        told |= {"message": outcome.message, "metrics": outcome.metrics, "recorded": recorded}
        setup.emit({"format": 1, **told})
        return
    shown = "; ".join(filter(None, [outcome.message, text.metrics(outcome.metrics)]))
    say(f"{outcome.state.value} run {made.run_id}" + (f": {shown}" if shown else ""))
    if recorded:
        say(f"See more: mlpipeline show {made.run_id}")
    else:
        say("The scheduler does not answer: it will be in the history when it, or the next one, goes on")
