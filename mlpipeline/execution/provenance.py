"""What a run ran on: interpreter, packages, machine, git commit and difference. Recorded with the attempt."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

_GIT_SECONDS = 10
_MAX_DIFF = 1 << 20


def environment(masked: dict[str, str]) -> dict[str, Any]:
    """Returns facts on interpreter, machine and installed packages. Values of configured variables are masked."""
    from mlpipeline.execution import packages

    return {
        "python": sys.version,
        "executable": sys.executable,
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "threads": os.environ.get("OMP_NUM_THREADS"),
        "variables": dict.fromkeys(masked, "***"),
        "packages": packages.versions(),
    }


def git_state(root: Path) -> dict[str, Any]:
    """Returns commit, branch, and whether the tree differs from it; says so where there is no repository."""
    if shutil.which("git") is None:
        return {"commit": None, "note": "git is not installed"}
    commit = _git(root, "rev-parse", "HEAD")
    if commit is None:
        return {"commit": None, "note": "not in a git repository, or nothing was committed"}
    difference = _git(root, "diff", "HEAD", "--no-ext-diff", "--no-color") or ""
    return {
        "commit": commit.strip(),
        "branch": (_git(root, "rev-parse", "--abbrev-ref", "HEAD") or "").strip(),
        "dirty": bool(difference),
        "diff": difference[:_MAX_DIFF],
    }


def _git(root: Path, *arguments: str) -> str | None:
    command = ["git", "-C", str(root), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_GIT_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None


def main(root: str, target: str, variables: str) -> None:
    """Collects everything and writes it, whole, to `target`."""
    from mlpipeline import wire

    names = {name: "" for name in variables.split(",") if name}
    wire.write_json(target, environment(names) | {"git": git_state(Path(root)), "collected_at": wire.utc_now()})
