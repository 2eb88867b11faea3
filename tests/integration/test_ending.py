"""A worker's end is an interpreter's end: nothing that a person could see of it is left out."""

from __future__ import annotations

import pytest

from .conftest import Workshop

ENDS = """
import atexit, ctypes, sqlite3, threading
from pathlib import Path
ROOT = Path(__file__).resolve().parent.parent
def say(text):
    with (ROOT / "ends.txt").open("a") as file:
        file.write(text + chr(10))
# SQLite takes its journal away when the connection is closed.
connection = sqlite3.connect(ROOT / "own.db")
connection.execute("PRAGMA journal_mode = WAL")
connection.execute("CREATE TABLE rows (number)")
atexit.register(say, "handler")
threading.Thread(target=lambda: (threading.main_thread().join(), say("thread"))).start()
# Held back until C's own streams are closed.
fopen, fputs = ctypes.CDLL(None).fopen, ctypes.CDLL(None).fputs
fopen.restype = ctypes.c_void_p
fputs(b"from C", ctypes.c_void_p(fopen(bytes(ROOT / "c.txt"), b"w")))
print("from Python", end="")
"""
SEEN = """
class Told:
    def __del__(self, say=say):
        say("object")
def told_at_last():
    try:
        yield
    finally:
        say("generator")
cycle = [Told()]
cycle.append(cycle)
held = (ROOT / "held.txt").open("w")
held.write("kept back")
generator = told_at_last()
next(generator)
"""


@pytest.mark.parametrize("preload", ["auto", "none"])
@pytest.mark.parametrize("more", ["", SEEN], ids=["plain", "finalizers"])
def test_all_that_an_interpreters_end_does_is_done(workshop: Workshop, preload: str, more: str) -> None:
    workshop.config(f"preload = {preload}\n")
    (workshop.models / "ends.py").write_text(ENDS + more)
    workshop.model("m.py", "import ends")
    workshop.list("m.py")
    status, text = workshop.run("-r")
    assert status == 0, text
    told = (workshop.root / "ends.txt").read_text().split()
    assert told[:2] == ["thread", "handler"]
    assert sorted(told[2:]) == (["generator", "object"] if more else [])
    assert not more or (workshop.root / "held.txt").read_text() == "kept back"
    assert {each.name for each in workshop.root.glob("own.db*")} == {"own.db"}
    (output,) = workshop.outputs.glob("runs/*/1/output.log")
    assert (workshop.root / "c.txt").read_text() == "from C"
    assert "from Python" in output.read_text()
