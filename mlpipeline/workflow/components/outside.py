"""Runs an outside command: where it fails, what it said ends the workflow."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from mlpipeline.errors import CommandFailed

_LINES = 40


def run(command: Sequence[str], *, directory: Path | None = None, variables: Mapping[str, str] | None = None) -> str:
    """Runs a command to its end, and returns what it printed.

    Args:
        command: its words; no shell reads them.
        directory: in which it works.
        variables: of the environment, beside those of this process.

    Raises:
        CommandFailed: it is not there, or its exit status is not 0; with the end of its stderr, and of its stdout.
    """
    told = " ".join(command)
    try:
        done = subprocess.run(
            list(command), cwd=directory, env={**os.environ, **(variables or {})}, check=False, capture_output=True,
            text=True, errors="replace", stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except FileNotFoundError as error:
        missing = directory if directory is not None and not directory.is_dir() else command[0]
        raise CommandFailed(f"{told}: there is no {missing}: install it, or mend the path") from error
    except OSError as error:
        raise CommandFailed(f"{told}: cannot be run ({error.strerror})") from error
    if done.returncode != 0:
        said = "\n".join(_end(text) for text in (done.stderr, done.stdout) if text.strip())
        how = f"ended with status {done.returncode}" if done.returncode > 0 else f"was killed (-{-done.returncode})"
        raise CommandFailed(f"{told}: {how}:\n{said or 'it said nothing'}")
    return done.stdout


def _end(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-_LINES:])
