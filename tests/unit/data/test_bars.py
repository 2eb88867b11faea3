"""Progress bars are for people, and only for work that takes long."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from mlpipeline.data import bars
from mlpipeline.data.connection import Connection


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bars, "_DELAY_SECONDS", 0.0)


def test_a_query_shows_its_name_and_rows_on_a_terminal(
    at_once: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "extracts").mkdir()
    (tmp_path / "extracts" / "users.sql").write_text("select 1 as n union all select 2")
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    db = Connection("sqlite://", root=tmp_path)
    db.dataframe(extract="users")
    assert "users: " in screen.getvalue()
    assert " rows" in screen.getvalue()
    db.close()


@pytest.mark.parametrize("stream", [io.StringIO(), None])
def test_where_nobody_watches_nothing_is_drawn(
    at_once: None, monkeypatch: pytest.MonkeyPatch, stream: io.StringIO | None
) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    with bars.bar("query", total=3) as shown:
        shown.update(3)
    assert stream is None or stream.getvalue() == ""


def test_quick_work_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    with bars.bar("query") as shown:
        shown.update(1)
    assert "query" not in screen.getvalue()
