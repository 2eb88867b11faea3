"""What is kept of a run's output: bounded, in order, and honest about what is missing."""

from __future__ import annotations

import io
from typing import Any

import pytest

from mlpipeline.execution.capture import MAX_LINE, Pump


def pumped(limit: int, *chunks: bytes) -> str:
    file = io.BytesIO()
    pump = Pump(file, limit)
    for chunk in chunks:
        pump.feed(chunk)
    pump.close()
    return file.getvalue().decode()


def test_a_little_beyond_the_limit_nothing_is_missing_and_all_is_in_order() -> None:
    lines = [b"first, of some length\n", b"second, just as long\n", b"3\n", b"last\n"]
    assert pumped(30, *lines).encode() == b"".join(lines)


def test_far_beyond_the_limit_what_was_left_out_is_counted_exactly() -> None:
    text = pumped(100, *(b"%06d\n" % number for number in range(20_000)))
    begin, _, rest = text.partition("\n[")
    count, _, end = rest.partition(" bytes were left out: output_limit = 100]\n")
    assert len(begin) + 1 + int(count) + len(end) == 140_000 + 1
    assert end.endswith("019999\n")
    assert end.startswith("01")


@pytest.mark.parametrize("length", [MAX_LINE + 10, 3 * MAX_LINE])
def test_of_a_line_without_an_end_the_last_part_is_kept(length: int) -> None:
    text = pumped(10, b"x" * length)
    assert text.count("x") == MAX_LINE
    assert f"[{length - MAX_LINE} bytes were left out" in text


def test_what_a_nearly_full_disk_takes_only_in_part_is_counted() -> None:
    class Nearly(io.BytesIO):
        def write(self, data: Any) -> int:
            return super().write(data[:4])

    pump = Pump(Nearly())
    pump.feed(b"1234567\n")
    assert pump.dropped == 4
