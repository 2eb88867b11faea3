"""What an interpreter has loaded after importing the package."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("click", "filelock", "keras", "numpy", "psutil", "rich", "sklearn", "tensorflow", "torch", "tqdm", "watchdog")


def test_importing_the_package_and_its_public_names_loads_nothing_heavy() -> None:
    program = (
        "import sys, mlpipeline\n"
        "from mlpipeline import DataLoader, Metric, Model, Project, RunContext, Version, Versions\n"
        "import mlpipeline.helper, mlpipeline.utils\n"
        f"print(*[name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "", "")
