"""The door: finds out which command is meant, and loads no other. Without a command the queue runs."""

from __future__ import annotations

import contextlib
import errno
import gc
import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from mlpipeline.cli import own_commands
from mlpipeline.cli.commands import COMMANDS
from mlpipeline.cli.setup import Setup, shared
from mlpipeline.errors import DiskFull, MlpipelineError, UsageError

_QUEUE = ""
"""The name of the command that runs without a name."""
_WITH_VALUE = frozenset({"--project", "--host", "--slots", "--executor", "--drill-steps"})
_INTERRUPTED = 130
_ROOT = "mlpipeline.cli.root"


class Commands(click.Group):
    """A group whose commands are loaded on use, and whose first word may be a model instead."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Returns the names in the order of help."""
        return [*COMMANDS, *(name for name in own_commands.every(_root(ctx)) if name not in COMMANDS)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Loads a command."""
        if cmd_name == _QUEUE:
            return _load("queue:queue")
        entry = COMMANDS.get(cmd_name)
        if entry is not None:
            return _load(entry.target)
        own = own_commands.find(_root(ctx), cmd_name)
        try:
            return None if own is None else own_commands.load(_root(ctx), own)
        except MlpipelineError:
            if ctx.resilient_parsing:  # nothing is said while a word is completed
                return None
            raise

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Decides between a command and the queue by the first word that is no option's value."""
        place = first_word(args)
        word = None if place is None else args[place]
        ctx.meta[_ROOT] = own_commands.root_of(args if place is None else args[:place])
        if place is not None and (word in COMMANDS or _is_own_command(ctx, str(word))):
            _check_before(ctx, args[:place], str(word))
            return super().parse_args(ctx, args)
        options = args[: args.index("--")] if "--" in args else args
        if not {"-h", "--help", "--version"}.isdisjoint(options):
            return super().parse_args(ctx, [each for each in options if each in ("-h", "--help", "--version")])
        if ctx.resilient_parsing and not args:
            return super().parse_args(ctx, args)  # completing the first word: commands are candidates
        return super().parse_args(ctx, [_QUEUE, *args])

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command and turns our errors into messages with their exit status."""
        from mlpipeline.wiring import wire

        try:
            wire()
            return super().invoke(ctx)
        except MlpipelineError as error:
            from mlpipeline.observe.text import plain

            click.echo(f"mlpipeline: {plain(str(error))}", err=True)
            raise click.exceptions.Exit(error.exit_status) from error
        except UnicodeEncodeError as error:
            if error.reason != "surrogates not allowed":
                raise
            click.echo(f"mlpipeline: {error.object!a} is no text in UTF-8: write it as the project does", err=True)
            raise click.exceptions.Exit(UsageError.exit_status) from error
        except KeyboardInterrupt:
            raise click.exceptions.Exit(_INTERRUPTED) from None

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Shows both forms."""
        formatter.write_usage(ctx.command_path, "[OPTIONS] [MODEL[:VERSION]]...")
        formatter.write_usage(ctx.command_path, "COMMAND [ARGS]...", prefix="       ")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Shows the options of the queue, which hold without a command, then the commands by section."""
        queue = _load("queue:queue")
        options = [each for each in queue.params if isinstance(each, click.Option)]
        options += [each for each in self.get_params(ctx) if isinstance(each, click.Option) and _is_own(each)]
        records = [record for each in options if (record := each.get_help_record(ctx)) is not None]
        with formatter.section("Options"):
            formatter.write_dl(records)
        for section in dict.fromkeys(entry.section for entry in COMMANDS.values()):
            rows = [(name, entry.help) for name, entry in COMMANDS.items() if entry.section == section]
            with formatter.section(section):
                formatter.write_dl(rows, col_max=12)
        if own := own_commands.every(_root(ctx)):
            with formatter.section(own_commands.SECTION):
                formatter.write_dl(
                    [(name, f"cannot be used: {each.fault}" if each.fault else each.help) for name, each in own.items()]
                )

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Offers commands, and everything that the queue takes."""
        found = [
            CompletionItem(name, help=entry.help) for name, entry in COMMANDS.items() if name.startswith(incomplete)
        ]
        for name, own in own_commands.every(_root(ctx)).items():
            if name.startswith(incomplete) and name not in COMMANDS:
                found.append(CompletionItem(name, help=own.help))
        queue = _load("queue:queue")
        if incomplete.startswith("-"):
            return found + queue.shell_complete(ctx, incomplete)
        models = next(each for each in queue.params if each.name == "models")
        return found + models.shell_complete(ctx, incomplete)


def _root(ctx: click.Context) -> Path:
    """Returns the project's directory, as far as it was named before the command."""
    found: Path = ctx.meta.get(_ROOT) or own_commands.root_of(())
    return found


def _is_own_command(ctx: click.Context, word: str) -> bool:
    """Whether a word is a command that is not built in. It comes before a model of that name, as all commands do."""
    return (
        word.isprintable()
        and not any(mark in word for mark in "./:")
        and (own_commands.find(_root(ctx), word) is not None)
    )


def _is_own(option: click.Option) -> bool:
    return not {"--version", "--help"}.isdisjoint(option.opts)


def _load(target: str) -> click.Command:
    module, attribute = target.split(":")
    found: click.Command = getattr(import_module(f"mlpipeline.cli.{module}"), attribute)
    return found


def first_word(args: Sequence[str]) -> int | None:
    """Returns the place of the first argument that is neither an option nor an option's value."""
    is_value = False
    for place, each in enumerate(args):
        if is_value:
            is_value = False
        elif each == "--":
            return None
        elif not each.startswith("-"):
            return place
        else:
            # -j stands last in a cluster of short options (-ruj 4) when its value is the next word.
            is_value = each in _WITH_VALUE or (each.endswith("j") and not each.startswith("--"))
    return None


def _check_before(ctx: click.Context, before: Sequence[str], command: str) -> None:
    allowed = ("--project", "--host", "--json", "-h", "--help", "--version")
    for each in before:
        if each.startswith("-") and each.split("=")[0] not in allowed and not ctx.resilient_parsing:
            raise click.UsageError(
                f"{each} does not go with the command '{command}'. For a model of that name write ./{command}", ctx
            )


def _version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        import platform

        from mlpipeline import __version__
        from mlpipeline.execution.packages import extras

        click.echo(f"mlpipeline {__version__}")
        click.echo(f"Python {platform.python_version()}, {sys.executable}")
        found = extras()
        if found is None:
            told = "not known: it is found by a path, and not installed"
        else:
            told = ", ".join(name for name, lacks in found.items() if not lacks) or "none"
        click.echo(f"extras installed: {told}")
        ctx.exit()


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@shared
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_version,
    help="Print the version, and what is installed.",
)
@click.pass_context
def cli(context: click.Context) -> None:
    """Train the models that models.config lists, each version once, and keep a record of every run.

    \b
    mlpipeline                       try every model of models_test.config for one step (test mode)
    mlpipeline digits.py             try one model, listed or not
    mlpipeline --drill digits.py     prove that it can be killed and resumed (recorded nowhere)
    mlpipeline -r -u                 train what models.config lists and is not done yet (execution mode)
    mlpipeline -r -u digits.py:wide  train one version of one model
    mlpipeline plan                  see first what that would be, and why
    mlpipeline start                 train in the background and watch models.config for edits

    Every command explains itself: mlpipeline status --help. A model that is called like a command is written ./plan
    or plan.py.

    Exit status: 0 all well, 1 something failed, 2 wrong usage or configuration (or a scheduler runs already), 130
    interrupted.
    """
    context.ensure_object(Setup)


def main() -> None:
    """Runs the command line of this process."""
    _open_what_is_closed()
    # Commands make many objects and little garbage: by its defaults the collector takes a sixth of a long table's time.
    gc.set_threshold(20_000, 20, 100)
    for stream in (sys.stdout, sys.stderr):
        # A name that the terminal's encoding does not know must not end a command.
        with contextlib.suppress(AttributeError, io.UnsupportedOperation):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        try:
            cli(prog_name="mlpipeline")
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EPIPE):
            raise
        _give_up_printing()
        if error.errno != errno.EPIPE:  # whoever has closed a pipe knows it
            where = error.filename or "what was printed is not whole"
            click.echo(f"mlpipeline: {where}: {DiskFull()}", err=True)
        sys.exit(DiskFull.exit_status)


def _open_what_is_closed() -> None:
    """Gives a process that was started with closed streams (`<&-`, some daemons) ones that hold nothing.

    Else the next file that is opened, perhaps the ledger, would be what children take for their output.
    """
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
            os.set_inheritable(number, True)
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


def _give_up_printing() -> None:
    """Throws away what is not printed yet: Python would try it again at its end, and tell of that."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
