"""Parameters are found where SQL has them, and nowhere else; values are bound and never written in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpipeline.data import binds, rendering
from mlpipeline.data.rendering import Rendered
from mlpipeline.errors import DataFault


def render(sql: str, style: str = "named", empty: str = "select", comment: str = "", **values: Any) -> Rendered:
    (statement,) = binds.split(binds.tokens(sql))
    return rendering.render(statement, values, style, empty=empty, comment=comment)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select :a", ["a"]),
        ("select %(a)s", ["a"]),
        ("select :a, %(b)s, :a", ["a", "b"]),
        ("select ':a'", []),
        ("select 'it''s :a'", []),
        ("select E'it\\'s :a'", []),
        ('select ":a"', []),
        ("select `:a`", []),
        ("select $$ :a $$", []),
        ("select $x$ $$ :a $x$, :b", ["b"]),
        ("select 1 -- :a\n, :b", ["b"]),
        ("select /* :a /* nested */ :b */ :c", ["c"]),
        ("select x::int, :a::text", ["a"]),
        ("select a[1:2], a[x:y]", []),
        ("select \\:a", []),
        ("select '%(a)s'", []),
        ("select a{b}c, '{d}'", []),
        ("select '10:30', :é", ["é"]),
        ("x := 1", []),
        ("select 5 % 2, :a", ["a"]),
    ],
)
def test_parameters_are_found(sql: str, expected: list[str]) -> None:
    assert binds.names(list(binds.tokens(sql))) == expected


def test_braces_are_no_parameters() -> None:
    assert render("select 'a{b}c', '{x}'").sql == "select 'a{b}c', '{x}'"


@pytest.mark.parametrize(("sql", "line"), [("select\n'open", 2), ('select "open', 1), ("a\n\n/* /* */", 3), ("$x$", 1)])
def test_what_is_never_closed_is_said_with_its_line(sql: str, line: int) -> None:
    with pytest.raises(DataFault, match=f"file.sql:{line}: .* is never closed"):
        list(binds.tokens(sql, file="file.sql"))


def test_statements_are_split_at_semicolons_outside_of_quotes_and_bodies() -> None:
    text = "select ';' ; -- ;\n create trigger t begin update a set b = case when 1 then 2 end; delete from c; end; x;;"
    found = [binds.normal(each) for each in binds.split(binds.tokens(text))]
    assert found == [
        "select ';'",
        "create trigger t begin update a set b = case when 1 then 2 end; delete from c; end",
        "x",
    ]


def test_a_query_only_reads() -> None:
    def reads(sql: str) -> bool:
        return binds.is_query(tuple(binds.tokens(sql)))

    assert reads("select 1")
    assert reads("-- x\n with a as (select 1) select * from a")
    assert not reads("with a as (delete from t returning *) select * from a")
    assert not reads("select * into b from a")
    assert not reads("select nextval('s')")
    assert not reads("insert into t values ('select')")
    assert reads("select 'delete'")


def test_a_parameter_without_a_value_is_named_with_its_line_and_the_nearest() -> None:
    found = list(binds.tokens("select *\nfrom t limit :limit"))
    with pytest.raises(DataFault, match=r"f\.sql:2: the parameter :limit has no value\. Did you mean 'limits'\?"):
        binds.check(found, {"limits": 3}, "f.sql", all_used=True)
    with pytest.raises(DataFault, match=r"f\.sql has no parameter :offset\. Its parameters: :limit"):
        binds.check(found, {"limit": 3, "offset": 1}, "f.sql", all_used=True)
    binds.check(found, {"limit": 3, "offset": 1}, "f.sql", all_used=False)


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        ("named", "x = :v_a and y in (:i0_b, :i1_b) and z = '100%'"),
        ("dollar", "x = $v_a and y in ($i0_b, $i1_b) and z = '100%'"),
        ("pyformat", "x = %(v_a)s and y in (%(i0_b)s, %(i1_b)s) and z = '100%%'"),
        ("qmark", "x = ? and y in (?, ?) and z = '100%'"),
        ("format", "x = %s and y in (%s, %s) and z = '100%%'"),
    ],
)
def test_each_style_of_driver_is_written(style: str, expected: str) -> None:
    found = render("x = :a and y in :b and z = '100%'", style, a=1, b=(2, 3))
    assert found.sql == expected
    values = found.parameters if isinstance(found.parameters, tuple) else tuple(found.parameters.values())
    assert values == (1, 2, 3)


def test_without_values_percent_signs_stay_as_they_are() -> None:
    assert render("select 5 % 2, '%'", "pyformat").sql == "select 5 % 2, '%'"


def test_lists_expand_within_parentheses_that_are_there() -> None:
    assert render("a in (:b)", b=[1]).sql == "a in (:i0_b)"
    assert render("a in ( :b )", b={1}).sql == "a in ( :i0_b )"
    assert render("f(1, :b)", b=[1, 2]).sql == "f(1, (:i0_b, :i1_b))"
    assert render("a in :b", b=np.array([1, 2])).parameters == {"i0_b": 1, "i1_b": 2}
    assert render("a in :b", b=pd.Series(["x"])).parameters == {"i0_b": "x"}
    assert render("a in :b", b=range(2)).parameters == {"i0_b": 0, "i1_b": 1}


def test_an_empty_list_is_a_query_without_rows_or_an_empty_array() -> None:
    assert render("a not in :b", b=[]).sql == "a not in (SELECT NULL WHERE 1 = 0)"
    assert render("a in (:b)", b=[]).sql == "a in (SELECT NULL WHERE 1 = 0)"
    assert render("a NOT IN :b or c in (:b)", empty="array", b=[]).sql == "a <> ALL ('{}') or c = ANY ('{}')"
    assert render("f(:b)", empty="array", b=[]).sql == "f(SELECT NULL WHERE 1 = 0)"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.int64(3), 3),
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),
        (pd.NA, None),
        (pd.NaT, None),
        (pd.Timestamp("2026-01-02 03:04:05.6"), pd.Timestamp("2026-01-02 03:04:05.6").to_pydatetime()),
        (np.array(7), 7),
    ],
)
def test_scalars_of_numpy_and_pandas_become_pythons(value: Any, expected: Any) -> None:
    (found,) = render(":a", a=value).parameters.values()  # type: ignore[union-attr]
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize("value", [{"a": 1}, pd.DataFrame({"a": [1]}), [[1, 2], [3]]])
def test_what_cannot_be_bound_is_refused(value: Any) -> None:
    with pytest.raises(DataFault, match=":a"):
        render("x in :a", a=value)


def test_a_comment_at_the_end_does_not_swallow_what_is_appended() -> None:
    assert render("select 1 -- the end", comment="/*x*/").sql == "select 1 /*x*/"


@given(st.text(), st.sampled_from(["named", "pyformat", "qmark", "dollar", "format"]))
def test_a_value_is_never_part_of_the_text(value: str, style: str) -> None:
    first = render("select :a, ':a' -- :a\n from t", style, a=value)
    assert first.sql == render("select :a, ':a' -- :a\n from t", style, a="another").sql


@given(st.text(alphabet=st.sampled_from("ab:'\"-/*%()s;$ \n{}"), max_size=30))
def test_whatever_is_written_is_read_without_loss_or_refused(sql: str) -> None:
    try:
        found = list(binds.tokens(sql))
    except DataFault:
        return
    if not binds.names(found) and "\\:" not in sql:
        assert "".join(token.text for token in found) == sql


def test_the_cache_compares_sql_without_comments_and_blanks() -> None:
    def normal(sql: str) -> str:
        return binds.normal(list(binds.tokens(sql)))

    assert normal("select  :a -- x\n\tfrom t ;\n") == normal("select %(a)s /* y */ from t") == "select :a from t"
    assert normal("select 'a  b'") != normal("select 'a b'")
