"""A virtual environment for each peer, made once, outside the project."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

_SECONDS = 900
_URL = re.compile(r"\S*://\S+")


class Unavailable(Exception):
    """A tool cannot be measured on this machine; its message says why."""


def cache() -> Path:
    """Returns where the environments lie: MLP_BENCH_CACHE, or the user's cache."""
    stated = os.environ.get("MLP_BENCH_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(stated).resolve() if stated else Path(base) / "mlpipeline-bench"


class Environment:
    """One virtual environment.

    Args:
        name: of its directory.
        requirements: what is installed, as pip takes it.
    """

    def __init__(self, name: str, *requirements: str) -> None:
        self.name, self.requirements = name, requirements

    @property
    def bin(self) -> Path:
        """The directory of its programs."""
        return cache() / self.name / "bin"

    @property
    def python(self) -> str:
        """Its interpreter."""
        return str(self.bin / "python")

    def ready(self) -> bool:
        """Says whether it is there, made of these requirements by this interpreter."""
        try:
            made_of: object = json.loads(self._stamp().read_text("utf-8"))["made of"]
        except (OSError, ValueError):
            return False
        return made_of == self._made_of()

    def make(self) -> None:
        """Makes it, unless it is there.

        Raises:
            Unavailable: it cannot be installed.
        """
        if self.ready():
            return
        place = cache() / self.name
        shutil.rmtree(place, ignore_errors=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        sys.stderr.write(f"installing {' '.join(self.requirements)}\n")
        self._run([sys.executable, "-I", "-m", "venv", str(place)])
        self._run([self.python, "-I", "-m", "pip", "install", "-q", "--disable-pip-version-check", *self.requirements])
        listed = self._run([self.python, "-I", "-m", "pip", "list", "--format=json", "--disable-pip-version-check"])
        versions = {each["name"].lower(): each["version"] for each in json.loads(listed)}
        self._stamp().write_text(json.dumps({"made of": self._made_of(), "versions": versions}), "utf-8")

    def version(self, package: str) -> str:
        """Returns the version of an installed package."""
        found: str = json.loads(self._stamp().read_text("utf-8"))["versions"][package.lower()]
        return found

    def _stamp(self) -> Path:
        return cache() / self.name / "made.json"

    def _made_of(self) -> list[str]:
        return [sys.version, *self.requirements]

    def _run(self, command: list[str]) -> str:
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            raise Unavailable(f"not installed within {_SECONDS} s") from None
        if done.returncode != 0:
            said = [line for line in done.stderr.splitlines() if line.strip()]
            errors = [line for line in said if line.startswith("ERROR")] or said or ["pip said nothing"]
            raise Unavailable(f"cannot be installed: {_URL.sub('…', errors[-1]).strip()}")
        return done.stdout
