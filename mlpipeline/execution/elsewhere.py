"""Notes, on a machine that an engine chose, where its packages differ from those where the model was described.

What is installed is read from directory listings: a run must not pay for the metadata of hundreds of packages.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from mlpipeline import wire

_SHOWN = 5
_SUFFIX = ".dist-info"


def listed(paths: Iterable[str]) -> dict[str, str]:
    """Returns the versions of packages that lie in some directories, by normalized name; the first of a name counts."""
    names: list[str] = []
    versions: list[str] = []
    for path in paths:
        try:
            entries = os.listdir(path or ".")
        except OSError:
            continue  # archives and directories that are not there stand on the path as well
        for entry in entries:
            if entry.endswith(_SUFFIX):
                package, _, version = entry[: -len(_SUFFIX)].rpartition("-")
                names.append(package)
                versions.append(version)
    found: dict[str, str] = {}
    for name, version in zip(_normalized(names), versions, strict=True):
        found.setdefault(name, version)
    return found


def _normalized(names: Iterable[str]) -> list[str]:
    """Returns names as packaging's rules write them: all at a time, since every run pays for hundreds."""
    text = "\n".join(names)
    return re.sub(r"[-_.]+", "-", text).lower().split("\n") if text else []


def differences(there: Mapping[str, str], here: Mapping[str, str]) -> str:
    """Says how packages differ, in a sentence; empty where those of both have the same versions.

    Args:
        there: where the queue runs.
        here: on this machine.
    """
    other = [
        f"{name} {here[name]} (there {version})"
        for name, version in sorted(zip(_normalized(there), there.values(), strict=True))
        if name in here and here[name] != version
    ]
    more = f" and {len(other) - _SHOWN} more" if len(other) > _SHOWN else ""
    node = os.environ.get("SLURMD_NODENAME") or os.uname().nodename
    return f"{node} has other versions than the queue's machine: {', '.join(other[:_SHOWN])}{more}" if other else ""


def warnings(directory: Path) -> list[str]:
    """Returns what is to be said of an attempt's packages, by the `environment.json` that the queue made."""
    told = wire.read_json(directory / wire.ENVIRONMENT) or {}
    text = differences(told.get("packages") or {}, listed(sys.path))
    return [text] if text else []
