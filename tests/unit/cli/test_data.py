"""The commands about data: extract, and cache list, explain, clear."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from mlpipeline.data import Streaming
from mlpipeline.data.named import Connections
from tests.unit.cli.conftest import Desk


@pytest.fixture
def shop(desk: Desk) -> Desk:
    """A project with a database, two extracts, and an answer that is kept."""
    (desk.root / "config").mkdir()
    (desk.root / "config" / "database.cfg").write_text("[MAIN]\nurl: $SHOP_URL\n")
    (desk.root / ".env").write_text("SHOP_URL=sqlite:///shop.db\n")
    (desk.root / "extracts").mkdir()
    write(desk.root, "users", "select id, name from users\nwhere id in :ids\nlimit :limit\n")
    write(desk.root, "all", "select id, name from users order by id")
    connections = Connections(desk.root)
    connections.main.execute(
        "create table users (id integer, name text); insert into users values (1, '[red]x'), (2, null), (3, 'y');"
        "insert into users select id + 3, name from users; insert into users select id + 6, name from users"
    )
    connections.main.dataframe(extract="all", cache=True)
    connections.close()
    return desk


def write(root: Path, name: str, text: str) -> None:
    (root / "extracts" / f"{name}.sql").write_text(text)


def test_an_extract_shows_its_first_rows_and_types(shop: Desk) -> None:
    result = shop.type("extract", "all", "--limit", "3")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert [line.split() for line in lines[:4]] == [["ID", "NAME"], ["1", "[red]x"], ["2", "-"], ["3", "y"]]
    assert lines[4] == "3 rows shown; id int64, name str"
    assert len(shop.json("extract", "all")["rows"]) == 5


def test_parameters_are_set_as_json_or_text_and_the_limit_is_one(shop: Desk) -> None:
    told = shop.json("extract", "users", "--set", "ids=[1, 2, 3, 4]", "--limit", "2")
    assert told["rows"] == [{"id": 1, "name": "[red]x"}, {"id": 2, "name": None}]
    assert told["columns"] == {"id": "int64", "name": "str"}
    assert len(shop.json("extract", "users", "--set", "ids=[1, 2, 3]", "--set", "limit=1")["rows"]) == 1
    write(shop.root, "named", "select id from users where name = :name")
    assert len(shop.json("extract", "named", "--set", "name=y")["rows"]) == 4


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nothing"], "there is neither"),
        (["users"], "extracts/users.sql:2: the parameter :ids has no value"),
        (["all", "--set", "ids"], "--set ids: write --set name=value"),
        (["all", "--connection", "mian2"], "has no connection 'mian2'"),
        (["bad"], "extracts/bad.sql:2: no such column: nme"),
        (["secret"], "config/database.cfg:4: $HIDDEN_URL is not set"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(shop: Desk, words: list[str], message: str) -> None:
    write(shop.root, "bad", "select id,\nnme from users")
    if words == ["secret"]:
        words = ["all", "--connection", "other"]
        (shop.root / "config" / "database.cfg").write_text("[MAIN]\nurl: sqlite://\n[OTHER]\nurl: $HIDDEN_URL\n")
    result = shop.type("extract", *words)
    assert result.exit_code in (1, 2)
    assert message in result.stderr
    assert "Traceback" not in result.output


def test_statements_that_give_no_rows_say_so(shop: Desk) -> None:
    write(shop.root, "nothing", "create table t (n integer)")
    assert "gives no rows" in shop.type("extract", "nothing").stdout


def test_what_is_kept_is_listed(shop: Desk) -> None:
    lines = shop.type("cache", "list").stdout.splitlines()
    assert lines[0].split() == ["KEY", "EXTRACT", "CONNECTION", "ROWS", "SIZE", "AGE", "USES", "TOOK"]
    assert lines[1].split()[1:4] == ["all", "main", "12"]
    assert lines[2].startswith("1 answer, ")
    told = shop.json("cache", "list")
    assert [entry["extract"] for entry in told["entries"]] == ["all"]
    assert told["bytes"] == told["entries"][0]["bytes"]


def test_an_entry_is_explained(shop: Desk) -> None:
    key = shop.json("cache", "list")["entries"][0]["key"]
    shown = shop.type("cache", "explain", key[:6]).stdout
    for word in (key, "main (sqlite, ", "all (content ", "select id, name from users order by id", "12 rows as frame"):
        assert word in shown
    assert shop.json("cache", "explain", key)["key"] == key


@pytest.mark.parametrize("words", [["ffffffff0"], [], ["0", "--extract", "all"]])
def test_what_cannot_be_explained_is_refused(shop: Desk, words: list[str]) -> None:
    assert shop.type("cache", "explain", *words).exit_code == 2


def test_it_is_told_whether_an_extract_would_be_asked_and_why(shop: Desk) -> None:
    assert "the answer is kept" in shop.type("cache", "explain", "--extract", "all").stdout
    write(shop.root, "all", "select id, name from users order by id desc")
    told = shop.json("cache", "explain", "--extract", "all")
    assert told["kept"] is False
    assert any("the SQL was: select id, name from users order by id" in reason for reason in told["reasons"])
    words = ("cache", "explain", "--extract", "users", "--set", "ids=[1]", "--set", "limit=3")
    shown = shop.type(*words).stdout
    assert "the database would be asked" in shown
    assert "nothing like it is kept" in shown
    assert "limit=3" in shown


def test_the_cache_is_cleared_whole_or_in_part(shop: Desk) -> None:
    assert shop.type("cache", "clear", "--extract", "users").stdout == "Nothing to remove.\n"
    assert shop.type("cache", "clear", "--expired").stdout == "Nothing to remove.\n"
    assert shop.type("cache", "clear", "--connection", "main").stdout.startswith("Removed 1 answer, ")
    assert "No answer is kept" in shop.type("cache", "list").stdout
    assert shop.json("cache", "clear")["removed"] == []


def test_commands_of_the_group_explain_themselves(shop: Desk) -> None:
    for name in ("list", "explain", "clear"):
        shown = shop.type("cache", name, "--help")
        assert shown.exit_code == 0
        assert shown.stdout.count(f"mlpipeline cache {name}") >= 2


class Chunks(Streaming):
    """Rows that are kept on disk."""

    def get_data(self) -> Iterator[pd.DataFrame]:
        yield pd.DataFrame({"id": range(50)})


@pytest.fixture
def spooled(shop: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """The same project, with a spool in it."""
    monkeypatch.chdir(shop.root)
    assert len(Chunks()) == 50
    gc.collect()
    return shop


def test_spools_are_listed_below_the_answers(spooled: Desk) -> None:
    lines = spooled.type("cache", "list").stdout.splitlines()
    assert lines[3].split() == ["SPOOL", "OF", "ROWS", "SIZE", "UNUSED"]
    assert lines[4].split()[1:3] == ["Chunks.get_data()", "50"]
    assert lines[5].startswith("1 spool, ")
    assert "of 100.0 GB, in " in lines[5]
    told = spooled.json("cache", "list")["spools"]
    assert (told["entries"][0]["rows"], told["entries"][0]["in_use"]) == (50, False)


def test_a_spool_is_explained(spooled: Desk) -> None:
    (entry,) = spooled.json("cache", "list")["spools"]["entries"]
    shown = spooled.type("cache", "explain", entry["key"][:8]).stdout
    for word in (entry["key"], "Chunks.get_data()", "50 rows, ", " ago"):
        assert word in shown
    assert spooled.json("cache", "explain", entry["key"])["dataset"] == "Chunks.get_data()"


def test_spools_are_cleared_with_answers_or_alone(spooled: Desk) -> None:
    assert spooled.type("cache", "clear", "--spools", "--expired").stdout == "Nothing to remove.\n"
    assert spooled.type("cache", "clear", "--extract", "nothing").stdout == "Nothing to remove.\n"
    assert spooled.type("cache", "clear", "--spools").stdout.startswith("Removed 1 spool, ")
    assert len(Chunks()) == 50
    gc.collect()
    (entry,) = spooled.json("cache", "list")["spools"]["entries"]
    assert spooled.json("cache", "clear", entry["key"][:8])["removed_spools"] == [entry["key"]]
    assert len(spooled.json("cache", "list")["entries"]) == 1
    assert len(Chunks()) == 50
    gc.collect()
    assert spooled.type("cache", "clear").stdout.startswith("Removed 1 answer and 1 spool, ")
    assert spooled.type("cache", "clear", "--spools", "--extract", "all").exit_code == 2


def test_a_spool_in_use_is_not_cleared(spooled: Desk) -> None:
    used = Chunks()
    assert used.spool.directory.exists()
    assert spooled.type("cache", "clear", "--spools").stdout == "Nothing to remove.\n1 spool in use: kept.\n"
    assert used.spool.directory.exists()
