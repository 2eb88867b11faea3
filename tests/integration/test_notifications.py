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


def notified(workshop: Workshop, url: str, *lines: str) -> None:
    workshop.config("\n".join(["preload = none", "[NOTIFY]", f"webhook = {url}", "every = 0.1", *lines, ""]))
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
    wanted = messenger.Wanted(urls=(f"json://127.0.0.1:{hook.server_port}/",))
    hook.answer = 500
    assert messenger.send(wanted, message) == ["apprise could not send by json://"]
    hook.answer = 200
    hook.received.clear()
    assert messenger.send(wanted, message) == []
    assert hook.received[0]["message"] == "a body"
    assert "nobody://" in messenger.send(messenger.Wanted(urls=("nobody://secret",)), message)[0]
