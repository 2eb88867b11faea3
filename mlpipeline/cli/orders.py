"""Commands that change the order of things until further notice: hold, release, now, pause, resume."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

import click

from mlpipeline.cli.control import Manner, Wish, ask, asking
from mlpipeline.cli.queue import complete_model, files_of
from mlpipeline.cli.setup import Setup, say, shared

if TYPE_CHECKING:
    from mlpipeline.project import Project

_targets = click.argument("targets", metavar="[MODEL[:VERSION]]...", nargs=-1, shell_complete=complete_model)
_needed = click.argument(
    "targets", metavar="MODEL[:VERSION]...", nargs=-1, required=True, shell_complete=complete_model
)


def _send(context: click.Context, action: str, targets: Sequence[str], manner: dict[str, Any]) -> None:
    setup: Setup = context.find_root().obj
    project = setup.project()
    names = [_name(project, each) for each in targets] or [""]
    wishes = [Wish(action=action, target=name) for name in names]
    context.exit(0 if ask(setup, project, wishes, Manner(**manner)) else 1)


def _name(project: Project, text: str) -> str:
    """Returns `MODEL[:VERSION]` as lists and ledger write it; a run's id stands for its model and version.

    Raises:
        RequestRefused: there is no such model, neither as a file nor in the ledger.
    """
    from mlpipeline.cli.setup import find_run, model_names
    from mlpipeline.config_text import near_or_known
    from mlpipeline.errors import RequestRefused, RunNotFound
    from mlpipeline.ledger import Ledger

    model, colon, version = text.partition(":")
    for name in model_names(project, model):
        if (project.models_dir / name).is_file():
            _warn_of_version(project, name, version)
            return f"{name}{colon}{version}"
    with closing(Ledger.open_readonly(project.ledger_path)) as ledger:
        try:
            run, _ = find_run(project, ledger, text)
        except RunNotFound as error:
            place = project.relative(project.models_dir)
            meant = near_or_known(model, files_of(project))
            raise RequestRefused(f"'{text}' is no model in {place}/ and no run.{meant}") from error
    return f"{run.model}:{run.version}" if not text.startswith(run.model) or version else run.model


def _warn_of_version(project: Project, model: str, version: str) -> None:
    """Tells of a version that the model did not have when it was last read: the file may have been edited since."""
    from mlpipeline.config_text import near_or_known
    from mlpipeline.queue.catalog import Catalog

    description = Catalog(project, keep=False).known.get(model)
    names = [each.name for each in description.versions] if description else []
    if version and names and version not in names:
        hint = near_or_known(version, names)
        click.echo(
            f"mlpipeline: warning: {model} had no version '{version}' when it was last read, so this may be refused."
            f"{hint} What became of it: mlpipeline status, or ask with --wait",
            err=True,
        )


@click.command()
@_needed
@asking
@shared
@click.pass_context
def hold(context: click.Context, /, targets: tuple[str, ...], **manner: Any) -> None:
    """Keep models or versions from starting. What runs goes on.

    \b
    mlpipeline hold big/lm.py
    mlpipeline hold digits.py:wide
    """
    _send(context, "hold", targets, manner)


@click.command()
@_targets
@asking
@click.option("--yes", is_flag=True, help="With --host: do not ask.")
@shared
@click.pass_context
def release(context: click.Context, /, targets: tuple[str, ...], yes: bool, **manner: Any) -> None:
    """Let models or versions start again that `hold` keeps.

    Without a model, and with --host NAME: free what a host that is gone for good had taken up and not ended, so that
    the others train it.

    \b
    mlpipeline release big/lm.py
    mlpipeline release --host gpu7
    """
    setup: Setup = context.find_root().obj
    if targets:
        _send(context, "release", targets, manner)
        return
    if setup.host is None:
        raise click.UsageError("Name a model, or a host that is gone: --host NAME", context)
    _release_host(setup, setup.host, yes=yes or setup.json, dry_run=manner["dry_run"])


def _release_host(setup: Setup, host: str, *, yes: bool, dry_run: bool) -> None:
    from mlpipeline.errors import NotWritable
    from mlpipeline.filesystems import remedy
    from mlpipeline.queue.claims import Claims

    project = setup.project()
    claims = Claims(project)
    try:
        held = claims.of_host(host)
    except OSError as error:
        told = remedy(error, project.claims_dir)
        raise NotWritable(f"{project.claims_dir} cannot be read {told}; then run release --host again") from error
    if held and not (yes or dry_run):
        say(f"Host {host} has {len(held)} runs under way: {', '.join(held[:5])}{', …' if len(held) > 5 else ''}.")
        click.confirm("If they still run there, they will be trained twice. Free them?", abort=True)
    freed = held if dry_run else claims.release(host)
    if setup.json:
        setup.emit({"format": 1, "host": host, "freed": freed, "dry_run": dry_run})
    else:
        say(f"{'would free' if dry_run else 'freed'}: {', '.join(freed) or 'nothing'}")


@click.command()
@_needed
@asking
@shared
@click.pass_context
def now(context: click.Context, /, targets: tuple[str, ...], **manner: Any) -> None:
    """Run models or versions before all others.

    Where no slot is free, the run that was started last makes a checkpoint, makes room, and goes on afterwards.

    \b
    mlpipeline now digits.py:wide
    """
    _send(context, "now", targets, manner)


@click.command()
@_targets
@asking
@shared
@click.pass_context
def pause(context: click.Context, /, targets: tuple[str, ...], **manner: Any) -> None:
    """Pause the queue, or models or versions: nothing of them starts, and what runs goes at its next checkpoint.

    \b
    mlpipeline pause
    mlpipeline pause big/lm.py
    """
    _send(context, "pause", targets, manner)


@click.command()
@_targets
@asking
@shared
@click.pass_context
def resume(context: click.Context, /, targets: tuple[str, ...], **manner: Any) -> None:
    """Undo pause: go on from the checkpoints.

    \b
    mlpipeline resume
    """
    _send(context, "resume", targets, manner)
