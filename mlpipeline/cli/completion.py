"""Completion for the shell."""

from __future__ import annotations

import os
from pathlib import Path

import click

from mlpipeline.cli.setup import shared

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", required=False, type=click.Choice(SHELLS))
@shared
@click.pass_context
def completion(context: click.Context, shell: str | None) -> None:
    """Print a script that completes commands, options and models in your shell.

    \b
    bash:  echo 'eval "$(mlpipeline completion bash)"' >> ~/.bashrc
    zsh:   echo 'eval "$(mlpipeline completion zsh)"' >> ~/.zshrc
    fish:  mlpipeline completion fish > ~/.config/fish/completions/mlpipeline.fish
    """
    from click.shell_completion import BashComplete, FishComplete, ZshComplete

    name = shell or Path(os.environ.get("SHELL", "")).name
    classes = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}
    if name not in classes:
        raise click.UsageError(f"Which shell? mlpipeline completion [{'|'.join(SHELLS)}]", context)
    made = classes[name](context.find_root().command, {}, "mlpipeline", "_MLPIPELINE_COMPLETE")
    # Not made.source(): for bash it starts a bash to learn its version.
    click.echo(made.source_template % made.source_vars())
