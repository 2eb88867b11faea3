"""The line to Ray's client, with clients that are none: silent, mad, dying, missing."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mlpipeline.execution import ray_link
from mlpipeline.execution.ray_link import Link, last_words
from mlpipeline.execution.ray_settings import RaySettings

CONNECTED = """
import json, sys, time
def say(kind, **words): print(json.dumps({"say": kind, **words}), flush=True)
say("connected")
"""
ECHO = CONNECTED + 'for line in sys.stdin: say("heard", order=json.loads(line))'


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Link]]:
    made = []

    def link(program: str, **settings: Any) -> Link:
        client = tmp_path / "client.py"
        client.write_text(program)
        monkeypatch.setattr(ray_link, "CLIENT", client)
        made.append(Link(RaySettings(address="there:6379", **settings)))
        return made[-1]

    yield link
    for each in made:
        each.close()


def hear(link: Link, condition: Callable[[], object]) -> list[dict[str, Any]]:
    """Listens until a condition holds."""
    heard, end = [], time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, (heard, link.news)
        heard += list(link.hear())
        time.sleep(0.01)
    return heard


def test_orders_arrive_whole_however_many_they_are(make: Callable[..., Link]) -> None:
    link = make(ECHO)
    assert not link.send("too early")
    hear(link, lambda: link.is_connected)
    for number in range(500):
        assert link.send("submit", number=number, text="x" * 1000)
    heard: list[dict[str, Any]] = []
    end = time.monotonic() + 60
    while len(heard) < 500 and time.monotonic() < end:
        heard += list(link.hear())
    assert [each["order"]["number"] for each in heard] == [*range(500)]
    assert link.fault == ""


def test_a_client_that_dies_is_told_once_and_started_again(make: Callable[..., Link]) -> None:
    link = make(CONNECTED + "sys.exit('the head is gone')")
    hear(link, lambda: "the head is gone" in link.fault)
    assert not link.is_connected
    assert not link.send("submit")
    ray_link.CLIENT.write_text(ECHO)
    hear(link, lambda: link.is_connected)
    told = [text for text, _ in link.news]
    assert len(told) == 2
    assert "broke: the head is gone" in told[0]
    assert "answers again" in told[1]


@pytest.mark.parametrize(
    ("kind", "text", "word"),
    [
        ("ModuleNotFoundError", "No module named 'ray'", "client_python in [RAY]"),
        ("RuntimeError", "Version mismatch: The cluster was started with: Ray: 2.9", "client_python in [RAY]"),
        ("AuthenticationError", "invalid token", "token_file in [RAY]"),
        ("ConnectionError", "Could not find any running Ray instance", "address and token_file in [RAY]"),
    ],
)
def test_a_refusal_names_the_key_and_is_told_once(make: Callable[..., Link], kind: str, text: str, word: str) -> None:
    failed = f'import json; print(json.dumps({{"say": "failed", "kind": {kind!r}, "text": {text!r}}}), flush=True)'
    link = make(failed)
    link._pause = 0.0
    hear(link, lambda: link.fault)
    assert word in link.fault
    assert text in link.fault
    hear(link, lambda: link.process is not None)
    hear(link, lambda: link.process is None)
    assert len(link.news) == 1


def test_nonsense_is_told_and_what_is_none_counts(make: Callable[..., Link]) -> None:
    link = make('print("hello")\nprint("[1]")\nprint("{}")\n' + ECHO)
    hear(link, lambda: link.is_connected)
    assert [text for text, _ in link.news] == ["the client of Ray said what is no answer: b'hello'"]


def test_a_client_that_hangs_is_given_up(make: Callable[..., Link], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_link, "SILENT_SECONDS", 0.2)
    link = make(CONNECTED + "time.sleep(600)")
    hear(link, lambda: link.is_connected)
    assert link.process is not None
    pid = link.process.pid
    hear(link, lambda: "does not answer" in link.fault)
    assert not Path(f"/proc/{pid}").exists()


def test_a_missing_interpreter_is_named(make: Callable[..., Link]) -> None:
    link = make(ECHO, client_python="/nowhere/python")
    hear(link, lambda: link.fault)
    assert "/nowhere/python cannot be started" in link.fault
    assert "client_python" in link.fault


def test_the_real_client_tells_that_ray_is_missing(make: Callable[..., Link]) -> None:
    real = str(ray_link.CLIENT)
    link = make(f"import runpy, sys; sys.modules['ray'] = None; runpy.run_path({real!r}, run_name='__main__')")
    hear(link, lambda: link.fault)
    assert f"{sys.executable} has no Ray" in link.fault


def test_ray_s_complaint_is_told_and_not_its_stack() -> None:
    complaint = (
        "[2026-11-21 23:32:50,439 E 24437 24691] rpc_client.h:204: Failed to connect to GCS within 60 seconds. GCS"
    )
    stack = "*** StackTrace Information ***\n/lib/x86_64-linux-gnu/libc.so.6(+0x1098ec) [0x7f36c3f278ec]\n"
    assert (
        last_words(f"noise\n{complaint} may have been killed\n{stack}") == "Failed to connect to GCS within 60 seconds"
    )
    assert last_words(f"Error: no\n{stack}") == "Error: no"
    assert last_words("") == "it said nothing"
