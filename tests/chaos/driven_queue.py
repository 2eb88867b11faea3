"""Runs a small queue from its start to its end, with a request in between; recorded by the test that starts it.

Usage: python driven_queue.py <project>
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

_SECONDS = 120.0


def main(root: Path) -> int:
    """Starts the queue, mends what failed, asks for a retry, and waits for the end. Returns the queue's status."""
    queue = subprocess.Popen([sys.executable, "-m", "mlpipeline", "-r", "-u"], cwd=root)
    _wait_for(root / "waits")
    (root / "mended").touch()
    asked = subprocess.run([sys.executable, "-m", "mlpipeline", "retry", "--failed"], cwd=root, check=False)
    _wait_for(root / "models" / "outputs" / "requests-here", "*.answer.json")
    (root / "go").touch()
    return queue.wait(_SECONDS) or asked.returncode


def _wait_for(path: Path, pattern: str = "") -> None:
    end = time.monotonic() + _SECONDS
    while not (any(path.glob(pattern)) if pattern else path.exists()):
        if time.monotonic() > end:
            raise SystemExit(f"{path}/{pattern} never appeared")
        time.sleep(0.02)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
