"""A project with recorded runs, and its dashboard, asked without a network."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from mlpipeline.ledger import Ledger
from mlpipeline.project import Project
from mlpipeline.run import Run, State
from tests.unit.sample_runs import run_in, sample_run

httpx = pytest.importorskip("httpx", reason="httpx is missing")
pytest.importorskip("starlette", reason="starlette is missing")
pytest.importorskip("prometheus_client", reason="prometheus_client is missing")
EVIL = "<script>alert(1)</script>\x1b[31m"
PORT = 8320
Ask = Callable[..., Any]


def runs() -> list[Run]:
    """One that succeeded, one that failed with a message that would be a script, one that runs."""
    return [
        sample_run("aaaaaa"),
        run_in(State.FAILED, "bbbbbb", message=EVIL, version=EVIL),
        run_in(State.RUNNING, "cccccc", version="deep"),
    ]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project that lists two models and has three runs."""
    (tmp_path / "models").mkdir()
    for name in ("digits.py", "faces.py"):
        (tmp_path / "models" / name).write_text("")
    (tmp_path / "mlp.config").write_text("[MLP]\nhost = here\n")
    (tmp_path / "models.config").write_text("[WHITELISTED_MODELS]\ndigits.py\n# many\nfaces.py\n")
    found = Project.load(tmp_path)
    found.ledger_path.parent.mkdir(parents=True, exist_ok=True)
    with closing(Ledger.open(found.ledger_path)) as ledger:
        ledger.import_runs(runs())
    for run in runs():
        directory = tmp_path / run.last.directory
        directory.mkdir(parents=True)
        (directory / "output.log").write_text("first line\nsecond line\n")
        rows = "".join(f'{{"step": {step}, "values": {{"loss": {1 / step}}}}}\n' for step in range(1, 6))
        (directory / "metrics.jsonl").write_text(rows)
    return found


@pytest.fixture
def ask(project: Project) -> Ask:
    """Asks a dashboard that a browser has opened by its link; `is_open=False` asks as a stranger."""
    from mlpipeline.dashboard.access import Access
    from mlpipeline.dashboard.app import Application
    from mlpipeline.dashboard.live import Live
    from mlpipeline.dashboard.machine import Machine

    def asked(
        method: str,
        path: str,
        *,
        is_open: bool = True,
        is_read_only: bool = False,
        names: frozenset[str] = frozenset(),
        **more: Any,
    ) -> Any:
        access = Access(port=PORT, bearer="program", is_read_only=is_read_only, names=names)
        headers = {"host": f"127.0.0.1:{PORT}", "origin": f"http://127.0.0.1:{PORT}"} | more.pop("headers", {})
        given = {name: value for name, value in headers.items() if value}

        async def inside() -> Any:
            live = Live()
            transport = httpx.ASGITransport(Application(project, access, live, Machine()))
            cookies = {access.cookie: access.redeem(access.new_link())} if is_open else {}
            async with httpx.AsyncClient(
                transport=transport, base_url=f"http://127.0.0.1:{PORT}", cookies=cookies
            ) as one:
                return await one.request(method, path, headers=given, **more)

        return asyncio.run(inside())

    return asked
