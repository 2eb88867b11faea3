"""What the dashboard costs: a long list of runs, and a page that stays true while many runs go on."""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import importlib.util
import json
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psutil

from benchmarks import ledger_fill, workshop
from benchmarks.bench import Bench, Reading
from benchmarks.environments import Unavailable
from benchmarks.figures import Series
from benchmarks.processes import environment
from mlpipeline import metrics, wire
from mlpipeline.ledger import Ledger
from mlpipeline.run import Run, State

RUNS, LIVE = 1_000, 200
PAGE = f"{RUNS:,} runs in the ledger -> the page that lists them, over HTTP"
USABLE = "the same page -> usable in Chromium"
SHARE = f"{LIVE} live runs, each with new progress every second, one open page: the dashboard's share of a core"
_ROWS = 100
_NEEDED = ("starlette", "uvicorn", "jinja2", "prometheus_client")
_CHROMIUM = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")


def measure(bench: Bench) -> Iterator[Series]:
    """Measures all of it."""
    times, seconds = bench.settings.times(9, 3), bench.settings.count(20, 2)
    jobs: dict[str, Callable[[], Iterator[Reading]]] = {
        PAGE: lambda: listed(times),
        USABLE: lambda: usable(times),
        SHARE: lambda: followed(seconds),
    }
    return bench.ours("dashboard", jobs)


@contextlib.contextmanager
def opened(root: Path) -> Iterator[tuple[int, str]]:
    """Starts a dashboard; gives its process id and its link.

    Raises:
        Unavailable: a library is missing.
    """
    missing = [each for each in _NEEDED if importlib.util.find_spec(each) is None]
    if missing:
        raise Unavailable(f"{', '.join(missing)} not installed beside this benchmark")
    command = workshop.command("dashboard", "--port", "0", "--json")
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True, env=environment()) as process:
        try:
            assert process.stdout is not None
            told = "".join(iter(process.stdout.readline, "}\n"))
            yield process.pid, json.loads(told + "}")["link"]
        finally:
            process.terminate()


def session(link: str) -> tuple[http.client.HTTPConnection, dict[str, str]]:
    """Opens a link. Returns a connection, and the headers that requests on it have to bring."""
    place, _, token = link.partition("/#token=")
    connection = http.client.HTTPConnection(place.removeprefix("http://"))
    headers = {"Content-Type": "application/json", "Origin": place}
    connection.request("POST", "/session", json.dumps({"token": token}), headers)
    answer = connection.getresponse()
    answer.read()
    return connection, headers | {"Cookie": str(answer.headers["set-cookie"]).partition(";")[0]}


def ledger_of(root: Path) -> Path:
    """Returns where the ledger of a project is, with its directory."""
    path = root / "models" / "outputs" / "ledger-bench.db"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def listed(times: int) -> Iterator[Reading]:
    """The list of all runs, from the request to the last byte."""
    with workshop.project(1, "") as root:
        ledger_fill.fill(ledger_of(root), RUNS)
        with opened(root) as (_, link):
            connection, headers = session(link)
            spent = []
            for _ in range(times + 1):
                begin = time.perf_counter()
                connection.request("GET", "/compare", headers=headers)
                page = connection.getresponse().read()
                spent.append((time.perf_counter() - begin) * 1000)
            assert page.count(b"<tr>") == RUNS + 1
            connection.close()
    yield Reading(measure=PAGE, values=tuple(spent[1:]), note="the first one, which reads the templates, left out")


def usable(times: int) -> Iterator[Reading]:
    """The same in a browser: from the wish to go there until everything can be clicked.

    Raises:
        Unavailable: there is no Chromium, or no Playwright.
    """
    program = shutil.which("chromium")
    if program is None or importlib.util.find_spec("playwright") is None:
        raise Unavailable("no chromium, or no playwright beside this benchmark")
    from playwright.sync_api import sync_playwright

    with workshop.project(1, "") as root:
        ledger_fill.fill(ledger_of(root), RUNS)
        with opened(root) as (_, link), sync_playwright() as player:
            page = player.chromium.launch(executable_path=program, args=list(_CHROMIUM)).new_page()
            page.goto(link)
            page.get_by_role("heading", name="Queue").wait_for()
            spent = []
            for _ in range(times):
                page.goto(link.partition("#")[0] + "compare")
                spent.append(float(page.evaluate("performance.getEntriesByType('navigation')[0].domComplete")))
            page.context.browser.close()
    yield Reading(measure=USABLE, values=tuple(spent))


def followed(seconds: int) -> Iterator[Reading]:
    """The processor time of a dashboard while a page of the queue is open and every run says how far it is."""
    with workshop.project(1, "") as root, contextlib.ExitStack() as stack:
        runs = [_running(ledger_fill.run_of(number, number)) for number in range(LIVE)]
        for run in runs:
            stack.enter_context(_alive(root / run.last.directory))
        with closing(Ledger.open(ledger_of(root))) as ledger:
            ledger.import_runs(runs)
        with opened(root) as (pid, link):
            connection, headers = session(link)
            connection.request("GET", "/live/queue", headers=headers)
            reader = threading.Thread(target=_drain, args=(connection.getresponse(),), daemon=True)
            reader.start()
            progress(root, runs, 0)
            time.sleep(2)
            process = psutil.Process(pid)
            before, began = sum(process.cpu_times()[:2]), time.perf_counter()
            for second in range(1, seconds + 1):
                progress(root, runs, second)
                time.sleep(max(0.0, began + second - time.perf_counter()))
            share = (sum(process.cpu_times()[:2]) - before) / (time.perf_counter() - began)
        reader.join(10)
    yield Reading(measure=SHARE, unit="%", values=(share * 100,), note=f"over {seconds} s")


@contextlib.contextmanager
def _alive(directory: Path) -> Iterator[None]:
    """Has a run live, by its lock, which this process holds; and have printed and recorded something."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / wire.OUTPUT).write_text("a line\n" * _ROWS)
    rows = ((1.0, step, {"loss": 1 / step, "accuracy": 0.5}) for step in range(1, _ROWS))
    (directory / wire.METRICS).write_text(metrics.lines(rows))
    with (directory / wire.LOCK).open("wb") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        yield


def _running(run: Run) -> Run:
    last = replace(run.last, state=State.RUNNING, ended_at=None, metrics={}, message="", exit_code=None, signal=None)
    return replace(run, attempts=(last,))


def progress(root: Path, runs: list[Run], step: int) -> None:
    """Has each run say how far it is, as training does."""
    content = json.dumps({"step": step, "total": 1000, "rate": 1.0, "description": "training"})
    for run in runs:
        directory = root / run.last.directory
        directory.mkdir(parents=True, exist_ok=True)
        beside = directory / "progress.part"
        beside.write_text(content)
        beside.rename(directory / "progress.json")


def _drain(answer: http.client.HTTPResponse) -> None:
    with contextlib.suppress(OSError, http.client.HTTPException):
        while answer.read1(1 << 20):
            pass
