"""How a worker's process ends: what could be seen of an interpreter's end is done, the rest is left to the system.

Taking an interpreter apart costs some 10 ms, and far more where TensorFlow was imported before the fork.
"""

from __future__ import annotations

import atexit
import gc
import sys
import threading
from types import ModuleType
from weakref import ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

_OWN_PACKAGE = "mlpipeline"


class Ending:
    """Remembers what there was before the user's code came, and ends the process after it."""

    def __init__(self) -> None:
        self.known = {_package(name) for name in sys.modules}
        gc.freeze()  # what there is by now stays apart from what the user's code makes

    def leave(self, status: int) -> NoReturn:
        """Ends this process: waits for threads, calls exit handlers, lets go of the project's modules, flushes.

        Where something is left whose end might be seen, the interpreter's end is the ordinary one.

        Args:
            status: for whoever waits.

        Raises:
            SystemExit: the ordinary end.
        """
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        known = self.known | sys.stdlib_module_names
        mine = [name for name in sys.modules if _package(name) not in known]
        if threading.active_count() == 1 and all(map(_is_of_project, mine)) and not _has_finalizers():
            _let_go(mine)
            _exit(status)
        raise SystemExit(status)


def _package(name: str) -> str:
    return name.partition(".")[0]


def _is_of_project(name: str) -> bool:
    from mlpipeline.execution.loader import SourcesLoader

    spec = getattr(sys.modules[name], "__spec__", None)
    return spec is not None and (spec.loader is None or isinstance(spec.loader, SourcesLoader))


def _let_go(names: list[str]) -> None:
    """Drops modules in the manner of an interpreter's end: what a library wrote in C may have to be closed by it."""
    modules: dict[str, Any] = sys.modules  # a user's code may have put there what is no module
    left = [ref(module) for module in map(modules.pop, names) if isinstance(module, ModuleType)]
    gc.collect()
    for each in reversed(left):
        if (alive := each()) is not None:
            _clear(vars(alive))
    gc.collect()


def _clear(names: dict[str, Any]) -> None:
    for private in (True, False):
        for name in list(names):
            if name != "__builtins__" and (name.startswith("_") and not name.startswith("__")) is private:
                names[name] = None


def _has_finalizers() -> bool:
    """Whether something lives that does something when it is ended: an open file, a generator, a class's own."""
    return any(hasattr(type(each), "__del__") for each in gc.get_objects())


def _exit(status: int) -> NoReturn:
    """Flushes what Python holds back, and ends as a C program does, with the handlers and streams of its libraries."""
    import ctypes

    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        if stream is not None and not stream.closed:
            stream.flush()
    ctypes.PyDLL(None).exit(status)
    raise AssertionError("exit returned")
