"""A server under a load generator, fuzzed from its own OpenAPI document, and its page in a browser."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.serving.conftest import ROW, Server, save, start, until
from tests.services.conftest import missing

pytestmark = pytest.mark.services
Start = Callable[..., Server]
__all__ = ["start"]
_CHROMIUM = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)


@pytest.fixture
def server(start: Start, tmp_path: Path) -> Server:
    """A server with one model."""
    save(tmp_path / "a", "yes")
    return start("votes=a")


@pytest.fixture
def browser() -> Iterator[Any]:
    """Chromium, without a window."""
    program = shutil.which("chromium")
    if program is None:
        missing("there is no chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("there is no playwright: pip install the extra `services`")
    with sync_playwright() as player:
        found = player.chromium.launch(executable_path=program, args=list(_CHROMIUM))
        yield found
        found.close()


def generate(server: Server, tmp_path: Path, *options: str) -> subprocess.Popen[str]:
    """Starts a load generator on one row."""
    program = shutil.which("ab")
    if program is None:
        missing("there is no ab, of apache2-utils")
    (tmp_path / "row.json").write_text(json.dumps([ROW]))
    command = [program, "-q", "-r", *options, "-p", str(tmp_path / "row.json"), "-T", "application/json"]
    return subprocess.Popen(
        [*command, f"{server.url}/votes/predict"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def counted(report: str, what: str) -> int:
    found = re.search(rf"^{what}:\s+(\d+)", report, re.MULTILINE)
    return int(found.group(1)) if found else 0


@pytest.mark.parametrize("connections", [("-c", "50", "-k"), ("-c", "20")])
def test_a_load_generator_gets_every_answer(server: Server, tmp_path: Path, connections: tuple[str, ...]) -> None:
    report, _ = generate(server, tmp_path, "-n", "1500", *connections).communicate(timeout=120)
    assert counted(report, "Complete requests") == 1500, report
    assert counted(report, "Failed requests") == 0, report
    assert "Non-2xx" not in report, report
    metrics = server.client.get("/metrics").text
    assert 'mlpipeline_requests_total{model="votes",status="200"} 1500.0' in metrics
    predictions = re.search(r'mlpipeline_batch_rows_count{model="votes"} (\d+)', metrics)
    assert predictions is not None
    # Those that waited went together.
    assert int(predictions.group(1)) < 1500


def test_models_are_exchanged_under_load_without_one_failure(server: Server, tmp_path: Path) -> None:
    load = generate(server, tmp_path, "-n", "3000", "-c", "8", "-k")
    for answer in ("no!", "yea", "nay"):
        save(tmp_path / "a", answer)
        until(lambda answer=answer: server.predict() == answer, f"an answer of {answer}")
    report, _ = load.communicate(timeout=120)
    assert counted(report, "Complete requests") == 3000, report
    # All answers are of one length, by which ab compares.
    assert counted(report, "Failed requests") == 0, report
    assert "Non-2xx" not in report, report


def test_the_end_comes_under_load_and_leaves_nothing_behind(server: Server, tmp_path: Path) -> None:
    load = generate(server, tmp_path, "-n", "1000000", "-c", "20", "-k")
    until(lambda: 'status="200"' in server.client.get("/metrics").text, "a first answer")
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
    assert "Traceback" not in server.log.read_text()
    load.kill()
    load.communicate()


@pytest.mark.parametrize(
    # That all columns of a query have the same number of values, no OpenAPI document can say.
    "options",
    [("--include-method", "POST"), ("--include-method", "GET", "--exclude-checks", "positive_data_acceptance")],
)
def test_it_keeps_the_word_of_its_own_document(server: Server, tmp_path: Path, options: tuple[str, ...]) -> None:
    program = shutil.which("schemathesis", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if program is None:
        missing("there is no schemathesis: pip install the extra `services`")
    command = [program, "run", f"{server.url}/openapi.json", "--max-examples", "20", "--seed", "1", "--no-color"]
    done = subprocess.run([*command, *options], cwd=tmp_path, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "Traceback" not in server.log.read_text()
    assert server.predict() == "yes"


def test_a_person_predicts_on_the_page(server: Server, browser: Any, tmp_path: Path) -> None:
    for look in ({"color_scheme": "light"}, {"color_scheme": "dark", "viewport": {"width": 375, "height": 700}}):
        page = browser.new_page(**look)
        asked: list[str] = []
        wrong: list[str] = []
        page.on("request", lambda request: asked.append(request.url))  # noqa: B023 - used before the next turn
        page.on("console", lambda message: wrong.append(message.text))  # noqa: B023
        page.goto(server.url)
        assert page.locator("h1").inner_text() == "Models"
        # By the keyboard alone.
        page.get_by_role("spinbutton", name="age").focus()
        page.keyboard.type("30")
        page.keyboard.press("Tab")
        page.keyboard.type("Ulm")
        page.keyboard.press("Enter")
        page.wait_for_selector("[role=status]")
        assert page.locator("output").inner_text() == "yes"
        assert page.get_by_role("spinbutton", name="age").input_value() == "30"
        assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
        page.goto(f"{server.url}/docs")
        assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
        assert "POST /votes/predict" in page.inner_text("main")
        assert all(url.startswith(server.url) for url in asked)
        assert wrong == []
        page.close()
