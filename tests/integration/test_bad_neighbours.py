"""Models and packages that misbehave harm themselves alone: the queue goes on, and tells the truth."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from mlpipeline import wire

from .conftest import Workshop

TWO = 'Versions(0.1, Loader(), 2, 1).add("bad").add("good")'
BOTH = pytest.mark.parametrize("preload", ["numpy", "none"], ids=["warm", "cold"])

ENDS_WELL = {
    "fork": """
import threading
threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
pid = os.fork()
if pid == 0:
    truth("child", "")
    os._exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
""",
    "pool spawn": """
import multiprocessing
with multiprocessing.get_context("spawn").Pool(2) as pool:
    truth("child", "", values=pool.map(abs, [-1, -2, -3]))
""",
    "pool fork": """
import multiprocessing
with multiprocessing.get_context("fork").Pool(2) as pool:
    truth("child", "", values=pool.map(abs, [-1, -2, -3]))
""",
    "pool forkserver": """
import multiprocessing
with multiprocessing.get_context("forkserver").Pool(2) as pool:
    truth("child", "", values=pool.map(abs, [-1, -2, -3]))
""",
    "signal handlers": """
import signal, subprocess
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGCHLD, lambda *_: truth("child", ""))
subprocess.run(["true"], check=True)
""",
    "closes all descriptors": "os.closerange(0, 256)",
    "threads that end later": """
import threading
def later():
    while threading.main_thread().is_alive(): time.sleep(0.01)
    truth("late", "")
threading.Thread(target=later).start()
""",
    "atexit": """
import atexit
atexit.register(truth, "late", "")
atexit.register(lambda: 1 / 0)
""",
    "an unflushed file": """
global held
held = open(ROOT / "held", "w")
held.write("content")
""",
    # A collection before the end would lose what the file holds, in any Python: what is tested is the end.
    "an unflushed file in a circle": """
import gc
gc.disable()
class Holder: pass
holder = Holder()
holder.itself, holder.file = holder, open(ROOT / "held", "w")
holder.file.write("content")
""",
    "objects with a last will": """
class Testator:
    def __init__(self, write): self.write = write
    def __del__(self): self.write("late", "")
global testator
testator = Testator(truth)
""",
    "a last will in a circle": """
class Testator:
    def __init__(self, write): self.write, self.itself = write, self
    def __del__(self): self.write("late", "")
Testator(truth)
""",
    "a compressed file": """
import gzip
global packed
packed = gzip.open(ROOT / "packed.gz", "wt")
packed.write("content")
""",
    "weakref.finalize": """
import weakref
class Thing: pass
global thing
thing = Thing()
weakref.finalize(thing, truth, "late", "")
""",
    "no end of line": 'print("the last word", end="")',
    "a thread that never ends": """
import threading
threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
""",
    "exit in a thread": """
import sys, threading
thread = threading.Thread(target=sys.exit, args=(3,))
thread.start()
thread.join()
""",
}

ENDS_BADLY = {
    "os._exit": ("os._exit(3)", "failed", 3, None),
    "sys.exit": ("import sys; sys.exit(4)", "failed", 1, None),
    "kills itself": ("import signal; os.kill(os.getpid(), signal.SIGSEGV)", "failed", None, 11),
    "kills its group": ("import signal; os.killpg(0, signal.SIGKILL)", "lost", None, 9),
    "execs": ('os.execlp("false", "false")', "failed", 1, None),
}


def trained(workshop: Workshop, body: str, preload: str) -> dict[str, Any]:
    """Trains a version that misbehaves and one that does not. Returns what the ledger says of the former."""
    workshop.config(f"preload = {preload}\nmax_attempts = 1\n")
    lines = "\n".join(f"    {line}" for line in body.strip().splitlines())
    workshop.model("m.py", f'if self.run.version == "bad":\n{lines}', TWO)
    workshop.list("m.py")
    workshop.run("-r", "-u")
    found = {each["version"]: each for each in workshop.history()}
    assert found["good"]["state"] == "succeeded"
    assert [row["version"] for row in workshop.truth("train")] == ["bad", "good"]
    assert "started cold" not in workshop.output()
    assert ("preload: numpy in" in workshop.output()) is (preload != "none")
    assert workshop.output().count("preload: ") == (preload != "none")
    assert workshop.left_behind() == []
    return found["bad"]


@BOTH
@pytest.mark.parametrize("name", ENDS_WELL)
def test_what_a_model_leaves_at_its_end_is_done_for_it(workshop: Workshop, name: str, preload: str) -> None:
    body = ENDS_WELL[name]
    found = trained(workshop, body, preload)
    assert (found["state"], found["exit_code"]) == ("succeeded", 0), found["message"]
    rows = workshop.truth()
    assert len([row for row in rows if row["event"] == "late"]) == body.count('"late"')
    if '"child"' in body:
        assert [row.get("values") for row in rows if row["event"] == "child"] == [[1, 2, 3] if "Pool" in body else None]
    if '"held"' in body:
        assert (workshop.root / "held").read_text() == "content"
    if "packed.gz" in body:
        assert gzip.decompress((workshop.root / "packed.gz").read_bytes()) == b"content"
    if "word" in body:
        texts = [path.read_text() for path in workshop.outputs.glob(f"runs/*/1/{wire.OUTPUT}")]
        assert sum("the last word" in text for text in texts) == 1


@BOTH
@pytest.mark.parametrize("name", ENDS_BADLY)
def test_how_a_worker_ended_is_told_as_it_was(workshop: Workshop, name: str, preload: str) -> None:
    body, state, code, number = ENDS_BADLY[name]
    found = trained(workshop, body, preload)
    assert (found["state"], found["exit_code"], found["signal"]) == (state, code, number), found["message"]
