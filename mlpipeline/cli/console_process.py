"""The process of a console: IPython where it is installed, else Python's own, with a banner that names the project."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from typing import Any

_COLOURS = {"development": "32", "test": "34", "production": "31"}


def main(story: str, *, plain: bool) -> None:
    """Opens the console and stays until it is left."""
    told = json.loads(story)
    os.chdir(told["root"])
    sys.argv = [""]
    namespace: dict[str, Any] = {"__name__": "__console__"}
    import mlpipeline

    namespace["mlpipeline"] = mlpipeline
    if not plain:
        try:
            from IPython import start_ipython
            from traitlets.config import Config
        except ImportError:
            plain = True
    if plain:
        _plain(banner(told), namespace)
        return
    config = Config()
    config.TerminalInteractiveShell.banner1 = banner(told) + "\n"
    config.TerminalIPythonApp.display_banner = True
    sys.exit(start_ipython(argv=["--quick"] if not sys.stdin.isatty() else [], user_ns=namespace, config=config))


def banner(told: dict[str, str]) -> str:
    """Returns what stands above the first prompt; the environment in its color on a terminal."""
    name = told["environment"]
    shown = f"\033[1;{_COLOURS.get(name, '33')}m{name}\033[0m" if sys.stdout.isatty() else name
    version = ".".join(map(str, sys.version_info[:3]))
    return f"{told['name']} ({shown}), Python {version}: {told['root']}"


def _plain(text: str, namespace: dict[str, Any]) -> None:
    import code

    with contextlib.suppress(ImportError):
        import readline  # noqa: F401 - editing of the line
    code.interact(banner=text, local=namespace, exitmsg="")
