"""A real queue, its dashboard, and a real Chromium that looks at it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.integration.conftest import GENEROUS_SECONDS, Workshop, workshop

__all__ = ["Workshop", "workshop"]
_MILLISECONDS = GENEROUS_SECONDS * 1000
CHROMIUM = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
STEPS = """
import time
from pathlib import Path
for step in self.run.steps(range(1, 10_001), description="training"):
    self.run.record(step=step, loss=1 / step, val_accuracy=1 - 1 / step)
    if step % 10 == 0:
        print("step", step, flush=True)
    if (ROOT / "go").exists():
        break
    time.sleep(0.02)
"""
"""Trains until the test makes a file."""


def missing(what: str) -> None:
    """Skips the test for want of a program; fails where a browser is required."""
    if os.environ.get("MLP_REQUIRE_BROWSER") == "1":
        pytest.fail(f"{what}, and MLP_REQUIRE_BROWSER=1: apt-get install chromium, pip install the extra `browser`")
    pytest.skip(f"{what}: apt-get install chromium, pip install the extra `browser`")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Chromium, without a window."""
    program = shutil.which("chromium")
    if program is None:
        missing("there is no chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("there is no playwright")
    with sync_playwright() as player:
        found = player.chromium.launch(executable_path=program, args=list(CHROMIUM))
        yield found
        found.close()


@pytest.fixture
def visitor(chromium: Any) -> Iterator[Callable[..., Any]]:
    """Makes a page of a browser of its own: no cookie is shared. Errors of its scripts fail the test."""
    contexts, faults = [], []

    def made(**options: Any) -> Any:
        context = chromium.new_context(locale="en-GB", **options)
        context.set_default_timeout(_MILLISECONDS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("dialog", lambda dialog: faults.append(f"a dialog opened: {dialog.message}"))
        return page

    yield made
    for context in contexts:
        context.close()
    assert faults == []


def _impatient(shop: Workshop, arguments: tuple[str, ...], seconds: float) -> subprocess.Popen[str]:
    """Starts a command to which a run is stalled after a few seconds: nobody waits two minutes for a test."""
    code = (
        f"import sys; from mlpipeline.observe import stalled; stalled.AFTER_SECONDS = {seconds}; "
        "from mlpipeline.__main__ import main; sys.exit(main())"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=shop.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    shop.processes.append(process)
    return process


class Dashboard:
    """A dashboard that runs in a workshop."""

    def __init__(self, shop: Workshop, *options: str, stalled_after: float | None = None) -> None:
        given = ("dashboard", *(() if "--port" in options else ("--port", "0")), *options)
        self.process = shop.start(*given) if stalled_after is None else _impatient(shop, given, stalled_after)
        self.link = self._next_link()
        self.url = self.link.partition("/#")[0]

    def _next_link(self) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if "http://" in line:
                return "http://" + line.partition("http://")[2].split()[0]
        raise AssertionError("the dashboard has ended")

    def new_link(self) -> str:
        """Asks for another link, as kill -HUP does."""
        import signal

        self.process.send_signal(signal.SIGHUP)
        return self._next_link()


@pytest.fixture
def open_dashboard(workshop: Workshop, visitor: Callable[..., Any]) -> Callable[..., tuple[Dashboard, Any]]:
    """Starts a dashboard, and opens it in a browser."""

    def opened(*options: str, stalled_after: float | None = None, **view: Any) -> tuple[Dashboard, Any]:
        dashboard = Dashboard(workshop, *options, stalled_after=stalled_after)
        page = visitor(**view)
        page.goto(dashboard.link)
        page.get_by_role("heading", name="Queue", exact=True).wait_for()
        return dashboard, page

    return opened


@pytest.fixture
def training(workshop: Workshop) -> Workshop:
    """A queue at work: `a.py` trains until it is told to end, `b.py` and `c.py` wait."""
    for name in ("a.py", "b.py", "c.py"):
        workshop.model(name, STEPS)
    workshop.list("# the first", "a.py", "# the second", "b.py", "c.py")
    workshop.start("-r", "-u", "--watch")
    workshop.until(lambda: any(each["state"] == "running" for each in workshop.history()), "a run runs")
    return workshop
