"""The dashboard as a process: its link, its port, its stream, and its life beside a scheduler."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from mlpipeline.project import Project
from mlpipeline.queue import companion

from .conftest import GENEROUS_SECONDS, Workshop

httpx = pytest.importorskip("httpx", reason="httpx is missing")
for library in ("starlette", "uvicorn", "jinja2", "prometheus_client"):
    pytest.importorskip(library, reason=f"{library} is missing")


@contextlib.contextmanager
def browser(link: str) -> Iterator[Any]:
    """A browser without a window: follows a link, and keeps its cookie."""
    place, _, token = link.partition("/#token=")
    with httpx.Client(base_url=place, headers={"Origin": place}, timeout=GENEROUS_SECONDS) as client:
        answer = client.post("/session", json={"token": token})
        assert answer.status_code == 200, answer.text
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        yield client


def dashboard(shop: Workshop, *options: str) -> tuple[Any, str]:
    process = shop.start("dashboard", "--port", "0", *options)
    for line in process.stdout:
        if "http://" in line:
            return process, "http://" + line.partition("http://")[2].split()[0]
    raise AssertionError("it has ended")


def listening(pid: int) -> set[str]:
    return {each.laddr.ip for each in psutil.Process(pid).net_connections("tcp") if each.status == psutil.CONN_LISTEN}


def test_it_listens_on_loopback_and_ends_when_told(workshop: Workshop) -> None:
    process, link = dashboard(workshop)
    assert listening(process.pid) == {"127.0.0.1"}
    with browser(link) as client:
        assert client.get("/").status_code == 200
    process.send_signal(signal.SIGTERM)
    assert process.wait(GENEROUS_SECONDS) == 0


def test_it_is_opened_to_others_only_where_that_is_said(workshop: Workshop) -> None:
    status, text = workshop.run("dashboard", "--port", "0", "--address", "0.0.0.0")
    assert (status, "--public" in text) == (2, True)


def test_a_port_that_is_taken_is_said(workshop: Workshop) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        status, text = workshop.run("dashboard", "--port", str(taken.getsockname()[1]))
    assert (status, "is in use" in text) == (2, True)


def test_it_ends_while_a_page_is_open(workshop: Workshop) -> None:
    process, link = dashboard(workshop)
    with browser(link) as client, client.stream("GET", "/live/queue") as stream:
        lines = stream.iter_lines()
        assert next(lines) == "event: regions"
        assert "not running" in json.loads(next(lines).removeprefix("data: "))["live_scheduler"]
        process.send_signal(signal.SIGINT)
        assert process.wait(GENEROUS_SECONDS) == 0


def test_another_link_is_for_another_browser(workshop: Workshop) -> None:
    _, link = dashboard(workshop)
    with browser(link):
        other = workshop.json("dashboard", "--link")["link"]
    with browser(other) as client:
        assert client.get("/models").status_code == 200
    private = Project.load(workshop.root).dashboard_path
    assert os.stat(private.parent).st_mode & 0o077 == 0


def test_without_one_there_is_no_link(workshop: Workshop) -> None:
    status, text = workshop.run("dashboard", "--link")
    assert (status, "no dashboard of this project runs" in text) == (2, True)


def test_one_runs_beside_a_scheduler_and_outlives_its_death(workshop: Workshop) -> None:
    workshop.config("[DASHBOARD]\nport = 0\n")
    workshop.model("a.py", "import time\nwhile not (ROOT / 'go').exists(): time.sleep(0.01)")
    workshop.list("a.py")
    project = Project.load(workshop.root)
    first = workshop.start("-r", "-u", "--watch")
    found = workshop.until(lambda: companion.registered(project), "a dashboard is registered")
    with browser(found["link"]) as client:
        first.kill()
        first.wait()
        assert "not running" in client.get("/").text
        second = workshop.start("-r", "-u")
        workshop.until(lambda: "The scheduler runs" in client.get("/").text, "the page shows the second scheduler")
        assert (companion.registered(project) or {})["pid"] == found["pid"]
        (workshop.root / "go").touch()
        assert second.wait(GENEROUS_SECONDS) == 0
    workshop.until(lambda: companion.registered(project) is None, "it ends with the scheduler")


@pytest.mark.parametrize("line", ["port = x", "port = 70000", "prot = 8320", "port = 0\nread_only = perhaps"])
def test_a_faulty_section_is_said_before_anything_runs(workshop: Workshop, line: str) -> None:
    workshop.config(f"[DASHBOARD]\n{line}\n")
    workshop.model("a.py", "pass")
    workshop.list("a.py")
    status, text = workshop.run("-r", "-u")
    assert (status, "[DASHBOARD]" in text) == (2, True)
    assert not workshop.outputs.exists()
