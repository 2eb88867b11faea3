"""A command whose output finds no room says so, and ends as one that failed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlpipeline.errors import DiskFull


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_output_without_room_is_told_and_fails(tmp_path: Path, unbuffered: str) -> None:
    (tmp_path / "mlp.config").write_text("[MLP]\n")
    (tmp_path / "models").mkdir()
    with open("/dev/full", "w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "mlpipeline", "compare", "--csv"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    assert ended.returncode == 1
    assert ended.stderr == f"mlpipeline: what was printed is not whole: {DiskFull()}\n"


def test_a_reader_that_goes_away_is_no_error_to_tell(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "mlpipeline", "--help"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONUNBUFFERED": ""},
            stdout=write,
            stderr=subprocess.PIPE,
            timeout=60,
        )
    finally:
        os.close(write)
    assert (ended.returncode, ended.stderr) == (1, b"")
