"""A plan holds, and a status stands, until something that they are made of changes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mlpipeline import wire
from mlpipeline.ledger import Ledger
from mlpipeline.project import Project
from mlpipeline.queue import publish
from mlpipeline.queue.catalog import Catalog
from mlpipeline.queue.live_selection import LiveSelection
from mlpipeline.queue.orders import Order, Orders
from mlpipeline.queue.outlook import Outlook
from mlpipeline.queue.verdicts import Elsewhere, Plan, Verdict
from mlpipeline.selection import Selection

NOW = datetime.now(UTC)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "mlp.config").write_text("[MLP]\nhost = here\n")
    (tmp_path / "models").mkdir()
    (tmp_path / "models.config").write_text("[MLP]\n[WHITELISTED_MODELS]\n[BLACKLISTED_MODELS]\n")
    made = Project.load(tmp_path)
    made.outputs_dir.mkdir(parents=True)
    return made


@pytest.fixture
def outlook(project: Project) -> Iterator[Outlook]:
    catalog = Catalog(project, keep=False)
    made = Outlook(project, Ledger.in_memory(), catalog, lambda *_: None, invocation=None, testing=False)
    made.lends = False
    yield made
    catalog.close()
    made.devices.close()


@pytest.fixture
def selection(project: Project) -> Selection:
    return LiveSelection(project, (), testing=False, say=lambda *_: None, keep=False).current


def decide(outlook: Outlook, selection: Selection, **changed: Any) -> Plan:
    given: dict[str, Any] = {"slots": 2, "live": (), "orders": Orders(), "elsewhere": {}, "closed": ""}
    return outlook.decide(selection, **(given | changed))


def test_a_plan_holds_while_nothing_changes(outlook: Outlook, selection: Selection) -> None:
    first = decide(outlook, selection)
    assert decide(outlook, selection) is first


_KEY = ("m.py", "v", 0, "digest", "digest")


@pytest.mark.parametrize(
    "changed",
    [
        {"slots": 1},
        {"orders": Orders(holds={"m.py": Order(at=NOW, by="me")})},
        {"elsewhere": {_KEY: Elsewhere(Verdict.WAITING, "on another host")}},
        {"closed": "the queue is paused"},
        {"live": [SimpleNamespace(run=SimpleNamespace(model="m.py", model_dir="m.py-v"))]},
    ],
    ids=lambda each: next(iter(each)),
)
def test_it_is_made_again_where_something_does(outlook: Outlook, selection: Selection, changed: dict[str, Any]) -> None:
    first = decide(outlook, selection)
    second = decide(outlook, selection, **changed)
    assert second is not first
    assert decide(outlook, selection, **changed) is second
    assert decide(outlook, selection) is not second


def test_it_is_made_again_when_a_run_has_moved_and_when_all_is_forgotten(
    outlook: Outlook, selection: Selection
) -> None:
    first = decide(outlook, selection)
    run: Any = SimpleNamespace(model="m.py", version="v", replicate=0)
    outlook.changed([])
    assert decide(outlook, selection) is first
    outlook.changed([run])
    second = decide(outlook, selection)
    assert second is not first
    outlook.forget()
    assert decide(outlook, selection) is not second


def test_it_is_made_again_at_the_moment_that_it_named(outlook: Outlook, selection: Selection) -> None:
    decide(outlook, selection)
    outlook.plan = later = dataclasses.replace(outlook.plan, wake_at=NOW + timedelta(days=1))
    assert decide(outlook, selection) is later
    outlook.plan = over = dataclasses.replace(outlook.plan, wake_at=NOW)
    assert decide(outlook, selection) is not over


@pytest.mark.parametrize(
    "at", [timedelta(minutes=-2), timedelta(minutes=2)], ids=["old", "of a clock that was set back"]
)
def test_it_is_made_again_after_a_while(outlook: Outlook, selection: Selection, at: timedelta) -> None:
    first = decide(outlook, selection)
    outlook._planned_at = datetime.now(UTC) + at
    assert decide(outlook, selection) is not first


def test_what_lends_memory_and_devices_looks_each_time(outlook: Outlook, selection: Selection) -> None:
    outlook.lends = True
    first = decide(outlook, selection)
    assert decide(outlook, selection) is not first


def test_a_status_is_written_where_there_is_news_and_as_a_heartbeat(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: dict[str, Any] = {"state": "idle"}
    monkeypatch.setattr(publish, "status", lambda _: dict(told))
    scheduler: Any = SimpleNamespace(project=project)
    file = publish.StatusFile()

    def write() -> tuple[int, dict[str, Any]]:
        file.write(scheduler)
        content = wire.read_json(project.status_path)
        assert content is not None
        return project.status_path.stat().st_mtime_ns, content

    monkeypatch.setattr(publish, "_FRESH_SECONDS", 3600.0)
    first, content = write()
    assert content["state"] == "idle"
    assert datetime.fromisoformat(content["updated_at"]).tzinfo is not None
    assert write()[0] == first
    told["state"] = "running"
    second, content = write()
    assert (second > first, content["state"]) == (True, "running")
    monkeypatch.setattr(publish, "_FRESH_SECONDS", 0.0)
    assert write()[0] > second


def test_a_status_that_could_not_be_written_is_owed(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publish, "status", lambda _: {"state": "idle"})
    scheduler: Any = SimpleNamespace(project=project)
    file = publish.StatusFile()

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(wire, "write_json", full)
        with pytest.raises(OSError, match="No space"):
            file.write(scheduler)
    file.write(scheduler)
    assert (wire.read_json(project.status_path) or {})["state"] == "idle"
