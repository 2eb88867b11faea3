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
from importlib.machinery import EXTENSION_SUFFIXES
from types import FunctionType, ModuleType

from mlpipeline.execution.loader import SourcesLoader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

_CODE = (type, FunctionType, ModuleType)
_COLLECTIONS = 5
"""So many values that outlive their names are looked for among circles at most: each time all objects are visited."""
_NAMED_ONCE = 2
"""References to an object that only one name holds: that name's, and the question's own."""


def end(status: int, modules: Iterable[str]) -> NoReturn:
    """Ends this process: threads are waited for, exit handlers called, the project's modules cleared, files written.

    Args:
        status: the process's exit status.
        modules: names of those that the run imported, the latest first.
    """
    # What an interpreter does first; neither has a public name.
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    _write_files()  # in a circle a file may be closed before what would have written to it
    gc.collect()  # in a forked process it looks at what came after the fork
    names = list(modules)
    native = any(_is_native(sys.modules.get(name)) for name in names)
    _delete([sys.modules[name] for name in names if _is_own(name)])
    _write_files()
    if native or "ctypes" in sys.modules:
        _write_streams()
    os._exit(status)


def _delete(modules: list[ModuleType]) -> None:
    """Deletes what the project's modules hold, as a stack would: files close, and objects may use what came before.

    Args:
        modules: the latest first; a module comes after what it imports.
    """
    left = _COLLECTIONS
    for module in reversed(modules):
        held = vars(module)
        for name in reversed(list(held)):
            if not isinstance(held.get(name), _CODE) and not name.startswith("__"):
                value = held.pop(name, None)  # another one's last will may have removed it
                lives_on = left > 0 and gc.is_tracked(value) and sys.getrefcount(value) > _NAMED_ONCE
                del value
                if lives_on:  # in a circle of its own, perhaps, which may still use what came before it
                    gc.collect()
                    left -= 1
    gc.collect()
    for module in modules:
        vars(module).clear()


def _is_own(name: str) -> bool:
    spec = getattr(sys.modules.get(name), "__spec__", None)
    return isinstance(getattr(spec, "loader", None), SourcesLoader)


def _write_files() -> None:
    """Writes what open files still hold back. What was there before a fork holds nothing, and is not looked at."""
    for each in gc.get_objects():
        if issubclass(type(each), _io._IOBase):  # not isinstance: it asks `__class__`, which may be code of the user
            try:
                each.flush()
            except (OSError, ValueError):
                continue  # closed, or its disk is full: an interpreter's end would not say so either


def _write_streams() -> None:
    """Writes what libraries in C hold back in streams of their own."""
    import ctypes  # 2 ms, but where a library in C was imported it is there already, as with NumPy

    ctypes.PyDLL(None).fflush(None)


def _is_native(module: Any) -> bool:
    """Whether a module was built from C and is not one of Python's own, which hold nothing back."""
    file = getattr(module, "__file__", None) or ""
    return file.endswith(tuple(EXTENSION_SUFFIXES)) and "lib-dynload" not in file
