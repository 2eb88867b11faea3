"""Extracts are files, their parameters are bound, and what is wrong has a file and a line."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from mlpipeline.data import binds, extracts
from mlpipeline.data.extracts import Query
from mlpipeline.errors import DataFault, ExtractNotFound


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "extracts").mkdir()
    return tmp_path


def write(root: Path, name: str, text: str) -> None:
    path = root / "extracts" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def bound(query: Query) -> tuple[str, list[Any]]:
    """Returns the SQL with `?` for each parameter, and their values."""
    shown = [("?" if token.kind is binds.Kind.BIND else token.text) for token in query.tokens]
    values = [query.values[token.text] for token in query.tokens if token.kind is binds.Kind.BIND]
    return " ".join("".join(shown).split()), values


def test_a_plain_extract_is_read(root: Path) -> None:
    write(root, "users.sql", "select * from users limit :limit\n")
    query = extracts.read(root, "users", {"limit": 3})
    assert (query.source, query.name, query.used) == ("extracts/users.sql", "users", {"limit": 3})
    assert extracts.read(root, "users.sql", {"limit": 3}).digest == query.digest


def test_the_plain_form_wins_and_that_is_said(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(root, "a.sql", "select 1")
    write(root, "a.sql.j2", "select 2")
    with caplog.at_level(logging.WARNING, "mlpipeline.data"):
        assert extracts.read(root, "a", {}).text == "select 1"
    assert "a.sql.j2 is not" in caplog.text


def test_an_extract_in_neither_form_is_an_os_error_that_names_the_nearest(root: Path) -> None:
    write(root, "deep/subscribers.sql.j2", "select 1")
    with pytest.raises(ExtractNotFound, match=r"deep/subscriber\.sql .*Did you mean 'deep/subscribers'\?") as caught:
        extracts.read(root, "deep/subscriber", {})
    assert isinstance(caught.value, OSError)
    assert extracts.listed(root) == ["deep/subscribers"]


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/../../secret"])
def test_no_name_leads_out_of_the_directory(root: Path, name: str) -> None:
    (root / "secret.sql").write_text("select 1")
    with pytest.raises(ExtractNotFound):
        extracts.read(root, name, {})


def test_a_template_binds_what_it_writes_out(root: Path) -> None:
    write(
        root,
        "t.sql.j2",
        """
        {% macro recent(days) %}created_at > {{ days }}{% endmacro %}
        select * from {{ table | identifier }}
        where {{ recent(7) }} and id in {{ ids }}
        {% if name %}
          and name = {{ name }}
        {% endif %}
        {% for each in words %} or word = {{ each }}{% endfor %}
        limit :limit
        """,
    )
    values = {"table": 'we"ird', "ids": [1, 2], "name": "x' or 1=1 --", "words": ["a", "b"], "limit": 9}
    text, found = bound(extracts.read(root, "t", values))
    assert text == (
        'select * from "we""ird" where created_at > ? and id in ? and name = ? or word = ? or word = ? limit ?'
    )
    assert found == [7, [1, 2], "x' or 1=1 --", "a", "b", 9]


def test_includes_come_from_the_extracts_and_count_in_the_digest(root: Path) -> None:
    write(root, "parts/where.sql", "where a = {{ a }}")
    write(root, "t.sql.j2", "select 1\n{% include 'parts/where.sql' %}\n")
    first = extracts.read(root, "t", {"a": 5})
    assert bound(first) == ("select 1 where a = ?", [5])
    write(root, "parts/where.sql", "where a = {{ a }} ")
    assert extracts.read(root, "t", {"a": 5}).digest != first.digest


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("select\n{{ absent }}", r"extracts/t\.sql\.j2:2: 'absent' is undefined"),
        ("select\n\n{% if %}", r"extracts/t\.sql\.j2:3: "),
        ("{% include 'nothing.sql' %}", r"includes nothing\.sql, which is not in"),
        ("select {{ a | safe }}", "use `identifier`"),
        ("select '{{ a }}'", "a value stands within quotes"),
        ("select :b, {{ a }}", r":b has no value"),
        ("select {{ a.b.c }}", r"extracts/t\.sql\.j2:1: "),
        ("select {{ 1 / 0 }}", r"extracts/t\.sql\.j2:1: division by zero"),
    ],
)
def test_what_is_wrong_with_a_template_has_file_and_line(root: Path, text: str, message: str) -> None:
    write(root, "t.sql.j2", text)
    with pytest.raises(DataFault, match=message):
        extracts.read(root, "t", {"a": 1})


def test_a_value_that_claims_to_be_sql_is_bound_all_the_same(root: Path) -> None:
    from markupsafe import Markup

    write(root, "t.sql.j2", "select {{ a }}")
    assert bound(extracts.read(root, "t", {"a": Markup("drop table x")})) == ("select ?", ["drop table x"])


def test_a_file_that_is_no_text_is_refused(root: Path) -> None:
    (root / "extracts" / "a.sql").write_bytes(b"select '\xff'")
    with pytest.raises(DataFault, match=r"extracts/a\.sql: cannot be read as UTF-8"):
        extracts.read(root, "a", {})
