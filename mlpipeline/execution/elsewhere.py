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
    found: dict[str, str] = {}
    for path in paths:
        try:
            names = os.listdir(path or ".")
        except OSError:
            continue  # archives and directories that are not there stand on the path as well
        for name in names:
            if name.endswith(_SUFFIX):
                package, _, version = name[: -len(_SUFFIX)].rpartition("-")
                found.setdefault(_normalized(package), version)
    return found


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def differences(there: Mapping[str, str], here: Mapping[str, str]) -> str:
    """Says how packages differ, in a sentence; empty where those of both have the same versions.

    Args:
        there: where the queue runs.
        here: on this machine.
    """
    other = [
        f"{name} {here[name]} (there {version})"
        for name, version in sorted((_normalized(name), version) for name, version in there.items())
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
