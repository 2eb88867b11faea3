"""Names of files for keys: every key has one of its own, on every file system."""

from __future__ import annotations

from urllib.parse import quote, unquote

PART = ".part"
"""How the names of files end that are not whole yet; no key's does."""
_PIECE = 200
_MORE = "+"


def path_of(key: str) -> str:
    """Returns a relative path. A name has at most 255 bytes: a longer one is cut, all but its end directories."""
    name = quote(key, safe="").replace(".", "%2E")
    pieces = [name[start : start + _PIECE] for start in range(0, len(name), _PIECE)]
    return "/".join([*(piece + _MORE for piece in pieces[:-1]), pieces[-1]])


def key_of(path: str) -> str | None:
    """Returns the key of a relative path; None of one that is no key's."""
    *folders, last = path.split("/")
    if last.endswith(PART) or not all(folder.endswith(_MORE) for folder in folders):
        return None
    return unquote("".join(folder.removesuffix(_MORE) for folder in folders) + last)
