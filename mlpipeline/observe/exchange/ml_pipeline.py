"""Runs of ml-pipeline: the files `t_history-<host>`, `history-<host>` and `output-<host>` in its outputs."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlpipeline.errors import UsageError
from mlpipeline.observe.exchange.portable import Portable, plain, safe
from mlpipeline.run import State

_BLOCK = re.compile(r"^\[(\d{4}-\d\d-\d\dT[\d:.]+)\]:ml-pipline: output: ?$")
_RULE = "-" * 20
_OBJECT = re.compile(r"<[^<>]*>")
_PARTS = {"Eval on train set": "train", "Eval on test  set": "test"}
_OWN = ("name", "dataloader", "hooks", "order", "model_dir_suffix")


@dataclass(slots=True)
class _Block:
    """What was written of a version when it was done."""

    at: datetime
    texts: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)


def runs(place: str, complain: Callable[[str], None]) -> Iterator[Portable]:
    """Yields each training that its files tell of, oldest first.

    Args:
        place: its outputs, `models/outputs`.
        complain: is told of lines that are none.

    Raises:
        UsageError: there are no such files.
    """
    root = Path(place)
    hosts = sorted({path.name.partition("-")[2] for path in root.glob("*history-*")})
    if not hosts:
        raise UsageError(f"{place}: holds no history of ml-pipeline: name its outputs, models/outputs say")
    found = [run for host in hosts for run in _of_host(root, host, complain)]
    yield from sorted(found, key=lambda run: run.created_at)


def _of_host(root: Path, host: str, complain: Callable[[str], None]) -> Iterator[Portable]:
    began: dict[tuple[str, str], list[float]] = defaultdict(list)
    done: dict[tuple[str, str], list[float]] = defaultdict(list)
    for model, version, at in _lines(root / f"t_history-{host}", (0, 1, 2), complain):
        began[model, version].append(at)
    for model, version, at in _lines(root / f"history-{host}", (0, 2, 1), complain):
        done[model, version].append(at)
    blocks = _blocks(root / f"output-{host}")
    prefix = f"{root.resolve().parent.name}/"
    for key in dict.fromkeys([*began, *done]):
        starts, ends = began[key], blocks.get(key, [])
        # Who was not trained by this host's history was so by files that are gone: the code's time is all there is.
        starts = starts or done[key][:1]
        for place, at in enumerate(starts):
            is_last = place + 1 == len(starts)
            block = _block_of(ends, at, None if is_last else starts[place + 1], len(starts))
            is_done = block is not None or (is_last and bool(done[key]))
            yield _run(root, host, (key[0].removeprefix(prefix), key[1]), at, block, is_done=is_done)


def _lines(
    path: Path, order: tuple[int, int, int], complain: Callable[[str], None]
) -> Iterator[tuple[str, str, float]]:
    try:
        lines = path.read_text("utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return
    for number, line in enumerate(lines, 1):
        parts = line.split("::")
        try:
            model, version, at = (parts[place] for place in order)
            datetime.fromtimestamp(float(at), UTC)
        except (IndexError, ValueError, OverflowError, OSError):
            if line.strip():
                complain(f"{path}:{number}: left out: is not name::version::time")
            continue
        yield model, version, float(at)


def _block_of(ends: list[_Block], began: float, following: float | None, count: int) -> _Block | None:
    """Takes the block of a training from those of its version, which are in order.

    Times of blocks have no zone; where each start has its block, none is needed.
    """
    if len(ends) >= count:
        return ends.pop(0)
    for place, block in enumerate(ends):
        at = block.at.timestamp()
        if at >= began and (following is None or at < following):
            return ends.pop(place)
    return None


def _blocks(path: Path) -> dict[tuple[str, str], list[_Block]]:
    found: dict[tuple[str, str], list[_Block]] = defaultdict(list)
    block: _Block | None = None
    title = ""
    try:
        lines = path.read_text("utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return found
    for line in lines:
        if match := _BLOCK.match(line):
            block, title = _Block(datetime.fromisoformat(match[1]).astimezone()), ""
        elif line.startswith("=" * 20):  # where this package has written into the same file since
            block = None
        elif block is not None:
            title = _read(block, line.removeprefix("\t\t"), title)
            if {"Model", "Version"} <= block.texts.keys() and "listed" not in block.texts:
                block.texts["listed"] = ""
                found[block.texts["Model"], block.texts["Version"]].append(block)
    return found


def _read(block: _Block, line: str, title: str) -> str:
    """Reads a line of a block. Returns the title that the next one stands under."""
    name, mark, rest = line.partition(": ")
    if line.startswith(_RULE):
        return ""
    if line in ("MODEL SUMMERY:", "DATALOADER\t SUMMERY:"):
        return line
    if title:
        block.texts[title] = f"{block.texts.get(title, '')}\n{line}".strip()
    elif mark and name in _PARTS:
        value = _literal(rest)
        if isinstance(value, dict):
            block.metrics[_PARTS[name]] = plain(value)
        elif value is not None:
            block.metrics[_PARTS[name]] = {"result": plain(value)}
    elif mark:
        block.texts.setdefault(name, rest)
    return title


def _literal(text: str) -> Any:
    """Returns the value that Python printed; of objects their text. None where it is none."""
    try:
        return ast.literal_eval(_OBJECT.sub(lambda match: repr(match[0]), text))
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def _run(root: Path, host: str, name: tuple[str, str], at: float, block: _Block | None, *, is_done: bool) -> Portable:
    began = datetime.fromtimestamp(at, UTC)
    texts = block.texts if block is not None else {}
    told = _literal(texts.get("Parameters for this version", "{}"))
    params = told if isinstance(told, dict) else {}
    return Portable(
        tool="ml-pipeline",
        foreign=f"{host} {name[0]}::{name[1]}::{at!r}",
        store=str(root),
        model=safe(name[0]),
        version=safe(name[1]),
        params={key: plain(value) for key, value in params.items() if key not in _OWN and value is not None},
        state=State.SUCCEEDED if is_done else State.LOST,
        message="" if is_done else "its end is not recorded there",
        created_at=began,
        started_at=began,
        ended_at=max(began, block.at.astimezone(UTC)) if block is not None else began,
        metrics=block.metrics if block is not None else {},
        summaries=(texts.get("MODEL SUMMERY:", ""), texts.get("DATALOADER\t SUMMERY:", "")),
    )
