"""Tables: aligned where they are piped, drawn where a person looks, safe in both."""

from __future__ import annotations

import io

from mlpipeline.observe.table import Table, lines, write

TABLE = Table(title="Runs", columns=("run", "state"), rows=(("a1", "[red]failed[/red]"), ("b22", "\x1b[31mok\nnow")))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_piped_tables_are_aligned_and_hold_one_line_for_each_row() -> None:
    assert lines(TABLE) == ["RUN  STATE", "a1   [red]failed[/red]", "b22  ok now"]


def test_letters_that_take_two_columns_are_aligned_as_such() -> None:
    wide = Table(columns=("name", "of"), rows=(("模型:版", "a"), ("cafe\u0301", "b"), ("digits:wide", "c")))
    assert lines(wide) == ["NAME         OF", "模型:版      a", "cafe\u0301         b", "digits:wide  c"]


def test_piped_output_has_no_escape_codes() -> None:
    stream = io.StringIO()
    write(TABLE, stream)
    assert stream.getvalue().startswith("Runs:\nRUN  STATE\n")
    assert "\x1b" not in stream.getvalue()


def test_markup_in_a_models_words_is_shown_as_it_is() -> None:
    stream = Terminal()
    write(TABLE, stream)
    assert "[red]failed[/red]" in stream.getvalue()
    assert "\x1b[31m" not in stream.getvalue()
