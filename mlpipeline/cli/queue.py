"""What runs without a command: the queue, in test or execution mode."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from mlpipeline.cli import own_commands
from mlpipeline.cli.commands import COMMANDS
from mlpipeline.cli.setup import Setup, shared

if TYPE_CHECKING:
    from mlpipeline.project import Project

EXECUTORS = "local, inline, slurm, ray"
_NOT_IN_A_DRILL = ("run", "use_history", "slots", "executor", "watch", "pdb")


class QueueContext(click.Context):
    """Is called like the whole program in messages."""

    @property
    def command_path(self) -> str:
        """The program's name: this command has none."""
        return self.parent.command_path if self.parent is not None else "mlpipeline"


class QueueCommand(click.Command):
    """The command without a name."""

    context_class = QueueContext


def complete_model(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offers the files of the models directory."""
    from mlpipeline.errors import MlpipelineError
    from mlpipeline.project import Project

    setup = ctx.find_root().obj or Setup()
    try:
        root = None if setup.project_dir is None else Path(setup.project_dir)
        project = Project.load(root, host=setup.host)
    except MlpipelineError:
        return []
    return [CompletionItem(name) for name in files_of(project) if name.startswith(incomplete)]


def files_of(project: Project) -> list[str]:
    """Returns the names of all files that may be models."""
    outputs = project.outputs_dir
    files = (each for kind in ("*.py", "*.yaml") for each in project.models_dir.rglob(kind))
    names = (each.relative_to(project.models_dir).as_posix() for each in files if outputs not in each.parents)
    return [name for name in sorted(names) if name[0] not in "_."]


@click.command(cls=QueueCommand, add_help_option=False)
@click.argument("models", metavar="[MODEL[:VERSION]]...", nargs=-1, shell_complete=complete_model)
@click.option("-r", "--run", is_flag=True, help="Execution mode: train for real, and record it.")
@click.option(
    "-u", "--use-history", is_flag=True, help="Skip versions that are done, resume those that were interrupted."
)
@click.option("-n", "--no-log", "--no_log", is_flag=True, help="Write nothing to the log and output files.")
@click.option(
    "-j",
    "--slots",
    metavar="N",
    type=click.IntRange(1, 100_000),
    help="So many runs at a time. Default: mlp.config's slots.",
)
@click.option("--executor", metavar="NAME", help=f"Where runs happen ({EXECUTORS}). Default: mlp.config's.")
@click.option("--watch", is_flag=True, help="With -r: stay, and wait for edits when nothing is due.")
@click.option("--pdb", is_flag=True, help="Test mode in this process, with the debugger at the exception.")
@click.option(
    "--drill", is_flag=True, help="Prove resumption: train some steps straight, then with a kill -9, and compare."
)
@click.option("--drill-steps", metavar="N", type=click.IntRange(min=2), help="With --drill: how many steps (20).")
@shared
@click.pass_context
def queue(context: click.Context, /, **given: Any) -> None:
    """Runs the queue."""
    from mlpipeline.cli.beside import run_queue
    from mlpipeline.queue.options import Options

    setup: Setup = context.find_root().obj
    _check(context, given)
    project = setup.project()
    names = tuple(name.removeprefix("./") for name in given["models"])
    _check_word(context, project, given["models"])
    if given["drill"]:
        from mlpipeline.cli.drill import drill

        context.exit(drill(setup, project, names, given["drill_steps"]))
    options = Options(
        mode="execution" if given["run"] else "test",
        use_history=given["use_history"],
        watch=given["watch"],
        names=names,
        slots=given["slots"],
        executor=given["executor"],
        write_files=not given["no_log"],
        pdb=given["pdb"],
        quiet=setup.json,
    )
    status = run_queue(project, options)
    if setup.json:
        setup.emit({"format": 1, "mode": options.mode, "exit_status": status} | _summary(project, options.mode))
    elif given["run"]:
        _tell_standing(project)
    context.exit(status)


def _check(context: click.Context, given: dict[str, Any]) -> None:
    if given["pdb"] and given["run"]:
        raise click.UsageError("--pdb is for test mode: leave -r out", context)
    if given["pdb"] and given["executor"] not in (None, "inline"):
        raise click.UsageError("--pdb runs in this process: leave --executor out", context)
    if given["watch"] and not given["run"]:
        raise click.UsageError("--watch goes with -r: mlpipeline -r -u --watch", context)
    if given["drill_steps"] and not given["drill"]:
        raise click.UsageError("--drill-steps goes with --drill: mlpipeline --drill --drill-steps 50", context)
    others = [f"--{name.replace('_', '-')}" for name in _NOT_IN_A_DRILL if given[name]]
    if given["drill"] and others:
        raise click.UsageError(f"--drill runs and records nothing else: leave {', '.join(others)} out", context)


def _check_word(context: click.Context, project: Project, words: tuple[str, ...]) -> None:
    """Takes a first word that is nearly a command for a slip, unless there is such a model."""
    from mlpipeline.config_text import near_miss

    word = words[0] if words else ""
    if not word or word in COMMANDS or any(mark in word for mark in "./:"):  # named on purpose
        return
    if any((project.models_dir / f"{word}{ending}").exists() for ending in ("", ".py", ".yaml")):
        return
    hint = near_miss(word, [*COMMANDS, *own_commands.every(project.root)])
    if hint:
        raise click.UsageError(f"There is no model and no command '{word}'.{hint}", context)


def _summary(project: Project, mode: str) -> dict[str, Any]:
    from mlpipeline import wire

    if mode == "test":
        return {}
    status = wire.read_json(project.status_path) or {}
    return {name: status.get(name) for name in ("counts", "finished", "faults")}


def _tell_standing(project: Project) -> None:
    """Says that nothing was due, and what stands failed from before, with how to try it again."""
    found = _summary(project, "execution")
    counts, finished = found["counts"] or {}, found["finished"] or {}
    if counts and not any(finished.values()) and not found["faults"]:
        told = ", ".join(f"{count} {verdict.replace('_', ' ')}" for verdict, count in counts.items())
        click.echo(f"Nothing was trained: {told}. What, and why: mlpipeline plan --all", err=True)
    standing = counts.get("failed", 0) + counts.get("gave_up", 0)
    earlier = standing - sum(finished.get(state, 0) for state in ("failed", "lost", "cancelled"))
    if earlier > 0:
        click.echo(f"{earlier} failed earlier: mlpipeline retry --failed", err=True)
