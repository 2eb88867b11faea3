"""Progress bars are for people, and only for work that takes long."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mlpipeline.data import Streaming, bars
from mlpipeline.data.connection import Connection
from mlpipeline.data.encoder import BLOCK_ROWS
from mlpipeline.data.encoders import Norm


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


def test_a_run_shows_them_in_what_it_prints(at_once: None, monkeypatch: pytest.MonkeyPatch) -> None:
    printed = io.StringIO()
    monkeypatch.setattr(sys, "stderr", printed)
    monkeypatch.setenv("MLP_SUPERVISOR", "1")
    with bars.bar("query", total=3) as shown:
        shown.update(3)
    assert "query: " in printed.getvalue()


class Few(Streaming):
    """Rows that are spooled and encoded."""

    def get_data(self) -> Any:
        yield pd.DataFrame({"n": range(50)})

    def get_encoders(self) -> Any:
        return Norm("n")

    def get_output_encoder(self) -> Any:
        return None


def test_spools_and_fits_are_shown(at_once: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    _ = Few(spool_dir=tmp_path).encoders
    for name in ("Few.get_data() to disk: ", "Few.get_data() divided: ", "encoders fitted: "):
        assert name in screen.getvalue()


def test_many_rows_are_shown_while_they_are_encoded(monkeypatch: pytest.MonkeyPatch) -> None:
    screen, drawn = Terminal(), []
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr("mlpipeline.progress._drawn", lambda *given, **named: drawn.append(given[2]))
    frame = pd.DataFrame({"n": range(BLOCK_ROWS + 1)})
    encoder = Norm("n").fit(frame)
    encoder.transform(frame[:10])
    assert drawn == []
    encoder.transform(frame)
    assert drawn == ["norm_n"]
