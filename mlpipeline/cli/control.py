"""Commands that ask something of the scheduler: cancel, retry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

import click

from mlpipeline.cli.setup import Setup, find_run, say, scheduler_line, shared

if TYPE_CHECKING:
    from mlpipeline.project import Project

_WAIT_SECONDS = 60.0
_NOT_RUNNING = "carried out when the scheduler runs: it is not running (mlpipeline start, or mlpipeline -r -u)"

wait_option = click.option("--wait", is_flag=True, help="Wait until the scheduler has answered.")


def ask(setup: Setup, project: Project, wishes: Sequence[tuple[str, str, Mapping[str, Any]]], *, wait: bool) -> bool:
    """Submits requests (action, target, options) and says what becomes of them. Returns whether none was refused."""
    from mlpipeline import requests

    is_running = scheduler_line(project).running
    told, is_good = [], True
    for action, target, options in wishes:
        identity = requests.submit(project, action, target, options)
        answer = requests.wait_answer(project, identity, _WAIT_SECONDS) if wait and is_running else None
        about: dict[str, Any] = {"request": identity, "action": action, "target": target}
        told.append(about | {"answer": None if answer is None else {"ok": answer.ok, "message": answer.message}})
        is_good = is_good and (answer is None or answer.ok)
        if not setup.json:
            outcome = "accepted" if answer is None else answer.message if answer.ok else f"refused: {answer.message}"
            say(f"{action} {target}".strip() + f": {outcome}")
    if setup.json:
        setup.emit({"format": 1, "scheduler_running": is_running, "requests": told})
    elif not is_running:
        say(_NOT_RUNNING)
    return is_good


@click.command()
@click.argument("runs", metavar="RUN...", nargs=-1, required=True)
@wait_option
@shared
@click.pass_context
def cancel(context: click.Context, runs: tuple[str, ...], wait: bool) -> None:
    """End runs that are running, with every process of theirs.

    A cancelled version stays cancelled until its code or parameters change, or until: mlpipeline retry RUN.
    RUN is an id or the beginning of it, or MODEL:VERSION.

    \b
    mlpipeline cancel 20261121-0405
    """
    from mlpipeline.errors import RequestRefused
    from mlpipeline.ledger import Ledger

    setup: Setup = context.find_root().obj
    project = setup.project()
    found = []
    with closing(Ledger.open_readonly(project.ledger_path)) as ledger:
        for reference in runs:
            run, _ = find_run(project, ledger, reference)
            if run.state.is_final:
                raise RequestRefused(
                    f"run {run.id} is not running: it {run.state.value}. To keep its model from running, take it off "
                    "models.config or give it the option hold"
                )
            found.append(run.id)
    context.exit(0 if ask(setup, project, [("cancel", each, {}) for each in found], wait=wait) else 1)


@click.command()
@click.argument("runs", metavar="RUN...", nargs=-1)
@click.option("--failed", is_flag=True, help="All that stands failed, cancelled or lost.")
@wait_option
@shared
@click.pass_context
def retry(context: click.Context, runs: tuple[str, ...], failed: bool, wait: bool) -> None:
    """Let runs that failed, were cancelled or lost run again, from their last checkpoint where there is one.

    RUN is an id or the beginning of it, or MODEL:VERSION. The next attempt uses the code of the first one; edited code
    is due by itself.

    \b
    mlpipeline retry digits.py:wide
    mlpipeline retry --failed
    """
    from mlpipeline.errors import RequestRefused
    from mlpipeline.ledger import Ledger
    from mlpipeline.run import State

    if bool(runs) == failed:
        raise click.UsageError("Name runs, or say --failed (not both)", context)
    setup: Setup = context.find_root().obj
    project = setup.project()
    if failed:
        found = standing_failed(project)
    else:
        found = []
        with closing(Ledger.open_readonly(project.ledger_path)) as ledger:
            for reference in runs:
                run, _ = find_run(project, ledger, reference)
                if run.state not in (State.FAILED, State.CANCELLED, State.LOST):
                    raise RequestRefused(
                        f"run {run.id} is {run.state.value}: only what failed, was cancelled or lost runs again"
                    )
                found.append(run.id)
    if not found and not setup.json:
        say("Nothing stands failed.")
        return
    context.exit(0 if ask(setup, project, [("retry", each, {}) for each in found], wait=wait) else 1)


def standing_failed(project: Project) -> list[str]:
    """Returns ids of the runs whose failure is the last word on their version and code, oldest first."""
    from mlpipeline.ledger import Key, Ledger
    from mlpipeline.run import State

    with closing(Ledger.open_readonly(project.ledger_path)) as ledger:
        runs = ledger.runs(states=frozenset({State.FAILED, State.CANCELLED, State.LOST}))
        keys = {run.id: Key(run.model, run.version, run.replicate, run.params_digest, run.code_digest) for run in runs}
        standings = ledger.standings(list(dict.fromkeys(keys.values())), match=project.settings.rerun_on)
    last = {standing.run_id for standing in standings.values()}
    return [run.id for run in reversed(runs) if run.id in last and not run.retry_asked]
