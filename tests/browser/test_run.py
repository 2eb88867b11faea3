"""The pages of runs: live curves and output, comparison, and what a model may not do to them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from mlpipeline.ledger import Ledger
from mlpipeline.project import Project
from tests.unit.sample_runs import sample_run

from .conftest import Dashboard, Workshop

pytest.importorskip("starlette", reason="starlette is missing")
Open = Callable[..., tuple[Dashboard, Any]]
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
EVIL = """
print("<img src=x onerror=alert(1)>\\x1b[31mred\\x1b[0m\\x1b]0;title\\x07", flush=True)
self.run.record(step=1, **{"<b>loss</b>": 1.0})
raise ValueError("<script>alert(2)</script>\\x1b[2J")
"""


def only(shop: Workshop) -> dict[str, Any]:
    return shop.history()[0]


def test_curves_and_output_grow_on_the_page(training: Workshop, open_dashboard: Open) -> None:
    _, page = open_dashboard()
    page.locator("#live_running a", has_text="a.py:one").click()
    page.get_by_role("heading", name="a.py:one").wait_for()
    page.get_by_role("img", name="loss").first.wait_for()
    page.locator("#log", has_text="step 10").wait_for()
    first = page.locator(".chart polyline").first.get_attribute("points")
    page.wait_for_function(
        "first => document.querySelector('.chart polyline').getAttribute('points') !== first", arg=first
    )
    (training.root / "go").touch()
    page.locator("#live_head .pill", has_text="succeeded").wait_for()
    page.locator("#live_results", has_text="steps").wait_for()


def test_a_log_of_100_mb_does_not_freeze_the_page(workshop: Workshop, open_dashboard: Open) -> None:
    workshop.model("a.py", "print('first', flush=True)")
    workshop.list("a.py")
    workshop.run("-r", "-u")
    run = only(workshop)
    with (workshop.root / run["directory"] / "output.log").open("ab") as file:
        for _ in range(100):
            file.write(b"a line of the log that is long enough\n" * 27_600)
        file.write(b"the very last line\n")
    dashboard, page = open_dashboard()
    page.goto(f"{dashboard.url}/runs/{run['id']}")
    page.locator("#log", has_text="the very last line").wait_for()
    page.locator("#log", has_text="what came before is not shown").wait_for()
    assert page.evaluate("document.getElementById('log').textContent.length") < 1_000_000
    assert page.get_by_role("link", name="All of it as a file").is_visible()


def test_what_a_model_says_stays_text(workshop: Workshop, open_dashboard: Open) -> None:
    workshop.model("a.py", EVIL, 'Versions(0.1, Loader(), 2, 1).add("<script>alert(3)")')
    workshop.list("a.py")
    workshop.run("-r", "-u")
    dashboard, page = open_dashboard()
    for path in ("/", "/models", "/compare", f"/runs/{only(workshop)['id']}"):
        page.goto(dashboard.url + path)
        page.get_by_text("<script>alert(3)").first.wait_for()
        assert page.locator("main img, main script:not([type])").count() == 0
    page.locator("#log", has_text="<img src=x onerror=alert(1)>red").wait_for()
    page.get_by_role("img", name="<b>loss</b>").wait_for()
    page.locator("summary", has_text="Code, environment").click()
    page.get_by_text("class Mine").wait_for()


def test_five_of_a_thousand_runs_are_compared(workshop: Workshop, open_dashboard: Open) -> None:
    project = Project.load(workshop.root)
    project.ledger_path.parent.mkdir(parents=True, exist_ok=True)
    with closing(Ledger.open(project.ledger_path)) as ledger:
        ledger.import_runs(_many(1000))
    _, page = open_dashboard()
    page.get_by_role("link", name="Compare").click()
    page.get_by_role("searchbox", name="Filter").fill("version-99")
    rows = page.locator(".runs tbody tr:visible")
    page.wait_for_function("() => document.querySelectorAll('.runs tbody tr:not([hidden])').length === 11")
    for place in range(5):
        rows.nth(place).locator("input").check()
    page.get_by_role("button", name="Compare 5").click()
    page.get_by_role("heading", name="Table").wait_for()
    assert page.locator(".compared tbody tr").count() == 5
    assert page.locator(".compared tr.best").count() == 1
    page.locator("#compared-parallel polyline").first.wait_for(state="attached")
    assert page.locator("#compared-parallel polyline").count() == 5


def test_what_is_typed_before_the_page_is_ready_counts(workshop: Workshop, open_dashboard: Open) -> None:
    project = Project.load(workshop.root)
    project.ledger_path.parent.mkdir(parents=True, exist_ok=True)
    with closing(Ledger.open(project.ledger_path)) as ledger:
        ledger.import_runs(_many(20))
    dashboard, page = open_dashboard()
    held: list[Any] = []
    page.route("**/static/page.js", lambda route: held.append(route))
    page.goto(f"{dashboard.url}/compare", wait_until="commit")
    page.get_by_role("searchbox", name="Filter").fill("version-1")
    page.locator(".runs tbody tr input").first.check()
    held[0].continue_()
    page.wait_for_function("() => document.querySelectorAll('.runs tbody tr:not([hidden])').length === 11")
    page.get_by_role("button", name="Compare 1").wait_for()


def _many(count: int) -> Any:
    for number in range(count):
        letters = "".join(chr(97 + number // 26**place % 26) for place in range(4))
        run = sample_run(f"{letters}aa", version=f"version-{number}", params={"hidden": number})
        last = replace(run.last, metrics={"test": {"accuracy": number / count}})
        yield replace(run, attempts=(last,), params_digest=f"{number:016x}")


def test_a_note_and_a_tag_appear_on_the_page(training: Workshop, open_dashboard: Open) -> None:
    dashboard, page = open_dashboard()
    page.goto(f"{dashboard.url}/runs/{only(training)['id']}")
    page.get_by_label("Note", exact=True).fill("warm-up was <i>too</i> short")
    page.get_by_role("button", name="Note it").click()
    page.locator("blockquote", has_text="warm-up was <i>too</i> short").wait_for()
    page.get_by_label("Tag", exact=True).fill("paper")
    page.get_by_role("button", name="Tag it").click()
    page.locator("#live_notes .tag", has_text="paper").wait_for()


@pytest.mark.parametrize("view", [{}, PHONE, {"color_scheme": "dark"}], ids=["desktop", "phone", "dark"])
def test_pages_are_accessible_and_fit(training: Workshop, open_dashboard: Open, view: dict[str, Any]) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is missing")
    dashboard, page = open_dashboard(bypass_csp=True, **view)
    run = only(training)["id"]
    difference = f"/difference?one={run}&other={run}"
    paths = ("/", f"/runs/{run}", "/compare", f"/compare?run={run}", "/models", "/machine", difference, "/runs/none")
    for path in paths:
        page.goto(dashboard.url + path)
        page.wait_for_function("() => document.querySelector('h1')")
        if path == f"/runs/{run}":
            page.locator("summary").click()
            page.get_by_text("class Mine").wait_for()
        found = axe.Axe().run(page).response["violations"]
        serious = [
            (each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in ("serious", "critical")
        ]
        assert serious == [], path
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(wide) <= 0, path
