"""File systems that are soon full."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_file_system(path: Path) -> Iterator[Path]:
    """Mounts two megabytes at a new directory; skips the test where that cannot be, and fails it in CI."""
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(path)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        if os.environ.get("CI"):
            pytest.fail("a tmpfs cannot be mounted here, and CI must prove what a full disk does")
        pytest.skip("mounting a tmpfs needs root")
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


def make_read_only(path: Path) -> None:
    """Lets nothing be written to what is mounted there."""
    subprocess.run(["mount", "-o", "remount,ro", str(path)], check=True)
