"""What the executor makes of what Ray's client says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlpipeline import wire
from mlpipeline.execution import ray as module
from mlpipeline.execution.executor import Life
from mlpipeline.execution.ray import RayExecutor, last_words
from mlpipeline.execution.ray_settings import RaySettings
from mlpipeline.execution.remote import Patience

TOKEN = "7" * 32


class Line:
    """A link whose other end is the test."""

    def __init__(self, settings: RaySettings) -> None:
        self.fault = ""
        self.is_connected = True
        self.news: list[tuple[str, str]] = []
        self.said: list[dict[str, Any]] = []
        self.orders: list[dict[str, Any]] = []
        self.descriptor = -1

    def send(self, what: str, **words: object) -> bool:
        if self.is_connected:
            self.orders.append({"do": what, **words})
        return self.is_connected

    def hear(self) -> Iterator[dict[str, Any]]:
        said, self.said = self.said, []
        yield from said

    def given(self, what: str) -> list[dict[str, Any]]:
        return [each for each in self.orders if each["do"] == what]

    def close(self) -> None:
        self.is_connected = False


class Ray:
    """An executor, and what its client says."""

    def __init__(self, root: Path) -> None:
        self.executor = RayExecutor(RaySettings())
        self.be_patient(0.0)
        self.directory = root / "1"
        self.directory.mkdir()
        spec = {"run_id": "r", "attempt": 1, "token": TOKEN, "threads": 2}
        wire.write_json(self.directory / wire.SPEC, spec)
        line = self.executor.link
        assert isinstance(line, Line)
        self.line = line

    def be_patient(self, lease: float) -> None:
        self.executor.patience = Patience(poll=1.0, lease=lease, linger=0.0)

    def submit(self) -> str:
        self.executor.submit(self.directory)
        name = self.line.given("submit")[-1]["name"]
        assert isinstance(name, str)
        return name

    def say(self, *said: dict[str, Any]) -> None:
        self.line.said += said
        self.executor.tend()

    def list(self, *names: str) -> None:
        self.say({"say": "listing", "names": names})

    def begin(self) -> None:
        wire.write_json(self.directory / wire.NODE, {"token": TOKEN, "node": "n1", "job": "id@host"})

    @property
    def life(self) -> Life:
        return self.executor.life(self.directory)

    def bury(self) -> dict[str, Any]:
        assert self.executor.bury(self.directory, TOKEN)
        return wire.read_json(self.directory / wire.OUTCOME) or {}


@pytest.fixture
def ray(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ray:
    monkeypatch.setattr(module, "Link", Line)
    return Ray(tmp_path)


def test_the_name_in_ray_does_not_tell_the_token(ray: Ray) -> None:
    name = ray.submit()
    assert name.startswith("r.1-")
    assert TOKEN not in name
    assert ray.line.given("submit")[0]["needs"] == {"num_cpus": 2.0, "num_gpus": 0.0}


def test_an_order_that_was_not_answered_is_given_again(ray: Ray) -> None:
    name = ray.submit()
    ray.line.is_connected = False
    ray.executor.tend()
    ray.line.is_connected = True
    ray.line.hear = lambda: iter(())  # type: ignore[method-assign]
    was = len(ray.line.given("submit"))
    ray.executor._order_again()
    assert len(ray.line.given("submit")) == was + 1
    ray.executor._heed({"say": "submitted", "name": name})
    ray.executor._order_again()
    assert len(ray.line.given("submit")) == was + 1
    assert ray.life is Life.ALIVE


def test_it_lives_as_long_as_ray_has_it(ray: Ray) -> None:
    name = ray.submit()
    ray.say({"say": "submitted", "name": name})
    ray.list(name)
    assert ray.life is Life.ALIVE
    assert ray.executor.reasons() == {ray.directory: "waits in Ray"}
    ray.say({"say": "begun", "name": name}, {"say": "same"})
    assert ray.life is Life.ALIVE
    assert ray.executor.reasons() == {}


def test_what_ray_forgot_before_it_began_is_gone_and_can_never_begin(ray: Ray) -> None:
    name = ray.submit()
    ray.say({"say": "submitted", "name": name})
    ray.list()
    assert ray.life is Life.GONE
    outcome = ray.bury()
    assert outcome["state"] == "lost"
    assert not wire.write_json_once(ray.directory / wire.NODE, {"token": TOKEN})


def test_what_has_begun_is_swept_on_its_node_before_it_is_gone(ray: Ray) -> None:
    name = ray.submit()
    ray.begin()
    ray.be_patient(600.0)
    ray.say({"say": "begun", "name": name})
    ray.list()
    assert ray.life is Life.UNKNOWN
    (order,) = ray.line.given("sweep")
    assert (order["node"], order["host"]) == ("id", "host")
    ray.say({"say": "swept", "name": name, "state": "clear"}, {"say": "same"})
    assert ray.life is Life.GONE
    assert ray.bury()["cause"] == "lost_supervisor"


def test_a_node_that_is_gone_is_told(ray: Ray) -> None:
    name = ray.submit()
    ray.begin()
    ray.say({"say": "begun", "name": name})
    ray.list()
    ray.say({"say": "swept", "name": name, "state": "no node"}, {"say": "same"})
    ray.be_patient(600.0)
    assert ray.life is Life.UNKNOWN  # cut off, it may be alive there
    ray.be_patient(0.0)
    assert ray.life is Life.GONE
    outcome = ray.bury()
    assert (outcome["state"], outcome["cause"]) == ("lost", "node_failed")
    assert "n1" in outcome["message"]


@pytest.mark.parametrize(
    ("kind", "state", "cause"), [("refused", "failed", "refused"), ("memory", "failed", "out_of_memory")]
)
def test_what_ray_says_of_an_end_is_the_outcome(ray: Ray, kind: str, state: str, cause: str) -> None:
    name = ray.submit()
    text = "Traceback\n  File x\nFileNotFoundError: node n1 has no /project\n"
    ray.say({"say": "submitted", "name": name}, {"say": "ended", "name": name, "kind": kind, "text": text})
    ray.list()
    assert ray.life is Life.GONE
    outcome = ray.bury()
    assert (outcome["state"], outcome["cause"]) == (state, cause)
    assert "FileNotFoundError: node n1 has no /project" in outcome["message"]


def test_what_waits_is_cancelled_also_where_ray_does_not_answer(ray: Ray) -> None:
    ray.submit()
    ray.line.is_connected = False
    ray.executor.ask(ray.directory, "cancel")
    assert ray.life is Life.GONE
    assert ray.bury()["state"] == "cancelled"


def test_what_runs_is_signalled_and_again_by_the_next_client(ray: Ray) -> None:
    name = ray.submit()
    ray.say({"say": "begun", "name": name})
    ray.list(name)
    ray.begin()
    ray.executor.ask(ray.directory, "cancel")
    ray.executor._order_again()
    assert [each["number"] for each in ray.line.given("signal")] == [15, 15]
    assert ray.line.given("drop") == []


def test_without_a_line_nothing_is_known_and_outcomes_are_looked_for(ray: Ray) -> None:
    name = ray.submit()
    ray.say({"say": "begun", "name": name})
    ray.list(name)
    ray.executor.moved()
    ray.line.is_connected, ray.line.fault = False, "Ray does not answer"
    ray.executor.tend()
    assert ray.life is Life.ALIVE
    assert ray.directory in (ray.executor.moved() or ())


def test_what_waits_while_there_is_no_line_says_so(ray: Ray) -> None:
    ray.line.is_connected, ray.line.fault = False, "Ray does not answer"
    ray.executor.submit(ray.directory)
    ray.executor.tend()
    assert ray.executor.reasons() == {ray.directory: "Ray does not answer"}


def test_what_is_forgotten_is_let_go(ray: Ray) -> None:
    ray.submit()
    ray.executor.forget(ray.directory)
    assert ray.executor.places == {}
    assert ray.executor.directories == {}


def test_the_last_words_of_a_traceback_count() -> None:
    assert last_words("a\n  b\n\n") == "b"
    assert last_words("") == "it gave no reason"
