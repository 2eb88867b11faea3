"""Other tools are told each thing once, whoever is killed, and later what they could not be told."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mlpipeline import event_files, tracking
from mlpipeline.errors import ConfigurationError, StoreError
from mlpipeline.ledger import Ledger
from mlpipeline.observe.exchange import follower
from mlpipeline.observe.exchange.deliveries import Deliveries, Delivery
from mlpipeline.observe.exchange.portable import Portable
from mlpipeline.observe.exchange.sinks import EventFiles, Rows
from mlpipeline.project import Project
from mlpipeline.run import IMPORTED, Run, State
from tests.unit.sample_runs import NOW, run_in, sample_attempt, sample_run

from .conftest import Desk

SINCE = NOW - timedelta(days=1)
ID = "20261121-040406-aaaaaa"


class Tool:
    """A tool that notes what it is told, and may be away."""

    key = "tool one"

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.states: list[str] = []
        self.is_away = False
        self.refused = ""

    def _check(self, run: Portable) -> None:
        if self.is_away or run.id == self.refused:
            raise StoreError("the tool cannot be reached" if self.is_away else "this run has no sense")

    def record(self, run: Portable, rows: Rows, delivery: Delivery) -> Delivery:
        self._check(run)
        self.rows += [row["step"] for _, row in rows]
        return replace(delivery, place=rows[-1][0], rows=delivery.rows + len(rows))

    def tell(self, run: Portable, delivery: Delivery) -> Delivery:
        self._check(run)
        self.states.append(f"{run.id[-1]} {run.state.value}")
        return delivery

    def answers(self) -> bool:
        return not self.is_away


def record(desk: Desk, steps: range, attempt: int = 1, run: str = ID) -> None:
    place = desk.root / f"models/outputs/runs/{run}/{attempt}"
    place.mkdir(parents=True, exist_ok=True)
    with (place / "metrics.jsonl").open("a") as file:
        for step in steps:
            row = {"t": "2026-11-21T04:05:06+00:00", "step": step, "values": {"train_loss": step, "lr": 0.5}}
            file.write(json.dumps(row) + "\n")


def look(desk: Desk, tool: Any, *, is_last: bool = True) -> follower.Follower:
    with (
        closing(Deliveries(desk.project.tracking_path)) as deliveries,
        closing(Ledger.open_readonly(desk.project.ledger_path)) as ledger,
    ):
        made = follower.Follower(desk.project, tool, deliveries, SINCE)
        made.look(ledger, is_last=is_last)
        return made


def test_each_row_and_state_is_told_once(desk: Desk) -> None:
    tool = Tool()
    desk.record(run_in(State.RUNNING))
    record(desk, range(3))
    with (desk.root / f"models/outputs/runs/{ID}/1/metrics.jsonl").open("a") as file:
        file.write('{"t": "2026-11-21T04:05:06+00:00", "step": 3, ')
    for _ in range(2):
        look(desk, tool)
    assert (tool.rows, tool.states) == ([0, 1, 2], ["a running"])
    with (desk.root / f"models/outputs/runs/{ID}/1/metrics.jsonl").open("a") as file:
        file.write('"values": {}}\n')
    look(desk, tool)
    assert tool.rows == [0, 1, 2, 3]


def test_later_attempts_follow(desk: Desk) -> None:
    tool = Tool()
    desk.record(sample_run("aaaaaa", sample_attempt(ID, 1, State.LOST), sample_attempt(ID, 2)))
    record(desk, range(3), 1)
    record(desk, range(2, 4), 2)
    for _ in range(2):
        look(desk, tool)
    assert (tool.rows, tool.states) == ([0, 1, 2, 2, 3], ["a succeeded"])


def test_what_a_tool_lacks_is_told_when_it_is_back(desk: Desk) -> None:
    tool = Tool()
    desk.record(sample_run(), run_in(State.FAILED, "bbbbbb"))
    record(desk, range(3))
    tool.is_away = True
    made = look(desk, tool)
    assert made.trouble.startswith("[TRACKING] the tool cannot be reached.")
    assert made.trouble.endswith("(runs: 2)")
    tool.is_away = False
    assert look(desk, tool).trouble == ""
    assert (tool.rows, tool.states) == ([0, 1, 2], ["a succeeded", "b failed"])


def test_a_tool_that_is_away_is_asked_again_only_after_a_pause(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = Tool()
    desk.record(sample_run())
    tool.is_away = True
    now = 1000.0
    monkeypatch.setattr(follower.time, "monotonic", lambda: now)
    with (
        closing(Deliveries(desk.project.tracking_path)) as deliveries,
        closing(Ledger.open_readonly(desk.project.ledger_path)) as ledger,
    ):
        made = follower.Follower(desk.project, tool, deliveries, SINCE)
        made.look(ledger)
        tool.is_away = False
        made.look(ledger)
        assert (tool.states, bool(made.trouble)) == ([], True)
        now += 2.5
        made.look(ledger)
        assert (tool.states, made.trouble) == (["a succeeded"], "")


def test_a_run_that_cannot_be_told_keeps_none_waiting(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    tool = Tool()
    tool.refused = ID
    desk.record(sample_run(), run_in(State.FAILED, "bbbbbb"))
    assert look(desk, tool).trouble == ""
    assert tool.states == ["b failed"]
    assert "this run has no sense" in capsys.readouterr().err


def test_runs_of_before_and_imported_ones_are_not_told(desk: Desk) -> None:
    tool = Tool()
    old = replace(sample_run(), created_at=SINCE - timedelta(seconds=1))
    foreign = sample_run("bbbbbb", replace(sample_attempt("20261121-040406-bbbbbb"), executor=IMPORTED))
    desk.record(old, replace(foreign, invocation=IMPORTED))
    look(desk, tool)
    look(desk, tool, is_last=False)
    assert tool.states == []


def test_another_address_gets_what_the_former_one_should_have_got(desk: Desk) -> None:
    first, second = Tool(), Tool()
    second.key = "tool two"
    desk.record(sample_run())
    for tool in (first, second):
        with closing(Deliveries(desk.project.tracking_path)) as deliveries:
            since = follower.Follower(desk.project, tool, deliveries, SINCE if tool is first else NOW).since
        assert since == SINCE


def scalars(desk: Desk) -> dict[str, list[tuple[int, float]]]:
    found: dict[str, list[tuple[int, float]]] = {}
    for path in sorted((desk.project.outputs_dir / "tensorboard").rglob("events*")):
        for _, step, name, value in event_files.read(path):
            found.setdefault(f"{path.parent.name}/{name}", []).append((step, value))
    return found


def follow(desk: Desk, failpoint: str = "") -> int:
    """Runs the process as a scheduler does that ends at once."""
    code = "import sys; from mlpipeline.observe.exchange.follower import main; main(*sys.argv[1:])"
    done = subprocess.run(
        [sys.executable, "-c", code, str(desk.root), "here", SINCE.isoformat()],
        stdin=subprocess.DEVNULL,
        env={**os.environ, "MLP_FAILPOINT": failpoint},
        timeout=60,
        check=False,
    )
    return done.returncode


@pytest.mark.parametrize("failpoint", ["tracking.sent", "tracking.told"])
def test_who_is_killed_leaves_nothing_twice(desk: Desk, failpoint: str) -> None:
    (desk.root / "mlp.config").write_text("[MLP]\nhost = here\n[TRACKING]\ntensorboard = true\n")
    desk.record(sample_run())
    record(desk, range(5))
    for _ in range(2):
        assert follow(desk, f"{failpoint}=kill") == -signal.SIGKILL
    assert follow(desk) == 0
    expected = {
        "run/lr": [(step, 0.5) for step in range(5)],
        "train/loss": [*((step, float(step)) for step in range(5)), (120, pytest.approx(0.1))],
        "test/accuracy": [(120, pytest.approx(0.97216))],
    }
    assert scalars(desk) == expected
    assert follow(desk) == 0
    assert scalars(desk) == expected


def test_files_that_somebody_removed_begin_anew(desk: Desk) -> None:
    desk.record(run_in(State.RUNNING))
    place = desk.project.outputs_dir / "tensorboard"
    record(desk, range(2))
    look(desk, EventFiles(place))
    shutil.rmtree(place)
    record(desk, range(2, 4))
    look(desk, EventFiles(place))
    assert scalars(desk)["train/loss"] == [(2, 2.0), (3, 3.0)]


def test_a_place_that_cannot_be_written_is_a_trouble_of_its_own(desk: Desk) -> None:
    desk.record(sample_run())
    record(desk, range(2))
    (desk.root / "file").write_text("")
    assert "Not a directory" in look(desk, EventFiles(desk.root / "file")).trouble


def test_rows_longer_than_a_piece_are_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    long = {"values": {str(number): number for number in range(200_000)}}
    path.write_text(json.dumps(long) + "\n" + json.dumps({"step": 1}) + "\ntorn")
    delivery, steps = Delivery(sink="s", run="r"), []
    while rows := delivery.read(path):
        steps += [len(row.get("values", ())) for _, row in rows]
        delivery = replace(delivery, place=rows[-1][0])
    assert steps == [200_000, 0]


def test_what_is_asked_for_is_checked(desk: Desk) -> None:
    def read(text: str) -> tracking.Tracking:
        (desk.root / "mlp.config").write_text(f"[MLP]\nhost = here\n[TRACKING]\n{text}\n")
        return tracking.read(Project.load(desk.root))

    assert not read("").is_wanted
    assert read("tensorboard = yes").tensorboard
    told = read("mlflow = http://127.0.0.1:1\nmlflow_experiment = digits")
    assert (told.mlflow, told.experiment, told.is_wanted) == ("http://127.0.0.1:1", "digits", True)
    for faulty, words in (("tensorbord = true", "Did you mean"), ("tensorboard = perhaps", "perhaps")):
        with pytest.raises(ConfigurationError, match=words):
            read(faulty)


def test_a_trouble_is_told_wherever_the_state_is(desk: Desk) -> None:
    desk.record(sample_run())
    tracking.troubles_path(desk.project).write_text(json.dumps({"troubles": ["MLflow is away"]}))
    assert "MLflow is away" in desk.type("status").stdout
    tracking.troubles_path(desk.project).write_text("torn")
    assert tracking.warnings(desk.project) == ()


def test_moments_are_compared_in_one_zone(desk: Desk) -> None:
    tool = Tool()
    run: Run = sample_run()
    desk.record(run)
    with (
        closing(Deliveries(desk.project.tracking_path)) as deliveries,
        closing(Ledger.open_readonly(desk.project.ledger_path)) as ledger,
    ):
        since = datetime.fromisoformat("2026-11-21T09:34:05+05:30")  # a second before it was made
        follower.Follower(desk.project, tool, deliveries, since).look(ledger)
    assert tool.states == ["a succeeded"]
