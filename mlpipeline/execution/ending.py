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
from types import FunctionType, ModuleType
from typing import NoReturn

from mlpipeline.execution.loader import SourcesLoader

_CODE = (type, FunctionType, ModuleType)


def end(status: int, modules: Iterable[str]) -> NoReturn:
    """Ends this process: threads are waited for, exit handlers called, the project's modules cleared, files written.

    Args:
        status: the process's exit status.
        modules: names of those among which the project's are.
    """
    # What an interpreter does first; neither has a public name.
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    _write_files()  # in a circle a file may be closed before what would have written to it
    gc.collect()  # in a forked process it looks at what came after the fork
    _delete(modules)
    _write_files()
    os._exit(status)


def _delete(names: Iterable[str]) -> None:
    """Deletes what the project's modules hold, as a stack would: files close, and objects may use what came before.

    Args:
        names: the latest first; a module comes after what it imports.
    """
    modules = [sys.modules[name] for name in names if _is_own(name)]
    for module in reversed(modules):
        held = vars(module)
        for name in reversed(list(held)):
            if not isinstance(held.get(name), _CODE) and not name.startswith("__"):
                held.pop(name, None)  # another one's last will may have removed it
    gc.collect()
    for module in modules:
        vars(module).clear()


def _is_own(name: str) -> bool:
    spec = getattr(sys.modules.get(name), "__spec__", None)
    return isinstance(getattr(spec, "loader", None), SourcesLoader)


def _write_files() -> None:
    """Writes what open files still hold back. What was there before a fork holds nothing, and is not looked at."""
    for each in gc.get_objects():
        if isinstance(each, _io._IOBase):
            try:
                each.flush()
            except (OSError, ValueError):
                continue  # closed, or its disk is full: an interpreter's end would not say so either
