"""Nobody reads what the scheduler prints: a pager, Ctrl-S, a terminal that hangs."""

from __future__ import annotations

import fcntl

from .checker import violations
from .conftest import Workshop


def test_a_terminal_that_takes_nothing_holds_nobody_up(workshop: Workshop) -> None:
    versions = "".join(f'.add("v{number:02d}")' for number in range(40))
    workshop.model("m.py", "pass", f"Versions(0.1, Loader(), 2, 1){versions}")
    workshop.list("m.py")
    process = workshop.start("-r", "-u")
    assert process.stdout is not None
    fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, 4096)
    workshop.until(lambda: len(workshop.truth("trained")) == 40, "all versions train, and nobody reads along")
    text, _ = process.communicate(timeout=60)
    assert process.returncode == 0, text
    assert len([line for line in workshop.output().splitlines() if "start m.py:" in line]) == 40
    assert len(text) < 8192
    assert violations(workshop) == []
