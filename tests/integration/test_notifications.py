"""Notifications reach a real server; one that is down or hangs costs no run anything."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from mlpipeline.observe import messenger

from .conftest import Workshop

FAILS = "raise ValueError('no such luck')"


class Hook(ThreadingHTTPServer):
    """A webhook that keeps what it is sent, and answers with a status."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Asked)
        self.received: list[dict[str, Any]] = []
        self.answer = 204
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/T0/secret"

    def kinds(self) -> list[str]:
        return [each["kind"] for message in self.received for each in message["notices"]]


class _Asked(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.answer < 300:
            self.server.received.append(json.loads(content))
        self.send_response(self.server.answer)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@pytest.fixture
def hook() -> Iterator[Hook]:
    server = Hook()
    yield server
    server.shutdown()
    server.server_close()


def notified(workshop: Workshop, url: str, *lines: str, every: str = "0.1") -> None:
    workshop.config("\n".join(["preload = none", "[NOTIFY]", f"webhook = {url}", f"every = {every}", *lines, ""]))
    workshop.list("m.py")


def test_a_failure_and_the_empty_queue_are_told(workshop: Workshop, hook: Hook) -> None:
    notified(workshop, hook.url)
    workshop.model("m.py", FAILS)
    workshop.run("-r", "-u")
    workshop.until(lambda: "empty" in hook.kinds(), "the last word arrives")
    assert sorted(hook.kinds()) == ["empty", "failed"]
    told = "\n".join(each["text"] for each in hook.received)
    assert "ValueError: no such luck" in told
    assert "the queue is empty: 1 failed" in told


def test_only_what_is_wanted_is_told(workshop: Workshop, hook: Hook) -> None:
    notified(workshop, hook.url, "on = empty")
    workshop.model("m.py", FAILS)
    workshop.run("-r", "-u")
    workshop.until(lambda: hook.received, "the last word arrives")
    assert hook.kinds() == ["empty"]


def test_a_killed_scheduler_is_told(workshop: Workshop, hook: Hook) -> None:
    notified(workshop, hook.url)
    workshop.model("m.py", "import time\ntime.sleep(600)")
    queue = workshop.start("-r", "-u")
    workshop.until(lambda: workshop.truth("train"), "the training begins")
    queue.kill()
    workshop.until(lambda: hook.kinds() == ["gone"], "its end is told")
    assert "1 run still going on" in hook.received[0]["text"]


def test_a_server_that_hangs_or_refuses_costs_nothing_and_is_named_without_its_secret(
    workshop: Workshop, hook: Hook
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:  # it takes connections, and never answers
        notified(workshop, f"http://127.0.0.1:{deaf.getsockname()[1]}/T0/secret")
        workshop.model("m.py", FAILS)
        status, _ = workshop.run("-r", "-u")
        assert status == 1
        assert [each["state"] for each in workshop.history()] == ["failed"]
    hook.answer = 500
    notified(workshop, hook.url)
    workshop.run("retry", "--failed")
    workshop.run("-r", "-u")
    workshop.until(lambda: "no notification could be sent" in workshop.output(), "it is said in the log")
    workshop.until(lambda: "answered 500" in workshop.output(), "and why")
    assert "secret" not in workshop.output()


def test_a_faulty_section_is_told_before_anything_starts(workshop: Workshop) -> None:
    notified(workshop, "ftp://nowhere")
    workshop.model("m.py", FAILS)
    status, told = workshop.run("-r", "-u")
    assert status == 2
    assert "mlp.config:6: webhook: must be a URL that begins with https:// or http://" in told
    assert not workshop.truth()


@pytest.mark.filterwarnings("ignore:.imghdr. is deprecated:DeprecationWarning")  # apprise, before Python 3.13
def test_apprise_sends_as_well(hook: Hook) -> None:
    pytest.importorskip("apprise", reason="apprise is not installed: pip install 'mlpipeline[notify]'")
    message = {"title": "a title", "body": "a body"}
    known, unknown = messenger.Wanted(urls=(f"json://127.0.0.1:{hook.server_port}/", "nobody://secret")).places()
    hook.answer = 500
    assert messenger.send(known, message) == "apprise could not send by json://"
    hook.answer = 200
    hook.received.clear()
    assert messenger.send(known, message) == ""
    assert hook.received[0]["message"] == "a body"
    assert messenger.send(unknown, message) == "apprise does not know what a nobody:// URL like this one means"


GATED = """
while not (ROOT / f"go-{self.run.version}").exists(): time.sleep(0.01)
raise ValueError(f"{self.run.version} fails")
"""
THREE = 'Versions(0.1, Loader(), 2, 1).add("a").add("b").add("c")'


def go(workshop: Workshop, version: str) -> None:
    (workshop.root / f"go-{version}").touch()


def test_nothing_is_told_twice_and_nothing_lost_when_the_scheduler_is_killed(workshop: Workshop, hook: Hook) -> None:
    notified(workshop, hook.url)
    workshop.model("m.py", GATED, THREE)
    queue = workshop.start("-r", "-u", "-j", "2")
    go(workshop, "a")
    workshop.until(lambda: "failed" in hook.kinds(), "the first failure is told")
    workshop.until(lambda: len(workshop.truth("train")) == 3, "the others train")
    queue.kill()
    workshop.until(lambda: "gone" in hook.kinds(), "the scheduler's end is told")
    go(workshop, "b")
    outcomes = workshop.outputs / "runs"
    workshop.until(lambda: len(list(outcomes.glob("*/1/outcome.json"))) == 2, "a run ends while nobody looks")
    second = workshop.start("-r", "-u", "-j", "2")
    workshop.until(lambda: hook.kinds().count("failed") == 2, "what ended meanwhile is told")
    go(workshop, "c")
    second.wait()
    workshop.until(lambda: "empty" in hook.kinds(), "the last word arrives")
    assert sorted(hook.kinds()) == ["empty", "failed", "failed", "failed", "gone"]
    told = "\n".join(each["text"] for each in hook.received)
    assert [told.count(f"ValueError: {version} fails") for version in "abc"] == [1, 1, 1]
    kept = workshop.outputs / "notices-here.json"
    workshop.until(lambda: not kept.exists(), "nothing is left to be told")


def test_what_could_not_be_told_is_told_by_the_next_queue(workshop: Workshop, hook: Hook) -> None:
    hook.answer = 500
    notified(workshop, hook.url)
    workshop.model("m.py", FAILS)
    assert workshop.run("-r", "-u")[0] == 1
    kept = workshop.outputs / "notices-here.json"
    workshop.until(lambda: not workshop.left_behind(), "who notifies gives up")
    assert "no such luck" in kept.read_text()
    assert "secret" not in kept.read_text()
    hook.answer = 204
    assert workshop.run("-r", "-u")[0] == 1
    workshop.until(lambda: hook.kinds(), "it is told")
    assert hook.kinds() == ["failed", "empty"]


def test_one_place_that_fails_makes_no_other_hear_twice(workshop: Workshop, hook: Hook) -> None:
    pytest.importorskip("apprise", reason="apprise is not installed: pip install 'mlpipeline[notify]'")
    notified(workshop, hook.url, "urls = json://127.0.0.1:9/secret", "on = failed")
    workshop.model("m.py", GATED, THREE)
    queue = workshop.start("-r", "-u")
    go(workshop, "a")
    workshop.until(lambda: workshop.output().count("apprise could not send by json://") > 1, "it is tried again")
    assert hook.kinds() == ["failed"]
    queue.kill()


def test_what_follows_the_first_message_is_gathered_into_one(workshop: Workshop, hook: Hook) -> None:
    notified(workshop, hook.url, every="1h")
    workshop.model("m.py", GATED, THREE)
    queue = workshop.start("-r", "-u")
    go(workshop, "a")
    workshop.until(lambda: hook.kinds() == ["failed"], "the first is told at once")
    go(workshop, "b")
    go(workshop, "c")
    queue.wait()
    workshop.until(lambda: len(hook.received) == 2, "the rest is told in the end")
    assert hook.kinds() == ["failed", "failed", "failed", "empty"]
    assert "the queue is empty, 2 failed" in hook.received[1]["title"]


def test_a_test_message_says_who_has_taken_it(workshop: Workshop, hook: Hook) -> None:
    status, told = workshop.run("notify")
    assert (status, "[NOTIFY]" in told) == (2, True)
    notified(workshop, hook.url)
    assert workshop.run("notify") == (0, "the webhook at 127.0.0.1 has taken it\n")
    assert workshop.run("notify", "the data is ready")[0] == 0
    assert hook.kinds() == ["test", "message"]
    assert "the data is ready" in hook.received[1]["text"]
    hook.answer = 500
    assert workshop.run("notify") == (1, "the webhook at 127.0.0.1 answered 500\n")
    assert workshop.json("notify")["sent"] == [
        {"to": "the webhook at 127.0.0.1", "ok": False, "trouble": "the webhook at 127.0.0.1 answered 500"}
    ]
