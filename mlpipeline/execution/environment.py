"""The environment variables of a worker.

Imported by the supervisor at every start: light modules only.
"""

from __future__ import annotations

import os

from mlpipeline.execution.limits import THREAD_VARIABLES, carried

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PACKAGE_PARENT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
"""Where an interpreter finds this package that was started without site-packages."""


def of_worker(spec: dict[str, Any], directory: str, lock: str) -> dict[str, str]:
    """Returns what a worker inherits: its supervisor's variables, threads, token, copied sources.

    Args:
        spec: of the attempt.
        directory: of the attempt.
        lock: the mark of its lock file, see `carried`.
    """
    values = dict(os.environ)
    threads = spec.get("threads")
    if threads:
        values.update({name: str(threads) for name in THREAD_VARIABLES})
    values["MLP_TOKEN"] = carried(spec["token"], lock)
    values["MLP_SUPERVISOR"] = str(os.getpid())
    values["PYTHONHASHSEED"] = "0"
    copies = spec.get("python_path") or []
    inherited = [values["PYTHONPATH"]] if values.get("PYTHONPATH") else []
    # Child interpreters (multiprocessing's spawn) find the copied modules as plain files.
    values["PYTHONPATH"] = os.pathsep.join([os.path.normpath(f"{directory}/{path}") for path in copies] + inherited)
    return values
