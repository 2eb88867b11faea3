"""What a run prints is pumped by its supervisor, however much it is and whatever it holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mlpipeline import wire

from .checker import violations
from .conftest import Workshop

MEGABYTE = 1_000_000
PEAK_BYTES = 60 * MEGABYTE
EVALUATED = [b"train: {'steps': 4.0}", b"test: {'steps': 2.0}"]

FLOOD = """
block, count = {block}, {count}
begin = time.monotonic()
for _ in range(count):
    view = memoryview(block)
    while view: view = view[os.write(1, view):]
seconds = time.monotonic() - begin
os.write(1, b"\\nthe end\\n")
status = Path("/proc", str(os.getppid()), "status").read_text()
peak = int(status.partition("VmHWM:")[2].split()[0]) * 1024
truth("flood", "one", peak=peak, megabytes_per_second=round(count * len(block) / seconds / 1e6))
"""
LINES = 'b"".join(b"%099d\\n" % n for n in range(10_000))'  # a megabyte
LINE = 'b"x" * 1_000_000'
BARS = 'b"".join(b"\\r%6.2f %% |####      | %d it/s" % (n / 100, n) for n in range(30_000))'  # about a megabyte


def output(workshop: Workshop) -> Path:
    return next(workshop.outputs.glob("runs/*/*")) / wire.OUTPUT


def trained(workshop: Workshop, body: str) -> dict[str, Any]:
    """Trains one version, and returns its run."""
    workshop.model("m.py", body)
    workshop.list("m.py")
    workshop.run("-r", "-u")
    return workshop.history()[0]


@pytest.mark.parametrize(
    ("block", "count", "least", "most"),
    [(LINES, 300, 300, 301), (LINE, 300, 300, 301), (BARS, 100, 0, 1)],
    ids=["lines", "one line", "bars"],
)
def test_a_flood_needs_no_memory(
    workshop: Workshop, block: str, count: int, least: int, most: int, record_property: Any
) -> None:
    run = trained(workshop, FLOOD.format(block=block, count=count))
    assert run["state"] == "succeeded", run["message"]
    (flood,) = workshop.truth("flood")
    record_property("megabytes_per_second", flood["megabytes_per_second"])
    print(f"{flood['megabytes_per_second']} MB/s, the supervisor's peak {flood['peak'] / MEGABYTE:.0f} MB")
    path = output(workshop)
    assert least * MEGABYTE <= path.stat().st_size <= most * MEGABYTE
    with path.open("rb") as file:
        file.seek(-100, 2)
        assert file.read().splitlines()[-3:] == [b"the end", *EVALUATED]
    path.unlink()  # hundreds of megabytes
    assert flood["peak"] < PEAK_BYTES
    assert violations(workshop) == []


def test_what_is_printed_is_kept_as_documented(workshop: Workshop) -> None:
    body = """
os.write(1, b"plain \\xff\\xfe not UTF-8 \\xc3\\n")
os.write(1, b"with \\x00 a NUL, \\x1b[31mred\\x1b[0m, \\x1b]0;a title\\x07 bell\\x07 and \\ttab\\n")
os.write(1, b"10 %\\r20 %\\r")
os.write(1, b"30 %\\rdone\\n")
os.write(1, b"windows\\r")
os.write(1, b"\\n")
os.write(2, b"to stderr\\n")
print("\\u00fcnic\\u00f6de", flush=True)
sys.stdout.buffer.write(b"no newline at the end")
"""
    run = trained(workshop, "import sys\n" + body)
    assert run["state"] == "succeeded"
    assert output(workshop).read_bytes().splitlines() == [
        b"plain \xff\xfe not UTF-8 \xc3",
        b"with  a NUL, red,  bell and \ttab",
        b"done",
        b"windows",
        b"to stderr",
        "ünicöde".encode(),
        b"no newline at the endtrain: {'steps': 4.0}",
        EVALUATED[1],
    ]
    status, text = workshop.run("logs", "m.py")
    assert status == 0, text
    assert "ünicöde" in text
    assert violations(workshop) == []


@pytest.mark.parametrize("how", ["os.close(1); os.close(2)", "sys.stdout.close(); sys.stderr.close()"])
@pytest.mark.parametrize("then", ["pass", "raise ValueError('after all')"])
def test_a_run_that_closes_its_output_ends_as_it_would(workshop: Workshop, how: str, then: str) -> None:
    run = trained(workshop, f"import sys\nprint('said', flush=True)\n{how}\n{then}")
    assert (run["state"], run["cause"]) == (("succeeded", "none") if then == "pass" else ("failed", "exception"))
    if then != "pass":
        assert "after all" in run["message"]
    assert output(workshop).read_bytes().startswith(b"said\n")
    assert violations(workshop) == []


def test_a_child_that_keeps_the_output_open_keeps_nobody_waiting(workshop: Workshop) -> None:
    body = """
import subprocess
subprocess.Popen(["sh", "-c", "trap '' TERM HUP; echo from the child; while :; do sleep 600; done"],
                 start_new_session=True)
while b"from the child" not in (Path(self.run.directory) / "output.log").read_bytes(): time.sleep(0.01)
"""
    run = trained(workshop, body)
    assert run["state"] == "succeeded"
    outcome = wire.read_json(output(workshop).with_name(wire.OUTCOME)) or {}
    assert any("processes behind" in warning for warning in outcome["warnings"])
    assert violations(workshop) == []


def test_a_stranger_that_keeps_the_output_open_keeps_nobody_waiting(workshop: Workshop) -> None:
    """It is no process of the run: it opened the pipe through /proc, as a debugger or a terminal would."""
    body = """
truth("pipe", "one")
while not (ROOT / "held").exists(): time.sleep(0.01)
print("the end", flush=True)
"""
    workshop.model("m.py", body)
    workshop.list("m.py")
    process = workshop.start("-r", "-u")
    (row,) = workshop.until(lambda: workshop.truth("pipe"), "it trains")
    with Path("/proc", str(row["pid"]), "fd", "1").open("wb", buffering=0) as held:
        (workshop.root / "held").touch()
        text, _ = process.communicate(timeout=60)
        assert process.returncode == 0, text
        with pytest.raises(BrokenPipeError):
            held.write(b"too late")
    assert output(workshop).read_bytes().splitlines() == [b"the end", *EVALUATED]
    assert violations(workshop) == []
