"""Writes runs for other programs: lines of JSON, a table, event files of TensorBoard, runs of MLflow."""

from __future__ import annotations

import csv
import errno
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

from mlpipeline import event_files, params, wire
from mlpipeline.errors import DiskFull, NotWritable
from mlpipeline.execution.snapshot import safe_name
from mlpipeline.observe.exchange import portable
from mlpipeline.observe.exchange.long_rows import OfRun
from mlpipeline.observe.exchange.portable import Portable
from mlpipeline.observe.text import flat_metrics
from mlpipeline.project import Project
from mlpipeline.run import Run, State

_COLUMNS = ("run", "model", "version", "replicate", "seed", "state", "cause", "message", "created_at", "started_at",
            "ended_at", "seconds", "steps", "attempts", "commit", "tool", "tags")  # fmt: skip

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Travellers:
    """Runs on their way out, read one by one; counts those of which only the ledger still knows.

    Args:
        project: whose runs.
        runs: of the ledger.
        curves: whether what they recorded comes along.
    """

    def __init__(self, project: Project, runs: Sequence[Run], *, curves: bool = True) -> None:
        self.project, self.runs, self.curves = project, runs, curves
        self.bare = 0

    def __iter__(self) -> Iterator[Portable]:
        """Yields each run with what its directory has when its turn comes."""
        for run in self.runs:
            found = portable.of_run(self.project.root, self.project.runs_dir, run, curves=self.curves)
            # Looked at afterwards: who removes the outputs meanwhile takes the specification first or last.
            is_bare = not (self.project.root / run.last.directory / wire.SPEC).exists()
            yield found
            self.bare += is_bare or (isinstance(found.recorded, OfRun) and found.recorded.is_bare)


def json_lines(runs: Iterable[Portable], file: TextIO) -> int:
    """Writes a line for each run. Returns how many there were."""
    count = 0
    for run in runs:
        file.write(_line(run.to_json())[:-1] + ', "recorded": [')
        comma = ""
        for row in run.recorded:
            file.write(comma + _line(row))
            comma = ", "
        file.write("]}\n")
        count += 1
    return count


def _line(content: Mapping[str, Any]) -> str:
    """Returns JSON as all programs read it: NaN and infinities, which are none, as text."""
    try:
        return json.dumps(content, ensure_ascii=True, allow_nan=False)
    except (TypeError, ValueError):
        return json.dumps(portable.plain(content), ensure_ascii=True)


def table(runs: Iterable[Portable], file: TextIO) -> int:
    """Writes a table of CSV: a row for each run, parameters by address and results as columns."""
    rows: list[dict[str, Any]] = []
    names: dict[str, None] = {}
    for run in runs:
        told = {f"param.{name}": value for name, value in params.flatten(run.params).items()}
        told |= {f"metric.{name}": value for name, value in flat_metrics(run.metrics).items()}
        names |= dict.fromkeys(told)
        rows.append({name: _cell(value) for name, value in (_row(run) | told).items()})
    writer = csv.DictWriter(file, [*_COLUMNS, *sorted(names, reverse=True)], restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return len(rows)


def _row(run: Portable) -> dict[str, Any]:
    times = {name: getattr(run, name) for name in ("created_at", "started_at", "ended_at")}
    is_timed = run.started_at is not None and run.ended_at is not None
    return {
        **{name: getattr(run, name) for name in _COLUMNS if hasattr(run, name)},
        **{name: "" if at is None else at.isoformat() for name, at in times.items()},
        "run": run.id,
        "state": run.state.value,
        "cause": run.cause.value,
        "seconds": (run.ended_at - run.started_at).total_seconds() if is_timed else "",  # type: ignore[operator]
        "tags": " ".join(run.tags),
    }


def _cell(value: Any) -> Any:
    """Returns a value as a cell; text that a spreadsheet would take for a formula is marked as text."""
    if isinstance(value, list | dict):
        return json.dumps(portable.plain(value))
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def event_directories(runs: Iterable[Portable], place: Path) -> int:
    """Writes event files: a directory for each run that recorded something, MODEL/VERSION/RUN below a place.

    Each appears whole; one that is there is replaced.
    """
    count = 0
    for run in runs:
        last = results_of(run)
        rows = [*run.recorded, *([last] if last else [])]
        if content := event_files.records(rows):
            target = directory_of(place, run.model, run.version, run.id)
            with whole_directory(target) as beside:
                for part, data in content.items():
                    (beside / part).mkdir()
                    file = beside / part / event_files.name_of(rows)
                    file.write_bytes(event_files.header(rows) + data)
            count += 1
    return count


def results_of(run: Portable) -> dict[str, Any] | None:
    """Returns the results of a run that succeeded as a row beside those that it recorded: `test_accuracy`."""
    values = {name.replace(" ", "_"): value for name, value in flat_metrics(run.metrics).items()}
    if run.state is not State.SUCCEEDED or not values:
        return None
    return {"t": (run.ended_at or run.created_at).isoformat(), "step": run.steps or 0, "values": values}


def directory_of(place: Path, model: str, version: str, run_id: str) -> Path:
    """Returns where the event files of a run lie; whatever it is called, that is below the place."""
    return place / safe_name(model) / safe_name(version.replace("/", "_")) / safe_name(run_id)


def mlflow(runs: Iterable[Portable], uri: str, experiment: str) -> int:
    """Sends runs to MLflow, each once: what is there already is completed.

    Raises:
        MissingExtra: mlflow is not installed.
        StoreError: it cannot be reached, or refuses.
    """
    from mlpipeline.observe.exchange.mlflow_store import Store

    store = Store(uri)
    count = 0
    for run in runs:
        identity = store.begin(experiment, run)
        store.record(identity, run.recorded)
        store.end(identity, run)
        count += 1
    return count


def to_file(path: Path, write: Callable[[TextIO], int]) -> int:
    """Writes a file that appears whole, or not at all.

    Raises:
        DiskFull, NotWritable: nothing has changed.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with _told(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with beside.open("w", encoding="utf-8", newline="") as file:
                count = write(file)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
            wire.sync_directory(path.parent)
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
    return count


def to_stream(stream: TextIO, write: Callable[[TextIO], int]) -> int:
    """Writes into what is open already, as the standard output.

    Raises:
        DiskFull: a part of it may be written.
    """
    with _told(Path("standard output")):
        count = write(stream)
        stream.flush()
    return count


@contextmanager
def whole_directory(target: Path) -> Iterator[Path]:
    """Gives a directory to fill, which then takes its place at once.

    Raises:
        DiskFull, NotWritable: what was there stays.
    """
    beside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with _told(target):
            beside.mkdir(parents=True)
            yield beside
            if target.exists():
                shutil.rmtree(target)
            beside.rename(target)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


@contextmanager
def _told(place: Path) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(f"{place}: the disk is full: free some space, and export again") from error
        raise NotWritable(f"{place}: cannot be written ({error.strerror}): name another place with -o") from error
