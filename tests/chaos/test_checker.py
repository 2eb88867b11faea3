"""The checker finds nothing in an honest project, and every violation that is planted in it."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .checker import violations
from .conftest import Workshop


def damaged(workshop: Workshop, plant: Callable[[Workshop], object]) -> list[str]:
    """Plants a violation in a copy of a project, and returns what the checker finds there."""
    copy = Workshop.__new__(Workshop)
    copy.root, copy.models, copy.processes = workshop.root.parent / "copy", workshop.root.parent / "copy/models", []
    shutil.copytree(workshop.root, copy.root, symlinks=True)
    try:
        plant(copy)
        return violations(copy)
    finally:
        shutil.rmtree(copy.root)


def sql(workshop: Workshop, command: str) -> None:
    """Changes the ledger as no program would: its own guards are taken off first."""
    with sqlite3.connect(workshop.outputs / "ledger-here.db") as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(command)
    connection.close()


def append(workshop: Workshop, **changes: object) -> None:
    """Writes a row of truth like the first one, changed."""
    row = workshop.truth("train")[0] | changes
    with (workshop.root / "truth.jsonl").open("a") as file:
        file.write(json.dumps(row) + "\n")


def outcome(workshop: Workshop) -> Path:
    return next(workshop.outputs.glob("runs/*/1/outcome.json"))


def twice_reported(workshop: Workshop) -> None:
    path = workshop.outputs / "output-here"
    path.write_text(path.read_text() * 2)


PLANTED: dict[str, tuple[str, Callable[[Workshop], object]]] = {
    "trained without a submission": ("I1", lambda w: append(w, attempt=2)),
    "succeeded without training": ("I1", lambda w: (w.root / "truth.jsonl").unlink()),
    "two blocks": ("I2", twice_reported),
    "two attempts of one token": ("I2", lambda w: sql(w, "UPDATE attempts SET token = 'same'")),
    "a foreign outcome": ("I2", lambda w: outcome(w).write_text(json.dumps({"token": "other"}))),
    "a block too few": ("I2", lambda w: (w.outputs / "output-here").unlink()),
    "two processes for one attempt": ("I3", lambda w: append(w, pid=1)),
    "two attempts at once": ("I3", lambda w: append(w, attempt=2, pid=1)),
    "seen beside another": ("I3", lambda w: append(w, beside=[77])),
    "trained after its success": ("I4", lambda w: append(w, m=w.truth("trained")[0]["m"] + 1)),
    "the same version in two runs": ("I4", lambda w: sql(w, "UPDATE runs SET version = 'one', params_digest = 'p'")),
    "live for ever": ("I5", lambda w: sql(w, "UPDATE attempts SET state = 'running', ended_at = NULL")),
    "a lost outcome": ("I8", lambda w: outcome(w).unlink()),
    "no exit": ("I12", lambda w: sql(w, "UPDATE attempts SET exit_code = NULL")),
    "no cause": ("I12", lambda w: sql(w, "UPDATE attempts SET state = 'failed'")),
    "no peak": ("I12", lambda w: sql(w, "UPDATE attempts SET peak_memory_bytes = NULL")),
}


def test_an_honest_project_has_no_violation_and_planted_ones_are_found(workshop: Workshop) -> None:
    workshop.model("m.py", "pass", 'Versions(0.1, Loader(), 2, 1).add("one").add("two")')
    workshop.list("m.py")
    status, text = workshop.run("-r", "-u")
    assert status == 0, text
    assert violations(workshop) == []
    missed = {}
    for what, (invariant, plant) in PLANTED.items():
        found = damaged(workshop, plant)
        if not any(re.match(rf"{invariant} ", line) for line in found):
            missed[what] = found
    assert missed == {}
    assert violations(workshop) == []


@pytest.mark.parametrize("how", ["directory", "token"])
def test_a_process_that_is_left_is_found(workshop: Workshop, tmp_path: Path, how: str) -> None:
    workshop.model("m.py", "pass")
    workshop.list("m.py")
    assert workshop.run("-r", "-u")[0] == 0
    spec = json.loads(next(workshop.outputs.glob("runs/*/1/spec.json")).read_text())
    process = subprocess.Popen(
        [sys.executable, "-c", "input()"],
        stdin=subprocess.PIPE,
        cwd=workshop.root if how == "directory" else tmp_path,
        env=os.environ | ({"MLP_TOKEN": spec["token"]} if how == "token" else {}),
    )
    try:
        workshop.until(lambda: violations(workshop), "the process is found")
        assert [line for line in violations(workshop) if not line.startswith(f"I5 process {process.pid} ")] == []
    finally:
        process.communicate(b"\n")
    assert violations(workshop) == []
