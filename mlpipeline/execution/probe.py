"""What a machine of an engine is like, written down there by a job of no consequence, for `mlpipeline doctor`."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from mlpipeline import __version__, wire
from mlpipeline.execution import packages

COMMAND = "import sys; sys.path.append(sys.argv[1]); from mlpipeline.execution.probe import main; main(*sys.argv[2:])"


def facts(root: str) -> dict[str, object]:
    """Returns what matters here for a run of a project.

    Args:
        root: the project's directory.
    """
    return {
        "node": os.environ.get("SLURMD_NODENAME") or os.uname().nodename,
        "python": sys.version.split()[0],
        "executable": sys.executable,
        "mlpipeline": __version__,
        "packages": packages.versions(),
        "user": os.getuid(),
        "sees_project": Path(root, "mlp.config").exists(),
        "time": time.time(),
    }


def main(place: str, name: str, root: str) -> None:
    """Writes `<place>/<name>.json`."""
    wire.write_json(Path(place, f"{name}.json"), facts(root))
