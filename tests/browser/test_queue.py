"""The page of the queue while a real queue runs: progress without reload, and everything that can be asked."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from typing import Any

import pytest

from mlpipeline import requests
from mlpipeline.project import Project

from .conftest import Dashboard, Workshop

pytest.importorskip("starlette", reason="starlette is missing")
Open = Callable[..., tuple[Dashboard, Any]]


def models(page: Any) -> list[str]:
    found: list[str] = page.locator(".order li").evaluate_all("items => items.map(item => item.dataset.model)")
    return found


def until(page: Any, condition: str, argument: Any = None) -> None:
    page.wait_for_function(condition, arg=argument)


def row(page: Any, region: str, name: str) -> Any:
    return page.locator(f"#live_{region} tr", has=page.locator("th", has_text=name))


def answered(shop: Workshop, action: str) -> list[requests.Request]:
    project = Project.load(shop.root)
    paths = project.requests_dir.glob("*.answer.json")
    found = [requests.read_answer(project, path.name.removesuffix(".answer.json")) for path in paths]
    return [each.request for each in found if each is not None and each.request.action == action]


def test_progress_goes_on_without_a_reload(training: Workshop, open_dashboard: Open) -> None:
    _, page = open_dashboard()
    page.evaluate("window.same = true")
    page.locator("#live_running progress").wait_for()
    first = page.locator("#live_running progress").get_attribute("value")
    until(page, "first => document.querySelector('#live_running progress').value > Number(first)", first)
    (training.root / "go").touch()
    row(page, "ended", "a.py:one").locator(".pill", has_text="succeeded").wait_for()
    assert page.evaluate("window.same")


def test_a_row_is_dragged_to_another_place_and_back(training: Workshop, open_dashboard: Open) -> None:
    _, page = open_dashboard()
    config = training.root / "models.config"
    before = config.read_text()
    assert models(page) == ["a.py", "b.py", "c.py"]
    page.locator(".order").scroll_into_view_if_needed()
    grip = page.locator('.order li[data-model="c.py"] .grip').bounding_box()
    top = page.locator('.order li[data-model="b.py"]').bounding_box()
    page.mouse.move(grip["x"] + 5, grip["y"] + 5)
    page.mouse.down()
    page.mouse.move(top["x"] + 5, top["y"] + 2, steps=5)
    page.mouse.up()
    page.locator(".toast", has_text="moved").wait_for()
    assert re.findall(r"(?:# .*)|\w\.py", config.read_text()) == ["# the first", "a.py", "c.py", "# the second", "b.py"]
    until(page, "() => document.querySelector('#live_next tbody th').textContent.startsWith('c.py')")
    page.locator(".toast button", has_text="Undo").click()
    until(
        page, "() => [...document.querySelectorAll('.order li')].map(e => e.dataset.model).join() === 'a.py,b.py,c.py'"
    )
    assert config.read_text() == before


def test_everything_works_by_keyboard(training: Workshop, open_dashboard: Open) -> None:
    _, page = open_dashboard()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "To the content"
    down = page.get_by_role("button", name="Move b.py down")
    for _ in range(60):
        page.keyboard.press("Tab")
        if down.evaluate("button => button === document.activeElement"):
            break
    page.keyboard.press("Enter")
    page.locator(".toast", has_text="moved").wait_for()
    assert models(page) == ["a.py", "c.py", "b.py"]
    assert page.evaluate("document.activeElement.closest('li').dataset.model") == "b.py"
    until(page, "() => document.querySelector('#live_next tbody th').textContent.startsWith('c.py')")
    page.get_by_role("button", name="Move b.py up").focus()
    page.keyboard.press("Enter")
    until(page, "() => document.querySelector('#live_next tbody th').textContent.startsWith('b.py')")


def test_hold_now_pause_and_their_undo(training: Workshop, open_dashboard: Open) -> None:
    _, page = open_dashboard()
    row(page, "next", "b.py:one").get_by_role("button", name="Hold").click()
    row(page, "waiting", "b.py:one").locator(".pill", has_text="HELD").wait_for()
    page.locator(".toast button", has_text="Undo").click()
    row(page, "next", "b.py:one").wait_for()
    row(page, "next", "c.py:one").get_by_role("button", name="Now").click()
    until(page, "() => document.querySelector('#live_next tbody th').textContent.startsWith('c.py')")
    page.get_by_role("button", name="Pause the queue").click()
    page.locator("#live_pause", has_text="The queue is paused").wait_for()
    page.get_by_role("button", name="Resume").click()
    page.get_by_role("button", name="Pause the queue").wait_for()
    assert [each.target for each in answered(training, "hold")] == ["b.py:one"]


def test_cancel_asks_first_and_retry_runs_again(training: Workshop, open_dashboard: Open) -> None:
    _, page = open_dashboard()
    cancel = row(page, "running", "a.py:one").get_by_role("button", name="Cancel")
    cancel.click()
    page.locator("#confirm button[value=no]").click()
    assert answered(training, "cancel") == []
    cancel.click()
    page.locator("#confirm button[value=yes]").click()
    ended = row(page, "ended", "a.py:one")
    ended.locator(".pill", has_text="cancelled").wait_for()
    ended.get_by_role("button", name="Retry").click()
    page.locator(".toast.done").last.wait_for()
    training.until(lambda: answered(training, "retry"), "the scheduler answers the retry")


def test_the_page_outlives_the_scheduler(training: Workshop, open_dashboard: Open) -> None:
    _, page = open_dashboard()
    page.get_by_text("The scheduler runs").wait_for()
    training.processes[0].send_signal(signal.SIGKILL)
    page.get_by_text("The scheduler is not running").wait_for()
    page.get_by_text("What is running goes on without a scheduler").wait_for()
    row(page, "running", "a.py:one").wait_for()
    training.start("-r", "-u", "--watch")
    page.get_by_text("The scheduler runs").wait_for()
    row(page, "running", "a.py:one").wait_for()
    assert len(training.history()[-1]["attempts"]) == 1  # it was adopted


def test_the_page_says_that_the_dashboard_has_ended(training: Workshop, open_dashboard: Open) -> None:
    dashboard, page = open_dashboard()
    page.locator("#live_running progress").wait_for()
    dashboard.process.send_signal(signal.SIGTERM)
    page.locator("#connection", has_text="does not answer").wait_for()
    assert dashboard.process.wait(60) == 0
    assert training.history()[-1]["state"] == "running"


def test_read_only_has_no_buttons(training: Workshop, open_dashboard: Open) -> None:
    _, page = open_dashboard("--read-only")
    row(page, "running", "a.py:one").wait_for()
    assert page.locator("main button").count() == 0


def test_a_second_user_needs_a_link_of_their_own(
    training: Workshop, open_dashboard: Open, visitor: Callable[..., Any]
) -> None:
    dashboard, page = open_dashboard()
    other = visitor()
    for address in (dashboard.url, dashboard.link):
        other.goto("about:blank")
        other.goto(address)
        assert "a.py" not in other.content()
    other.get_by_text("this link has been used").wait_for()
    other.goto("about:blank")
    other.goto(dashboard.new_link())
    other.locator("#live_running", has_text="a.py").wait_for()
    row(other, "next", "b.py:one").get_by_role("button", name="Hold").click()
    row(page, "waiting", "b.py:one").locator(".pill", has_text="HELD").wait_for()
