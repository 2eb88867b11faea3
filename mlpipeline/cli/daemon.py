"""The scheduler in the background: start, stop."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlpipeline.cli.control import Manner, Wish, ask, wait_option
from mlpipeline.cli.queue import EXECUTORS, complete_model
from mlpipeline.cli.setup import Setup, check_is_there, say, scheduler_line, shared
from mlpipeline.execution.environment import PACKAGE_PARENT

if TYPE_CHECKING:
    from mlpipeline.project import Project

_START_SECONDS = 20.0
_STOP_SECONDS = 3600.0
_POLL_SECONDS = 0.02


@click.command()
@click.argument("models", metavar="[MODEL[:VERSION]]...", nargs=-1, shell_complete=complete_model)
@click.option(
    "-j",
    "--slots",
    metavar="N",
    type=click.IntRange(1, 100_000),
    help="So many runs at a time. Default: mlp.config's slots.",
)
@click.option("--executor", metavar="NAME", help=f"Where runs happen ({EXECUTORS}). Default: mlp.config's.")
@shared
@click.pass_context
def start(context: click.Context, models: tuple[str, ...], slots: int | None, executor: str | None) -> None:
    """Run the queue in the background (mlpipeline -r -u --watch), detached from this terminal, and print its pid.

    It trains what models.config lists, then waits for edits of the file and of the models. See it with
    mlpipeline status; end it with mlpipeline stop.

    \b
    mlpipeline start
    mlpipeline start -j 2
    """
    from mlpipeline.errors import SchedulerRunning

    setup: Setup = context.find_root().obj
    project = setup.project()
    check_is_there(project)
    line = scheduler_line(project)
    if line.running:
        raise SchedulerRunning(f"a scheduler runs already (pid {line.pid} on {line.host}): mlpipeline stop ends it")
    flags = {"--host": setup.host, "--slots": slots, "--executor": executor}
    command = [sys.executable, "-m", "mlpipeline", "-r", "-u", "--watch", "--project", str(project.root)]
    command += [word for name, value in flags.items() if value is not None for word in (name, str(value))]
    pid, failure = _launch(project, [*command, "--", *models])
    if failure is not None:
        click.echo(_said(failure[1], setup), err=True, nl=False)
        context.exit(failure[0] or 1)
    if setup.json:
        setup.emit({"format": 1, "pid": pid, "log": str(project.log_path)})
    else:
        say(f"{pid}")
        click.echo(f"The scheduler runs (pid {pid}); its log: {project.log_path}", err=True)


def _said(output: str, setup: Setup) -> str:
    """Returns what a scheduler said that did not start, without the warnings that stand on the screen already."""
    known = {f"mlpipeline: warning: {each}" for each in setup.warned}
    return "".join(line for line in output.splitlines(keepends=True) if line.rstrip("\n") not in known)


def _launch(project: Project, command: list[str]) -> tuple[int, tuple[int, str] | None]:
    """Starts the scheduler and waits until it is at work. Returns its pid, and how it ended if it did.

    It is at work once it says so: with the lock in hand it may still find a ledger or orders that are damaged.
    """
    from mlpipeline import wire
    from mlpipeline.errors import NotWritable
    from mlpipeline.filesystems import remedy
    from mlpipeline.observe.text import plain

    output = project.outputs_dir / f"start-{project.host}.log"
    try:
        project.outputs_dir.mkdir(parents=True, exist_ok=True)
        with output.open("wb") as file:
            process = _spawn(command, file)
    except OSError as error:
        raise NotWritable(f"{output} cannot be written {remedy(error, output)}") from error
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if (wire.read_json(project.status_path) or {}).get("pid") == process.pid:
            break
        time.sleep(_POLL_SECONDS)
    status = process.poll()
    process.returncode = status or 0  # it is to outlive us: the interpreter must not warn about a child left behind
    return process.pid, None if status is None else (status, plain(_read(output)))


def _spawn(command: list[str], output: Any) -> subprocess.Popen[bytes]:
    # Its diagnostics for a failed start go to a file of their own; what it says while it works is in the log.
    environment = {"PYTHONPATH": python_path()}
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        env=_environment(environment),
    )


def _environment(more: dict[str, str]) -> dict[str, str]:
    import os

    return dict(os.environ) | {name: value for name, value in more.items() if value}


def python_path() -> str:
    """Returns a PYTHONPATH by which what is started is this very package, also when it is not installed."""
    import os

    parts = [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part]
    return os.pathsep.join(dict.fromkeys([*parts, PACKAGE_PARENT]))


def _read(path: Path) -> str:
    return path.read_text("utf-8", "replace")


@click.command()
@click.option("--now", is_flag=True, help="End the runs now; they go on from their last checkpoint later.")
@click.option("--detach", is_flag=True, help="Leave the runs running; the next scheduler takes their results.")
@wait_option
@shared
@click.pass_context
def stop(context: click.Context, now: bool, detach: bool, wait: bool) -> None:
    """Stop the scheduler of this project: nothing new starts, and runs go at their next checkpoint or end.

    \b
    mlpipeline stop
    mlpipeline stop --now --wait
    """
    if now and detach:
        raise click.UsageError("--now ends the runs, --detach leaves them running: choose one", context)
    setup: Setup = context.find_root().obj
    project = setup.project()
    if not scheduler_line(project).running:
        # A request would lie there and end the next scheduler at its start.
        if setup.json:
            setup.emit({"format": 1, "scheduler_running": False, "requests": []})
        else:
            say(f"No scheduler runs on {project.host}: nothing to stop.")
        return
    is_good = ask(setup, project, [Wish(action="stop", options={"now": now, "detach": detach})], Manner(wait=wait))
    deadline = time.monotonic() + _STOP_SECONDS
    while wait and scheduler_line(project).running and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    context.exit(0 if is_good else 1)
