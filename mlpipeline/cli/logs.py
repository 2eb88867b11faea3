"""What a run printed, and what it goes on printing."""

from __future__ import annotations

import codecs
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from mlpipeline.cli.setup import Setup, find_run, shared

if TYPE_CHECKING:
    from mlpipeline.project import Project
    from mlpipeline.run import Attempt

_POLL_SECONDS = 0.1
_CHUNK = 1 << 16
_TAIL_CHUNK = 1 << 20


@click.command()
@click.argument("run", metavar="RUN")
@click.option("-f", "--follow", is_flag=True, help="Go on until the run ends (or Ctrl-C, which does not end the run).")
@click.option("-n", "--lines", metavar="N", type=click.IntRange(min=0), help="Only the last N lines to begin with.")
@shared
@click.pass_obj
def logs(setup: Setup, run: str, follow: bool, lines: int | None) -> None:
    """Print what a run wrote to stdout, stderr and logging.

    RUN is its id or the beginning of it; RUN.2 is its second attempt; MODEL or MODEL:VERSION is its newest run.
    Progress bars are reduced to their last state, and escape codes are removed.

    \b
    mlpipeline logs digits.py:wide
    mlpipeline logs 20261121-04 -f -n 20
    """
    import json

    from mlpipeline import wire
    from mlpipeline.errors import MlpipelineError
    from mlpipeline.ledger import Ledger

    project = setup.project()
    with closing(Ledger.open_readonly(project.ledger_path)) as ledger:
        _, attempt = find_run(project, ledger, run)
    directory = project.root / attempt.directory
    is_over = _end_of(project, attempt) if follow and not attempt.state.is_final else None
    if attempt.state.is_final and not directory.is_dir():
        raise MlpipelineError(f"{attempt.directory} is not there, and what the run said with it: see mlpipeline fsck")
    for line in follow_lines(directory / wire.OUTPUT, lines, is_over):
        click.echo(json.dumps({"line": line}, ensure_ascii=True) if setup.json else line)


def _end_of(project: Project, attempt: Attempt) -> Callable[[], bool]:
    """Returns what tells whether an attempt has ended: what it said is complete then."""
    from mlpipeline.lock import holder
    from mlpipeline.observe.activity import life_of

    # Whose processes are gone says nothing more, also where no scheduler is left to say so.
    return lambda: life_of(project, attempt, is_served=holder(project) is not None) in ("ended", "gone")


def follow_lines(path: Path, last: int | None, is_over: Callable[[], bool] | None) -> Iterator[str]:
    """Yields the lines of a file without escape codes.

    Args:
        path: the file; one that is not there yet is waited for if there is something to wait for.
        last: how many lines of what is there already are wanted, None for all.
        is_over: tells when to wait no longer for more, None not to wait.
    """
    while not path.exists():
        if is_over is None or is_over():
            return
        time.sleep(_POLL_SECONDS)
    with path.open("rb") as file:
        if last is not None:
            file.seek(tail_offset(file, last))
        yield from _lines(file, is_over)


def _lines(file: BinaryIO, is_over: Callable[[], bool] | None) -> Iterator[str]:
    from mlpipeline.observe.text import plain

    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    rest = ""
    while True:
        data = file.read(_CHUNK)
        if not data and (is_over is None or is_over()):
            data = file.read(_CHUNK)  # once more, so that nothing is missed that was said before the end
            if not data:
                break
        if not data:
            time.sleep(_POLL_SECONDS)
            continue
        *whole, rest = (rest + decoder.decode(data)).split("\n")
        yield from (plain(line) for line in whole)
        if len(rest) > _TAIL_CHUNK:  # a line without end must not fill the memory
            yield plain(rest)
            rest = ""
    rest += decoder.decode(b"", final=True)
    if rest:
        yield plain(rest)


def tail_offset(file: BinaryIO, count: int) -> int:
    """Returns where the last `count` lines begin, reading from the end."""
    end = position = file.seek(0, 2)
    if count == 0:
        return end
    newlines = 0
    while position > 0:
        start = max(0, position - _CHUNK)
        file.seek(start)
        block = file.read(position - start)
        if position == end and block.endswith(b"\n"):
            block = block[:-1]  # the newline that ends the last line begins no other
        found = block.count(b"\n")
        if newlines + found >= count:
            for _ in range(count - newlines):
                block = block[: block.rindex(b"\n")]
            return start + len(block) + 1
        newlines, position = newlines + found, start
    return 0
