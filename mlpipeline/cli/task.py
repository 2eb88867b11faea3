"""The command that runs the project's tasks: functions, or classes with `main`, in tasks/*.py."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from mlpipeline.cli.fit import OPEN
from mlpipeline.cli.setup import Setup, draw, say, shared
from mlpipeline.cli.shells import environment_of
from mlpipeline.execution.environment import PACKAGE_PARENT

if TYPE_CHECKING:
    from mlpipeline.project import Project

DIRECTORY = "tasks"
_CODE = (
    "import sys; sys.path[:] = [p for p in sys.path if p] + [sys.argv[1]]; "
    "from mlpipeline.cli.task_process import main; main(sys.argv[2])"
)


def complete_task(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offers tasks by reading their files alone."""
    from mlpipeline.errors import MlpipelineError

    setup = ctx.find_root().obj or Setup()
    try:
        root = setup.project().root
    except MlpipelineError:
        return []
    return [CompletionItem(name) for name in sorted(_names(root)) if name.startswith(incomplete)]


def _names(root: Path) -> list[str]:
    """Returns what looks like a task, without importing anything."""
    import ast
    import contextlib

    found = []
    for path in (root / DIRECTORY).glob("[!_]*.py"):
        with contextlib.suppress(SyntaxError, OSError, ValueError):
            for node in ast.parse(path.read_bytes()).body:
                is_task = isinstance(node, ast.FunctionDef) or (
                    isinstance(node, ast.ClassDef)
                    and any(isinstance(each, ast.FunctionDef) and each.name == "main" for each in node.body)
                )
                if is_task and not node.name.startswith("_"):  # type: ignore[attr-defined]
                    found.append(f"{path.stem}.{node.name}")  # type: ignore[attr-defined]
    return found


@click.command(context_settings=OPEN)
@click.argument("name", required=False, shell_complete=complete_task)
@click.argument("words", metavar="[--ARGUMENT VALUE]...", nargs=-1, type=click.UNPROCESSED)
@shared
@click.pass_context
def task(context: click.Context, name: str | None, words: tuple[str, ...]) -> None:
    """Run one of the project's tasks, in a process of its own; without NAME, list them.

    A task is a function in tasks/*.py, or a class with main(self, ...). It is called FILE.NAME, or NAME where that is
    enough. Arguments have the types of its signature. What it does stands in tasks.log among the outputs.

    \b
    mlpipeline task
    mlpipeline task clean --days 30
    mlpipeline task reports.weekly --to me@example.org --dry_run
    """
    from mlpipeline.cli import typed
    from mlpipeline.errors import ModelFault, UsageError

    setup: Setup = context.find_root().obj
    project = setup.project()
    found, faults = _described(project)
    if name is None:
        _list(setup, found, faults)
        context.exit(1 if faults else 0)
    full = _chosen(name, found, faults)
    known = {each: typed.Parameter(**told) for each, told in found[full]["arguments"].items()}
    values = typed.values(typed.words(words), known, f"task {full}")
    if missing := [each for each, told in known.items() if told.is_required and each not in values]:
        raise UsageError(f"task {full} needs --{missing[0]}: it has {', '.join(known)}")
    if found[full]["fault"]:
        raise ModelFault(found[full]["fault"])
    context.exit(_run(project, full, values))


def _described(project: Project) -> tuple[dict[str, Any], list[str]]:
    """Returns the tasks by full name, and the faults of files: a child process imports them."""
    with tempfile.TemporaryDirectory(prefix="mlpipeline-tasks-") as place:
        answer = Path(place, "answer.json")
        done = subprocess.run(
            _command(project, Path(place), {"answer": str(answer)}),
            cwd=project.root,
            env=environment_of(project),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if not answer.exists():
            lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
            return {}, [f"{DIRECTORY}: cannot be read: {lines[-1]}"]
        content = json.loads(answer.read_text("utf-8"))
    return content["tasks"], content["faults"]


def _command(project: Project, place: Path, request: dict[str, Any]) -> list[str]:
    path = place / "request.json"
    path.write_text(json.dumps({"root": str(project.root), **request}), "utf-8")
    return [project.settings.python or sys.executable, "-c", _CODE, PACKAGE_PARENT, str(path)]


def _chosen(name: str, found: dict[str, Any], faults: list[str]) -> str:
    from mlpipeline.config_text import near_miss
    from mlpipeline.errors import UsageError

    wanted = name.lower()
    named = [each for each in found if wanted in (each.lower(), each.lower().rpartition(".")[2])]
    if name in found:
        named = [name]
    if len(named) == 1:
        return named[0]
    if named:
        raise UsageError(f"several tasks are called '{name}': {', '.join(named)}")
    near = near_miss(name, [*found, *(each.rpartition(".")[2] for each in found)])
    told = f" There are {', '.join(found)}" if found else f" There are none in {DIRECTORY}/"
    more = "".join(f"\nfault: {fault}" for fault in faults)
    raise UsageError(f"there is no task '{name}'.{near}{told}{more}")


def _list(setup: Setup, found: dict[str, Any], faults: list[str]) -> None:
    from mlpipeline.observe.table import Table

    if setup.json:
        setup.emit({"format": 1, "tasks": found, "faults": faults})
        return
    for fault in faults:
        click.echo(f"mlpipeline: fault: {fault}", err=True)
    rows = []
    for name, told in found.items():
        words = [
            f"--{each}" + ("" if about["is_required"] else f"={about['default']}")
            for each, about in told["arguments"].items()
        ]
        rows.append((name, " ".join(words), told["doc"]))
    if rows:
        draw(Table(columns=("task", "arguments", "what it does"), rows=tuple(rows)))
    else:
        say(f"There are no tasks: write a function into {DIRECTORY}/NAME.py")


def _run(project: Project, name: str, values: dict[str, Any]) -> int:
    """Runs a task to its end, and returns its exit status. Ctrl-C goes to it as well as to this process."""
    import contextlib

    project.outputs_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="mlpipeline-task-") as place:
        request = {"task": name, "values": values, "log": str(project.outputs_dir / "tasks.log")}
        process = subprocess.Popen(
            _command(project, Path(place), request), cwd=project.root, env=environment_of(project)
        )
        while True:
            with contextlib.suppress(KeyboardInterrupt):
                status = process.wait()
                break
    return 130 if status in (-2, 130) else 128 - status if status < 0 else status
