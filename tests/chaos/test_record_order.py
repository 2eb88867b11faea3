"""What the ledger says of an attempt is never on disk before the file in the attempt's directory that says it.

A supervisor names its file and then makes the name last. A scheduler that looks in between knows more than the disk.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from mlpipeline import events, wire
from mlpipeline.ledger import Ledger

from .queue_model import Entry
from .workbench import Workbench, write_outcome


@pytest.mark.parametrize("kind", [events.Started, events.Ended])
def test_the_name_of_a_file_lasts_before_the_ledger_tells_of_it(tmp_path: Path, kind: type[events.Event]) -> None:
    bench = Workbench(tmp_path)
    bench.wish([Entry("a.py")])
    bench.turn()
    (directory, spec), *_ = bench.executor.alive.items()
    done: list[object] = []
    sync, record = wire.sync_directory, Ledger.record

    def synced(path: Any) -> None:
        done.append(Path(path))
        sync(path)

    def recorded(self: Ledger, event: events.Event) -> None:
        done.append(type(event))
        record(self, event)

    with mock.patch.object(wire, "sync_directory", synced), mock.patch.object(Ledger, "record", recorded):
        # Neither file is synced by who writes it here: only the scheduler can have made its name last.
        wire.write_json(directory / wire.STARTED, {"token": spec["token"], "started_at": spec["submitted_at"]})
        if kind is events.Ended:
            write_outcome(directory, spec["token"], "succeeded", "none")
            del bench.executor.alive[directory]
        bench.turn()
    bench.close()
    assert kind in done
    assert directory in done[: done.index(kind)]
