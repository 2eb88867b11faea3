"""Pages that are open while something goes wrong: a dashboard that is started anew, a full disk, files that vanish."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sqlite3
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from mlpipeline import wire
from mlpipeline.project import Project

from .conftest import STEPS, Dashboard, Workshop
from .test_queue import answered, models, row, until

pytest.importorskip("starlette", reason="starlette is missing")
Open = Callable[..., tuple[Dashboard, Any]]
TOUCH = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
STALLS = """
import time
for step in self.run.steps(range(1, 1001)):
    self.run.record(step=step, loss=1 / step)
    while step == 150 and not (ROOT / "go").exists():
        time.sleep(0.5)
    time.sleep(0.02)
"""


def free_port() -> str:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return str(one.getsockname()[1])


def pill(page: Any, region: str, name: str, word: str) -> Any:
    return row(page, region, name).locator(".pill", has_text=word)


def test_an_open_page_goes_on_with_a_dashboard_that_was_started_anew(
    training: Workshop, open_dashboard: Open, visitor: Callable[..., Any]
) -> None:
    port = free_port()
    dashboard, page = open_dashboard("--port", port)
    page.evaluate("window.same = true")
    dashboard.process.send_signal(signal.SIGTERM)
    page.locator("#connection", has_text="does not answer").wait_for()
    assert dashboard.process.wait(60) == 0
    Dashboard(training, "--port", port)
    until(page, "() => document.getElementById('connection').textContent === ''")
    first = page.locator("#live_running progress").get_attribute("value")
    until(page, "first => document.querySelector('#live_running progress').value > Number(first)", first)
    row(page, "next", "b.py:one").get_by_role("button", name="Hold").click()
    pill(page, "waiting", "b.py:one", "HELD").wait_for()
    assert page.evaluate("window.same")
    stranger = visitor()
    stranger.goto(dashboard.link)  # it was used, and is of the dashboard before
    stranger.get_by_text("this link has been used").wait_for()


def test_every_word_of_the_terminal_is_on_the_page(workshop: Workshop, open_dashboard: Open) -> None:
    workshop.model("a.py", STALLS)
    workshop.model("b.py", STEPS)
    workshop.model("c.py", STEPS)
    (workshop.models / "d.py").write_text("MODEL = (\n")
    workshop.list("a.py", "b.py", "c.py = hold", "d.py")
    first = workshop.start("-r", "-u", "--watch", "-j", "2")
    workshop.until(lambda: len(workshop.json("status")["running"]) == 2, "two runs run")
    first.kill()
    first.wait()
    second = workshop.start("-r", "-u", "--watch", "-j", "2")
    dashboard, page = open_dashboard(stalled_after=2.0)
    pill(page, "running", "b.py:one", "ADOPTED").wait_for()
    pill(page, "running", "a.py:one", "STALLED").wait_for()
    row(page, "running", "a.py:one").get_by_text("silent").wait_for()
    row(page, "running", "b.py:one").get_by_text("val_accuracy").wait_for()
    pill(page, "waiting", "c.py:one", "HELD").wait_for()
    page.locator('.order li[data-model="d.py"] .pill', has_text="FAULTY").wait_for()
    second.kill()
    second.wait()
    page.get_by_text("The scheduler is not running on here; last heard").wait_for()
    page.get_by_text("What is running goes on without a scheduler").wait_for()
    lost = next(each for each in workshop.json("status")["running"] if each["run"]["model"] == "b.py")["run"]
    started = wire.read_json(workshop.root / lost["directory"] / wire.STARTED) or {}
    supervisor = psutil.Process(started["pid"])
    for each in (supervisor, *supervisor.children(recursive=True)):  # the supervisor would tell of its worker's end
        os.kill(each.pid, signal.SIGKILL)
    pill(page, "running", "b.py:one", "LOST").wait_for()
    for path in ("/compare", "/models", f"/runs/{lost['run']}"):
        page.goto(dashboard.url + path)
        page.locator(".pill", has_text="LOST").wait_for()
    page.get_by_text("1 lost: the processes are gone").wait_for()


def test_what_cannot_be_written_is_refused_and_shown_as_it_is(training: Workshop, open_dashboard: Open) -> None:
    dashboard, page = open_dashboard()
    before = (training.root / "models.config").read_bytes()
    process = psutil.Process(dashboard.process.pid)
    limits = process.rlimit(psutil.RLIMIT_FSIZE)
    process.rlimit(psutil.RLIMIT_FSIZE, (0, limits[1]))  # no file can grow, as on a full disk
    row(page, "next", "b.py:one").get_by_role("button", name="Hold").click()
    page.locator(".toast.refused", has_text="cannot be written").wait_for()
    page.get_by_role("button", name="Move b.py down").click()
    page.locator(".toast.refused", has_text="models.config").wait_for()
    assert models(page) == ["a.py", "b.py", "c.py"]
    assert (training.root / "models.config").read_bytes() == before
    process.rlimit(psutil.RLIMIT_FSIZE, limits)
    page.get_by_role("button", name="Move b.py down").click()
    page.locator(".toast.done", has_text="moved").wait_for()
    assert models(page) == ["a.py", "c.py", "b.py"]
    assert answered(training, "hold") == []


def test_a_row_is_moved_by_touch(training: Workshop, open_dashboard: Open) -> None:
    _, page = open_dashboard(**TOUCH)
    page.locator(".order").scroll_into_view_if_needed()
    grip = page.locator('.order li[data-model="c.py"] .grip').bounding_box()
    top = page.locator('.order li[data-model="a.py"]').bounding_box()
    client = page.context.new_cdp_session(page)
    x, y = grip["x"] + grip["width"] / 2, grip["y"] + grip["height"] / 2

    def touch(kind: str, *points: dict[str, float]) -> None:
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": list(points)})

    touch("touchStart", {"x": x, "y": y})
    for part in range(1, 6):
        touch("touchMove", {"x": x, "y": y + (top["y"] + 2 - y) * part / 5})
    touch("touchEnd")
    page.locator(".toast", has_text="moved").wait_for()
    assert models(page) == ["c.py", "a.py", "b.py"]


def test_outputs_that_are_deleted_under_the_page_are_said(workshop: Workshop, open_dashboard: Open) -> None:
    workshop.model("a.py", "self.run.record(step=1, loss=0.5)")
    workshop.list("a.py")
    workshop.run("-r", "-u")
    dashboard, page = open_dashboard()
    run = workshop.history()[0]
    page.goto(f"{dashboard.url}/runs/{run['id']}")
    page.get_by_role("img", name="loss").wait_for()
    shutil.rmtree(workshop.root / run["directory"])
    page.get_by_text("The files of this run are gone.").wait_for()
    shutil.rmtree(workshop.outputs)
    page.locator("#live_trouble", has_text=run["id"]).wait_for()
    page.goto(dashboard.url)
    page.get_by_text("Nothing has ended yet.").wait_for()


def test_a_ledger_of_a_newer_release_is_said_while_the_page_is_open(workshop: Workshop, open_dashboard: Open) -> None:
    workshop.model("a.py", "pass")
    workshop.list("a.py")
    workshop.run("-r", "-u")
    _, page = open_dashboard()
    row(page, "ended", "a.py:one").wait_for()
    path = Project.load(workshop.root).ledger_path
    known = _version(path)
    _version(path, 999)
    page.locator("#live_trouble", has_text="newer").wait_for()
    _version(path, known)
    page.locator("#live_trouble:empty").wait_for(state="attached")
    row(page, "ended", "a.py:one").wait_for()


def _version(path: Any, wanted: int | None = None) -> int:
    connection = sqlite3.connect(path)
    try:
        if wanted is not None:
            connection.execute(f"PRAGMA user_version = {wanted}")
            connection.commit()
        return int(connection.execute("PRAGMA user_version").fetchone()[0])
    finally:
        connection.close()


def test_a_million_points_are_one_line_of_the_page(workshop: Workshop, open_dashboard: Open) -> None:
    workshop.model("a.py", "self.run.record(step=0, loss=1.0)")
    workshop.list("a.py")
    workshop.run("-r", "-u")
    run = workshop.history()[0]
    with (workshop.root / run["directory"] / "metrics.jsonl").open("w") as file:
        file.writelines(f'{{"step": {step}, "values": {{"loss": {1 / (1 + step)}}}}}\n' for step in range(1_000_000))
    dashboard, page = open_dashboard()
    page.goto(f"{dashboard.url}/runs/{run['id']}")
    page.get_by_role("img", name="loss").wait_for()
    line = page.locator(".chart polyline").get_attribute("points")
    assert 100 < len(line.split()) < 5000
    page.get_by_role("link", name="Queue").click()
    page.get_by_role("heading", name="Queue", exact=True).wait_for()
