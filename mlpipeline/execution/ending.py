"""How a worker ends: everything that an interpreter promises at its end, and not what takes long and helps nobody.

Python waits for threads, calls what `atexit` holds, and then takes every module apart, object by object: half a second
with TensorFlow, and all of its shared pages copied in a process that was forked. Here only what the run itself made is
taken apart; the rest is the kernel's.
"""

from __future__ import annotations

import _io
import atexit
import gc
import os
import sys
import threading
from collections.abc import Iterable
from typing import NoReturn

from mlpipeline.execution.loader import SourcesLoader


def end(status: int, modules: Iterable[str]) -> NoReturn:
    """Ends this process: threads are waited for, exit handlers called, the project's modules cleared, files written.

    Args:
        status: the process's exit status.
        modules: names of those among which the project's are.
    """
    # What an interpreter does first; neither has a public name.
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for name in modules:
        module = sys.modules.get(name)
        if isinstance(getattr(getattr(module, "__spec__", None), "loader", None), SourcesLoader):
            vars(module).clear()  # files close, objects are deleted
    _write_files()
    os._exit(status)


def _write_files() -> None:
    """Writes what open files still hold back. What was there before a fork holds nothing, and is not looked at."""
    for each in gc.get_objects():
        if isinstance(each, _io._IOBase):
            try:
                each.flush()
            except (OSError, ValueError):
                continue  # closed, or its disk is full: an interpreter's end would not say so either
