"""Twenty people start the queue at the same moment."""

from __future__ import annotations

import collections
import os
import re
import subprocess

from .checker import violations
from .conftest import Workshop

MANY = 20
WAITS = """
while not (ROOT / "go").exists(): time.sleep(0.01)
"""


def winner(workshop: Workshop, crowd: list[subprocess.Popen[str]]) -> subprocess.Popen[str]:
    """Waits until all but one have gone away, each of them having said who works."""
    workshop.until(lambda: sum(each.poll() is None for each in crowd) == 1, "all but one go away")
    (works,) = (each for each in crowd if each.poll() is None)
    for each in crowd:
        if each is not works:
            text, _ = each.communicate()
            assert each.returncode == 2, text
            assert re.search(rf"process {works.pid} on here, since \d{{4}}-.*|it has just started", text), text
            assert "mlpipeline stop" in text
    return works


def test_one_of_twenty_works_and_the_others_say_who_does(workshop: Workshop) -> None:
    listed = "".join(f'.add("v{number}")' for number in range(4))
    workshop.model("m.py", WAITS, f"Versions(0.1, Loader(), 2, 1){listed}")
    workshop.list("m.py")
    first = winner(workshop, [workshop.start("-r", "-u") for _ in range(MANY)])
    workshop.until(lambda: workshop.truth("train"), "it trains")
    first.kill()
    first.wait()
    second = winner(workshop, [workshop.start("-r", "-u") for _ in range(MANY)])
    assert second.pid != first.pid
    workshop.until(lambda: f'"pid": {second.pid}' in _status(workshop), "the second one works")
    (workshop.root / "go").touch()
    text, _ = second.communicate(timeout=120)
    assert second.returncode == 0, text
    trained = collections.Counter(row["version"] for row in workshop.truth("train"))
    assert trained == {f"v{number}": 1 for number in range(4)}
    assert violations(workshop) == []


def _status(workshop: Workshop) -> str:
    path = workshop.outputs / "status-here.json"
    return path.read_text() if os.path.exists(path) else ""
