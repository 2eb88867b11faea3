"""Writes a models config in another order: lines move with the comments above them, and nothing else changes."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from mlpipeline import selection as selections
from mlpipeline.config_text import strip_comment
from mlpipeline.errors import NotWritable, RequestRefused
from mlpipeline.project import Project
from mlpipeline.queue.differences import differences
from mlpipeline.queue.revisions import save_revision, write_whole
from mlpipeline.selection import Selection


def reorder(project: Project, order: Sequence[str], digest: str) -> list[str]:
    """Writes the list in another order, as a revision that can be undone.

    Args:
        project: whose list.
        order: all listed models, first the one that is to stand first.
        digest: of the list that the order was made from.

    Returns:
        what moved, in words.

    Raises:
        RequestRefused: the list is another one by now, or has faults, or is no list; nothing has changed.
        NotWritable: likewise, because the file or the directory of revisions cannot be written.
    """
    path = project.models_config.resolve()
    name = project.relative(project.models_config)
    try:
        before = path.read_bytes()
        old = _parsed(project, before)
        _check(old, name, order, digest)
        after = reordered(before, [each.line for each in old.models], [_line_of(old, each) for each in order])
        new = _parsed(project, after)
        if [each.model for each in new.models] != list(order) or new.faults:
            raise RequestRefused(f"{name} cannot be put into this order by moving lines: edit it by hand")
        if after != before:
            save_revision(project, before)  # what was never accepted could not be brought back otherwise
            save_revision(project, after)
            beside = path.with_name(f".{path.name}.{os.getpid()}.part")
            write_whole(beside, path, after, mode=path.stat().st_mode & 0o7777)
    except OSError as error:
        raise NotWritable(f"{error.filename or path}: {error.strerror}: mend its permissions or the disk") from error
    return differences(old, new)


def _parsed(project: Project, data: bytes) -> Selection:
    return selections.parse(
        data, file=project.models_config.name, models_dir=project.models_dir, outputs_dir=project.outputs_dir
    )


def _check(old: Selection, name: str, order: Sequence[str], digest: str) -> None:
    if old.digest != digest:
        raise RequestRefused(f"{name} has been edited meanwhile: look at the new list, and move again")
    if old.faults:
        raise RequestRefused(f"{name} has a fault: {old.faults[0]}")
    if old.use_blacklist:
        raise RequestRefused(f"{name} takes all models but those of a blacklist: there is no order to change")
    if sorted(order) != sorted(each.model for each in old.models):
        raise RequestRefused(f"{name}: these are not the models that it lists now: look again, and move again")


def _line_of(listed: Selection, model: str) -> int:
    return next(each.line for each in listed.models if each.model == model)


def reordered(data: bytes, lines: Sequence[int], order: Sequence[int]) -> bytes:
    """Returns a file's content with the blocks of some lines in another order.

    A block is the line with the comments directly above it; the first line's comments stay where they are where a blank
    line or nothing but the section's head is above them. What lies between blocks keeps its place.

    Args:
        data: the content.
        lines: numbers of the lines that move, ascending, from 1.
        order: the same numbers, in the new order.
    """
    text = data.decode("utf-8", "surrogateescape")
    parts = re.split(r"(\r\n|\r|\n)", text)
    rows, ends = parts[::2], [*parts[1::2], ""]
    starts = {line: _start(rows, line - 1) for line in lines}
    blocks = {line: rows[starts[line] : line] for line in lines}
    result: list[str] = []
    at = 0
    for place, taken in zip(lines, order, strict=True):
        result += rows[at : starts[place]] + blocks[taken]
        at = place
    result += rows[at:]
    return "".join(row + end for row, end in zip(result, ends, strict=True)).encode("utf-8", "surrogateescape")


def _start(rows: Sequence[str], place: int) -> int:
    """Returns where a line's block begins: with the comments above it, if a blank line or another entry is before."""
    start = place
    while start and rows[start - 1].strip() and not strip_comment(rows[start - 1]).strip():
        start -= 1
    is_of_section = start == 0 or rows[start - 1].lstrip().startswith("[")
    return place if is_of_section else start
