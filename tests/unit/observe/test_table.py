"""Tables: aligned where they are piped, drawn where a person looks, safe in both."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st

from mlpipeline.observe import drawn_table
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


RUN = "20261121-040406-aaaaaa"
WIDE = Table(columns=("run", "model:version", "took", "result"), rows=((RUN, "m.py:v" * 9, "3 s", "loss 0.5 " * 9),))


def test_what_a_narrow_terminal_has_no_room_for_stands_below_by_name() -> None:
    told = [line.plain for line in drawn_table.drawn(WIDE, 80)]
    assert told[0].split() == ["run", "model:version", "took"]
    assert told[1].split() == [RUN, ("m.py:v" * 9)[:40], "3", "s"]
    assert told[3].startswith("    loss 0.5 loss 0.5")
    assert [line.plain for line in drawn_table.drawn(WIDE, 60)][3].startswith("    took 3 s · loss 0.5")
    assert [line.plain for line in drawn_table.drawn(WIDE, 30)][1] == RUN


def test_where_there_is_room_each_row_is_a_line() -> None:
    assert len(drawn_table.drawn(WIDE, 200)) == 2


CELLS = st.text("ab 版é", min_size=1, max_size=50).map(str.strip).map(" ".join)


@given(st.lists(st.tuples(*[CELLS] * 4), min_size=1, max_size=4), st.integers(30, 200))
def test_no_line_is_wider_than_the_terminal_and_no_letter_is_lost(
    rows: list[tuple[str, str, str, str]], width: int
) -> None:
    rows = [(RUN, *row[1:]) for row in rows]
    told = drawn_table.drawn(Table(columns=("run", "name", "of", "result"), rows=tuple(rows)), width)
    assert all(line.cell_len <= width for line in told)
    shown = "".join(line.plain for line in told)
    for letter in "版é":
        assert shown.count(letter) == sum(cell.count(letter) for row in rows for cell in row)
