"""The tools that runs are told to while they go on: event files of TensorBoard, runs of MLflow."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from mlpipeline import event_files
from mlpipeline.errors import MlpipelineError
from mlpipeline.observe.exchange.deliveries import Delivery
from mlpipeline.observe.exchange.exporting import directory_of, results_of
from mlpipeline.observe.exchange.mlflow_store import Store, without_password
from mlpipeline.observe.exchange.portable import Portable

_PROBE_BYTES = 1 << 16
Rows = Sequence[tuple[int, dict[str, Any]]]


class Sink(Protocol):
    """A tool. What it was told and what is remembered of that may differ by one step: telling it again changes nothing.

    Attributes:
        key: what it is remembered by.
    """

    key: str

    def record(self, run: Portable, rows: Rows, delivery: Delivery) -> Delivery:
        """Tells recorded rows. Returns how much it has then."""

    def tell(self, run: Portable, delivery: Delivery) -> Delivery:
        """Tells the run's state, and where it ended its results. Returns how much it has then."""

    def answers(self) -> bool:
        """Whether it is the run that cannot be told, and not the tool that cannot be reached."""


class EventFiles:
    """Event files below a directory, which TensorBoard is pointed to.

    Args:
        place: the directory.
    """

    key = "tensorboard"

    def __init__(self, place: Path) -> None:
        self.place = place

    def record(self, run: Portable, rows: Rows, delivery: Delivery) -> Delivery:
        """Appends rows to the files of the attempt. What was appended without being remembered is cut off first."""
        told = [row for _, row in rows]
        sizes = dict(delivery.sizes)
        for part, content in event_files.records(told, delivery.rows).items():
            known = f"{delivery.attempt}/{part}"
            name = f"events.out.tfevents.{int(run.created_at.timestamp())}.{delivery.attempt:03}"
            path = directory_of(self.place, run.model, run.version, run.id) / part / name
            sizes[known] = _append(path, sizes.get(known, 0), event_files.header(told), content)
        return replace(delivery, place=rows[-1][0], rows=delivery.rows + len(rows), sizes=sizes)

    def tell(self, run: Portable, delivery: Delivery) -> Delivery:
        """Appends the results of a run that succeeded."""
        row = results_of(run)
        if row is None:
            return delivery
        return replace(self.record(run, [(delivery.place, row)], delivery), rows=delivery.rows)

    def answers(self) -> bool:
        """Writes something small."""
        probe = self.place / f".{os.getpid()}.part"
        try:
            self.place.mkdir(parents=True, exist_ok=True)
            probe.write_bytes(bytes(_PROBE_BYTES))
            probe.unlink()
        except OSError:
            return False
        return True


def _append(path: Path, size: int, header: bytes, content: bytes) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        if file.tell() < size:  # somebody has removed it
            size = 0
        file.truncate(size)
        file.write(content if size else header + content)
        file.flush()
        return file.tell()


class MlflowRuns:
    """Runs in MLflow.

    Args:
        uri: of its server or database.
        experiment: that they stand in.
    """

    def __init__(self, uri: str, experiment: str) -> None:
        self.uri, self.experiment = uri, experiment
        self.key = f"mlflow {without_password(uri)} {experiment}"
        self._opened: Store | None = None

    @property
    def _store(self) -> Store:
        if self._opened is None:
            self._opened = Store(self.uri, patient=False)
        return self._opened

    def record(self, run: Portable, rows: Rows, delivery: Delivery) -> Delivery:
        """Sends rows; MLflow knows those again that it has."""
        identity = delivery.identity or self._store.begin(self.experiment, run)
        self._store.record(identity, [row for _, row in rows], delivery.rows)
        return replace(delivery, identity=identity, place=rows[-1][0], rows=delivery.rows + len(rows))

    def tell(self, run: Portable, delivery: Delivery) -> Delivery:
        """Sends state and results."""
        identity = delivery.identity or self._store.begin(self.experiment, run)
        self._store.end(identity, run)
        return replace(delivery, identity=identity)

    def answers(self) -> bool:
        """Asks it something small."""
        try:
            self._store.experiment(self.experiment, anew=True)
        except MlpipelineError:
            return False
        return True
