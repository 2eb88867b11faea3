"""Says in each statement who asks, as sqlcommenter does: `/*application='churn',caller='models%2Fchurn.py%3A12'*/`."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path
from urllib.parse import quote

_PACKAGE = str(Path(__file__).resolve().parents[1])
_LIBRARIES = tuple({sysconfig.get_paths()[name] for name in ("stdlib", "purelib", "platlib")})


def comment(**said: str) -> str:
    """Returns a comment of sorted keys with quoted values; nothing in a value can end it, or become SQL."""
    pairs = (f"{quote(key, safe='')}='{quote(value, safe='')}'" for key, value in sorted(said.items()) if value)
    text = ",".join(pairs)
    return f"/*{text}*/" if text else ""


def caller(root: Path | None = None) -> str:
    """Returns `file:line in function` of the code that asked: the nearest frame outside this and installed packages."""
    frame = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        if not name.startswith((_PACKAGE, "<frozen")) and not name.startswith(_LIBRARIES):
            return f"{_relative(name, root)}:{frame.f_lineno} in {frame.f_code.co_name}"
        if frame.f_back is None:
            break
        frame = frame.f_back
    return ""


def _relative(name: str, root: Path | None) -> str:
    path = Path(name)
    return path.relative_to(root).as_posix() if root is not None and path.is_relative_to(root) else path.name
