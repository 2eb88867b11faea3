"""Words for people: no escape code of a model reaches a terminal, and times read well."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpipeline.observe import text
from tests.unit.sample_runs import NOW


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("a\x9b31mb", "ab"),
        ("10%\r50%\r100%\nnext", "100%\nnext"),
        ("windows\r\nlines\r\n", "windows\nlines\n"),
        ("tab\tstays\n", "tab\tstays\n"),
        ("\u202etxt.exe", "txt.exe"),
        ("bell\x07 null\x00", "bell null"),
        ("naïve 模型 🙂", "naïve 模型 🙂"),
    ],
)
def test_plain_text_keeps_words_and_drops_what_steers_a_terminal(raw: str, clean: str) -> None:
    assert text.plain(raw) == clean


@given(st.text(alphabet=st.characters() | st.sampled_from("\x1b\x9b[]m;\x07\r\n\\P")))
def test_no_text_whatever_leaves_a_control_character(raw: str) -> None:
    left = {each for each in text.plain(raw) if ord(each) < 32 or 0x7F <= ord(each) < 0xA0}
    assert left <= {"\n", "\t"}


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.44, "0.4 s"), (9.96, "10 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (185, "3 min 05 s"), (7800, "2 h 10 min"),
     (273600, "3 d 4 h"), (-5, "0.0 s"), (None, "")],
)  # fmt: skip
def test_lengths_of_time_are_said_as_people_say_them(seconds: float | None, said: str) -> None:
    assert text.duration(seconds) == said


def test_a_time_in_the_future_is_just_now() -> None:
    assert text.ago(NOW + timedelta(hours=1), NOW) == "just now"


def test_metrics_of_the_test_input_come_first_and_the_rest_is_counted() -> None:
    values = {"train": {"loss": 1.0, "accuracy": 0.5}, "test": {"accuracy": 0.97216, "loss": 3}}
    assert text.metrics(values, 3) == "test accuracy 0.9722, test loss 3, train loss 1.0, 1 more"


def test_one_line_is_cut_with_an_ellipsis() -> None:
    assert text.one_line("a\nb  " + "c" * 50, 10) == "a b cccccc"[:9] + "…"


def test_a_time_of_day_has_a_date_where_it_is_not_todays() -> None:
    noon = datetime(2026, 11, 21, 12).astimezone()
    assert text.clock(noon, noon) == "12:00"
    assert text.clock(noon + timedelta(days=1), noon) == "2026-11-22 12:00"
    assert text.at(noon + timedelta(minutes=5), noon) == "at 12:05, in 5 min 00 s"
