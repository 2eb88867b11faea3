"""What the user's code raised: its cause, a message for a person, and where in their own code it happened."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

from mlpipeline.errors import MlpipelineError, NotFinite

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_CUDA_MEMORY = ("CUDA out of memory", "CUDA_ERROR_OUT_OF_MEMORY", "OOM when allocating", "cudaErrorMemoryAllocation")
OURS = str(Path(__file__).resolve().parent.parent)
_PYTHONS = os.path.dirname(os.__file__)


@contextlib.contextmanager
def importing() -> Iterator[None]:
    """Marks errors that are raised while the model's file is imported."""
    try:
        yield
    except Exception as error:
        error.__dict__["_mlpipeline_importing"] = True
        raise


def own_frames(error: BaseException) -> list[traceback.FrameSummary]:
    """Returns the frames of a traceback that are not this package's."""
    frames = traceback.extract_tb(error.__traceback__)
    return [frame for frame in frames if not frame.filename.startswith((OURS, "<frozen"))]


def story(error: BaseException) -> str:
    """Returns the traceback as text, beginning at the user's own code.

    Where this package refuses something, and no line of the user's led there, there is no traceback: the message tells.
    """
    shown = traceback.TracebackException.from_exception(error)
    if _is_refusal(error):
        return "".join(shown.format_exception_only())
    kept = [frame for frame in shown.stack if not frame.filename.startswith((OURS, "<frozen"))]
    if kept:
        shown.stack = traceback.StackSummary.from_list(kept)
    return "".join(shown.format())


def _is_refusal(error: BaseException) -> bool:
    """Whether this package raised it, and no line of somebody else's code but Python's own took part."""
    return isinstance(error, MlpipelineError) and error.__cause__ is None and all(map(_is_pythons, own_frames(error)))


def _is_pythons(frame: traceback.FrameSummary) -> bool:
    """Whether a frame is of Python's own library, or of code that it has made, such as a dataclass's `__init__`."""
    is_library = frame.filename.startswith(_PYTHONS) and "site-packages" not in frame.filename
    return is_library or frame.filename == "<string>"


def show(error: BaseException) -> None:
    """Prints the traceback to stderr, where the run's log takes it."""
    if not sys.stderr.closed:  # the user's code may have closed it: the record tells the story, too
        sys.stderr.write(story(error))


def cause_of(error: BaseException) -> str:
    """Returns the cause by the kind of error and, for CUDA, by its text."""
    text = str(error)
    if isinstance(error, NotFinite):
        return "nan"
    if any(mark in text for mark in _CUDA_MEMORY):
        return "cuda_out_of_memory"
    if isinstance(error, MemoryError):
        return "out_of_memory"
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "disk_full"
    if isinstance(error, SystemExit):
        return "exit"
    if isinstance(error, ImportError) or "_mlpipeline_importing" in error.__dict__:
        return "import_error"
    return "exception"


def near_name(error: ImportError | AttributeError) -> str:
    """Returns ` Did you mean 'x'?` where a module has a name near the one that it was asked for, else nothing."""
    from mlpipeline.config_text import near_miss

    if isinstance(error, ModuleNotFoundError):
        import pkgutil

        package, _, name = str(error.name).rpartition(".")
        within = getattr(sys.modules.get(package), "__path__", None)
        return "" if within is None else near_miss(name, (each.name for each in pkgutil.iter_modules(within)))
    import re

    # Python names neither in a field of the error before 3.12.
    told = re.match(r"cannot import name '(\w+)' from '([\w.]+)'", str(error))
    found = told and told.groups()
    if found is None and (told := re.match(r"module '([\w.]+)' has no attribute '(\w+)'", str(error))):
        found = told.groups()[::-1]
    if found is None:
        return ""
    name, module = found[0], sys.modules.get(found[1])
    # A module's parts that were imported are among its names, and may be called like a class in them.
    return near_miss(name, getattr(module, "__all__", None) or (each for each in dir(module) if each[0] != "_"))


def describe(error: BaseException, root: Path) -> dict[str, Any]:
    """Returns cause, message, place and traceback of what was raised.

    The place is the deepest line of the project's own code, else the deepest line there is that is not this package's.
    Where this package says what is wrong, a line of Python's own library is no place.
    """
    frames = own_frames(error)
    inside = [
        frame for frame in frames if frame.filename.startswith(str(root)) and "site-packages" not in frame.filename
    ]
    others = [frame for frame in frames if not (isinstance(error, MlpipelineError) and _is_pythons(frame))]
    chosen = inside or others
    where = ""
    if chosen:
        place = chosen[-1]
        name = place.filename.removeprefix(f"{root}/")
        where = f"{name}:{place.lineno}"
    if isinstance(error, SystemExit):
        message = f"the code called exit({error.code!r}): use return or raise instead"
    else:
        message = f"{type(error).__name__}: {error}"
    return {
        "cause": cause_of(error),
        "message": f"{message} ({where})" if where else message,
        "error": {"type": type(error).__name__, "text": str(error), "where": where, "traceback": story(error)},
    }
