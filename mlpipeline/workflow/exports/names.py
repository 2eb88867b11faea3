"""Names that other tools allow, made of any name; names that differ stay different."""

from __future__ import annotations

import hashlib
import keyword
import re

_DIGEST, _LONGEST = 6, 40


def slug(name: str, *, longest: int = 52, allowed: str = "a-z0-9-") -> str:
    """Returns a name of small letters, digits and dashes, as a label of DNS has them.

    Args:
        longest: characters. 52 is what Kubernetes leaves of 63 to the name of a CronJob.
        allowed: characters, as a regular expression's class has them; else a dash stands there.
    """
    folded = re.sub(rf"[^{allowed}]+", "-", name if "A-Z" in allowed else name.lower()).strip("-._")
    if folded == name and 0 < len(name) <= longest:
        return name
    return f"{folded[: longest - _DIGEST - 1].rstrip('-._') or 'workflow'}-{_digest(name)}"


def identifier(name: str) -> str:
    """Returns a Python identifier."""
    folded = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_")
    is_short = 0 < len(folded) <= _LONGEST
    if folded == name and is_short and not name[0].isdigit() and not keyword.iskeyword(name):
        return name
    return f"workflow_{folded[:_LONGEST]}_{_digest(name)}".replace("__", "_")


def class_name(name: str) -> str:
    """Returns the name of a Python class."""
    words = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_").split("_")
    folded = "".join(word[:1].upper() + word[1:] for word in words)
    is_same = re.fullmatch(r"[a-z][a-z0-9]*(_[a-z][a-z0-9]*)*", name) is not None
    is_short = len(folded) <= _LONGEST
    return f"{folded}Flow" if is_same and is_short else f"Workflow{folded[:_LONGEST]}{_digest(name)}Flow"


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST]
