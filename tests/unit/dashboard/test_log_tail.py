"""The end of a log that grows."""

from __future__ import annotations

from pathlib import Path

from mlpipeline.dashboard.log_tail import FIRST_BYTES, LogTail


def test_it_begins_near_the_end_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "output.log"
    tail = LogTail(path)
    assert tail.more() is None
    path.write_bytes(b"".join(b"line %07d\n" % number for number in range(1_000_000)))
    first = tail.more()
    assert first is not None
    text = str(first["text"])
    assert len(text) <= FIRST_BYTES
    assert text.startswith("line ")
    assert text.endswith("line 0999999\n")
    assert first["skipped"] == 13_000_000 - FIRST_BYTES
    assert tail.more() is None
    with path.open("ab") as file:
        file.write("halb ä".encode()[:-1])
    assert tail.more() is None  # a line is shown when it is whole
    with path.open("ab") as file:
        file.write("ä".encode()[1:] + b"\n\x1b[31mred\x1b[0m\n")
    assert tail.more() == {"text": "halb ä\nred\n", "skipped": 0}


def test_it_keeps_up_with_what_nobody_could_read(tmp_path: Path) -> None:
    path = tmp_path / "output.log"
    path.write_text("begin\n")
    tail = LogTail(path)
    tail.more()
    with path.open("a") as file:
        file.write("much\n" * 200_000 + "last\n")
    found = tail.more()
    assert found is not None
    assert str(found["text"]).endswith("last\n")
    assert found["skipped"] == 6 + 1_000_005 - FIRST_BYTES - 6


def test_a_line_without_end_is_shown_in_parts(tmp_path: Path) -> None:
    path = tmp_path / "output.log"
    path.write_text("x" * (FIRST_BYTES + 10))
    found = LogTail(path).more()
    assert found is None or len(str(found["text"])) <= FIRST_BYTES + 1


def test_a_file_that_was_emptied_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "output.log"
    path.write_text("long before\n")
    tail = LogTail(path)
    tail.more()
    path.write_text("anew\n")
    assert tail.more() == {"text": "anew\n", "skipped": 0}
