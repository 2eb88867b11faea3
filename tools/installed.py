"""Asks an environment what of mlpipeline works in it: each part loads, or says which extra brings what it needs.

Run by tools/installs.py with the environment's own Python. Prints JSON: parts by name, with None, the extra that is
missing, or the error that nobody translated.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable
from functools import partial

from mlpipeline import plugins
from mlpipeline.errors import MissingExtra
from mlpipeline.wiring import wire

_PACKAGES = (
    "mlpipeline", "mlpipeline.data", "mlpipeline.data.encoders", "mlpipeline.data.transformers", "mlpipeline.learning",
    "mlpipeline.learning.estimators", "mlpipeline.workflow",
)  # fmt: skip


def tried(action: Callable[[], object]) -> str | None:
    """Does something, and returns what is in the way: None, the extra that is missing, or an error."""
    try:
        action()
    except MissingExtra as error:
        found = re.search(r"pip install 'mlpipeline\[([^\]]+)\]'", str(error))
        return found[1] if found else f"MissingExtra, which names none: {error}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


def main() -> None:
    """Prints what works."""
    wire()
    found = {}
    for package in _PACKAGES:
        names = importlib.import_module(package).__all__
        found |= {
            f"{package}.{name}": tried(partial(getattr, importlib.import_module(package), name)) for name in names
        }
    for kind in sorted(plugins._registry._targets):
        found |= {f"{kind} {name}": tried(partial(plugins.load, kind, name)) for name in plugins.names(kind)}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
