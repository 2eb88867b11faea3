"""Commands that ask something of the scheduler about runs: cancel, retry, note."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mlpipeline.cli.setup import Setup, check_is_there, find_run, say, scheduler_line, shared

if TYPE_CHECKING:
    from mlpipeline.project import Project
    from mlpipeline.run import Run

_WAIT_SECONDS = 60.0
_NOT_RUNNING = "carried out when the scheduler runs: it is not running (mlpipeline start, or mlpipeline -r -u)"
_Function = TypeVar("_Function", bound=Callable[..., Any])

wait_option = click.option("--wait", is_flag=True, help="Wait until the scheduler has answered.")


def asking(function: _Function) -> _Function:
    """Adds --wait, --key and --dry-run to a command that asks."""
    key = click.option(
        "--key", metavar="TEXT", help="Of several requests with the same key only the first is carried out."
    )
    dry = click.option("--dry-run", is_flag=True, help="Check what is asked, and ask nothing.")
    return wait_option(key(dry(function)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be asked."""

    action: str
    target: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How it is asked: see `asking`."""

    wait: bool = False
    key: str | None = None
    dry_run: bool = False


def ask(setup: Setup, project: Project, wishes: Sequence[Wish], manner: Manner) -> bool:
    """Submits requests and says what becomes of them. Returns whether none was refused."""
    check_is_there(project)
    is_running = scheduler_line(project).running
    told: list[dict[str, Any]] = []
    is_good = True
    # The last is asked first: where the first of a key is known, all of them are, also after a crash in between; and
    # what `now` names first is put before what it names after it.
    for place, wish in reversed(list(enumerate(wishes))):
        about, answer_ok, line = _ask_one(project, wish, manner, place, is_running=is_running)
        told.insert(0, about)
        is_good = is_good and answer_ok
        if not setup.json:
            say(line)
    if setup.json:
        setup.emit({"format": 1, "scheduler_running": is_running, "dry_run": manner.dry_run, "requests": told})
    elif not is_running and not manner.dry_run:
        say(_NOT_RUNNING)
    return is_good


def _ask_one(
    project: Project, wish: Wish, manner: Manner, place: int, *, is_running: bool
) -> tuple[dict[str, Any], bool, str]:
    from mlpipeline import requests

    name = f"{wish.action} {wish.target}".strip()
    about: dict[str, Any] = {"request": None, "action": wish.action, "target": wish.target, "answer": None}
    if manner.dry_run:
        return about, True, f"{name}: would be asked"
    # Several wishes of one command are one thing to who chose the key, and several requests.
    key = manner.key if manner.key is None or place == 0 else f"{manner.key}#{place}"
    identity = requests.submit(project, wish.action, wish.target, wish.options, key=key)
    answer = requests.wait_answer(project, identity, _WAIT_SECONDS) if manner.wait and is_running else None
    about["request"] = identity
    if answer is None:
        return about, True, f"{name}: accepted"
    about["answer"] = {"ok": answer.ok, "message": answer.message}
    return about, answer.ok, f"{name}: {answer.message if answer.ok else f'refused: {answer.message}'}"


def asked_before(setup: Setup, project: Project, manner: Manner) -> bool:
    """Whether a request with this key was carried out; says what became of it.

    Raises:
        click.exceptions.Exit: it was refused then.
    """
    from mlpipeline.ledger import Ledger

    if manner.key is None:
        return False
    with closing(Ledger.open_readonly(project.ledger_path)) as ledger:
        told = ledger.answer("", manner.key)
    if told is None:
        return False
    request, answer = told["request"], {"ok": told["ok"], "message": told["message"]}
    about = {"request": request["id"], "action": request["action"], "target": request["target"], "answer": answer}
    if setup.json:
        setup.emit({"format": 1, "dry_run": manner.dry_run, "requests": [about]})
    else:
        what = "carried out" if told["ok"] else "refused"
        say(f"{request['action']} {request['target']}: {what} before: {told['message']}")
    if not told["ok"]:
        raise click.exceptions.Exit(1)
    return True


@click.command()
@click.argument("runs", metavar="RUN...", nargs=-1, required=True)
@asking
@shared
@click.pass_context
def cancel(context: click.Context, /, runs: tuple[str, ...], **manner: Any) -> None:
    """End runs that are running, with every process of theirs.

    A cancelled version stays cancelled until its code or parameters change, or until: mlpipeline retry RUN.
    RUN is an id or the beginning of it, or MODEL:VERSION.

    \b
    mlpipeline cancel 20261121-0405
    """
    from mlpipeline.errors import RequestRefused

    setup: Setup = context.find_root().obj
    project = setup.project()
    if asked_before(setup, project, Manner(**manner)):
        return
    found = _runs(project, runs)
    for run in found:
        if run.state.is_final:
            raise RequestRefused(
                f"run {run.id} is not running: it {_was(run.state.value)}. To keep its model from running: "
                f"mlpipeline hold {run.model}"
            )
    wishes = [Wish(action="cancel", target=run.id) for run in found]
    context.exit(0 if ask(setup, project, wishes, Manner(**manner)) else 1)


@click.command()
@click.argument("runs", metavar="[RUN]...", nargs=-1)
@click.option("--failed", is_flag=True, help="All that stands failed, cancelled or lost.")
@click.option("--model", "models", multiple=True, metavar="MODEL", help="Of these only those of a model.")
@click.option(
    "--cause",
    "causes",
    multiple=True,
    metavar="CAUSE",
    help="Of these only those that ended of a cause: exception, out_of_memory, time_limit, ... (docs/run-states.md).",
)
@asking
@shared
@click.pass_context
def retry(
    context: click.Context,
    /,
    runs: tuple[str, ...],
    failed: bool,
    models: tuple[str, ...],
    causes: tuple[str, ...],
    **manner: Any,
) -> None:
    """Let runs that failed, were cancelled or lost run again, from their last checkpoint where there is one.

    RUN is an id or the beginning of it, or MODEL:VERSION. The next attempt uses the code of the first one; edited code
    is due by itself.

    \b
    mlpipeline retry digits.py:wide
    mlpipeline retry --failed
    mlpipeline retry --failed --model lm.py --cause time_limit
    """
    _check_filters(context, runs, failed, models, causes)
    setup: Setup = context.find_root().obj
    project = setup.project()
    if asked_before(setup, project, Manner(**manner)):
        return
    found = _chosen(project, models, causes) if failed else _retriable(project, runs)
    if not found and not setup.json:
        say("Nothing stands failed." if not (models or causes) else "Nothing that stands failed is like that.")
        return
    wishes = [Wish(action="retry", target=each) for each in found]
    context.exit(0 if ask(setup, project, wishes, Manner(**manner)) else 1)


def _check_filters(
    context: click.Context, runs: Sequence[str], failed: bool, models: Sequence[str], causes: Sequence[str]
) -> None:
    from mlpipeline.config_text import near_or_known
    from mlpipeline.run import Cause

    if not failed and (models or causes):
        raise click.UsageError("--model and --cause go with --failed: mlpipeline retry --failed --model ...", context)
    if bool(runs) == failed:
        raise click.UsageError("Name runs, or say --failed (not both)", context)
    known = [each.value for each in Cause]
    for cause in causes:
        if cause not in known:
            raise click.UsageError(f"There is no cause '{cause}'.{near_or_known(cause, known)}", context)


def _retriable(project: Project, references: Sequence[str]) -> list[str]:
    from mlpipeline.errors import RequestRefused
    from mlpipeline.run import OUTSIDE, State, refusal

    found = _runs(project, references)
    for run in found:
        if run.last.executor in OUTSIDE:
            raise RequestRefused(f"run {run.id} was {refusal(run.last.executor)}")
        if run.state not in (State.FAILED, State.CANCELLED, State.LOST):
            raise RequestRefused(
                f"run {run.id} {_was(run.state.value)}: only what failed, was cancelled or lost runs again"
            )
    return [run.id for run in found]


def _was(state: str) -> str:
    """Returns a state as a sentence goes on: it succeeded, it was submitted, it is running."""
    return {"running": "is running"}.get(
        state, state if state in ("succeeded", "failed", "yielded") else f"was {state}"
    )


def _chosen(project: Project, models: Sequence[str], causes: Sequence[str]) -> list[str]:
    from mlpipeline.cli.setup import model_names

    names = {name for each in models for name in model_names(project, each)}
    return [
        run.id
        for run in standing_failed(project)
        if (not models or run.model in names) and (not causes or run.last.cause.value in causes)
    ]


def _runs(project: Project, references: Sequence[str]) -> list[Run]:
    from mlpipeline.ledger import Ledger

    with closing(Ledger.open_readonly(project.ledger_path)) as ledger:
        return [find_run(project, ledger, reference)[0] for reference in references]


def standing_failed(project: Project) -> list[Run]:
    """Returns the runs whose failure is the last word on their version and code, oldest first."""
    from mlpipeline.ledger import Key, Ledger
    from mlpipeline.run import OUTSIDE, State

    with closing(Ledger.open_readonly(project.ledger_path)) as ledger:
        ended = ledger.runs(states=frozenset({State.FAILED, State.CANCELLED, State.LOST}))
        runs = [run for run in ended if run.last.executor not in OUTSIDE]
        keys = {run.id: Key(run.model, run.version, run.replicate, run.params_digest, run.code_digest) for run in runs}
        standings = ledger.standings(list(dict.fromkeys(keys.values())), match=project.settings.rerun_on)
    last = {standing.run_id for standing in standings.values()}
    return [run for run in reversed(runs) if run.id in last and not run.retry_asked]


@click.command()
@click.argument("run", metavar="RUN")
@click.argument("text", nargs=-1, required=True)
@asking
@shared
@click.pass_context
def note(context: click.Context, /, run: str, text: tuple[str, ...], **manner: Any) -> None:
    """Note something on a run; `show` and the journal tell it.

    \b
    mlpipeline note digits.py:wide "warm-up was too short"
    """
    if not " ".join(text).strip():
        raise click.UsageError("Say what is to be noted: mlpipeline note RUN TEXT", context)
    setup: Setup = context.find_root().obj
    project = setup.project()
    (found,) = _runs(project, [run])
    wish = Wish(action="note", target=found.id, options={"text": " ".join(text)})
    context.exit(0 if ask(setup, project, [wish], Manner(**manner)) else 1)
