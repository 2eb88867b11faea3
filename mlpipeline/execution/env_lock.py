"""The environment's lock: exact versions of what is installed, in a file that pip and uv read; and drift from it."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mlpipeline import __version__
from mlpipeline.errors import ConfigurationError, NotWritable
from mlpipeline.execution.packages import Package, installed, normalized

NAME = "requirements.lock"
_NOT_LOCKED = frozenset({"pip", "mlpipeline"})
"""pip installs the rest; and what works here is the project's own choice, often a directory."""
_PIN = re.compile(
    r"([A-Za-z0-9][\w.-]*)==([^\s;\\#]+)(?:\s*;[^\\#]*)?\s*(?:\\\s*|#\s*content sha256:([0-9a-f]{64})\s*)?"
)
_URL = re.compile(r"([A-Za-z0-9][\w.-]*) @ (\S+)\s*")
_PLATFORM = re.compile(r"# python (\S+) on (\S+)")
_UV_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """What a lock says of one package; `version` is None where it has a URL."""

    name: str
    version: str | None
    origin: str | None = None
    content: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How what is installed differs from the lock; each is a sentence.

    Attributes:
        faults: packages that are missing, or of another version.
        notes: packages that the lock does not know; the same version with other content; another Python.
    """

    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def write(root: Path, *, uv: str | None = None) -> tuple[Path, bool]:
    """Writes the lock of a project; an older one is replaced, whole.

    Args:
        root: the project's directory.
        uv: the program that knows hashes without asking the network; by default that on the PATH, where there is one.

    Returns:
        the file, and whether it has the hashes of archives.

    Raises:
        NotWritable: the directory cannot be written.
    """
    packages = _locked()
    hashed = _hashed(packages, uv or shutil.which("uv"))
    lines = _head(is_hashed=hashed is not None) + (hashed if hashed is not None else _lines(packages))
    path = root / NAME
    beside = path.with_name(f".{NAME}.{os.getpid()}.part")
    try:
        beside.write_text("\n".join(lines) + "\n", "utf-8")
        os.replace(beside, path)
    except OSError as error:
        raise NotWritable(f"{path}: cannot be written ({error.strerror}): mend the permissions of {root}") from error
    finally:
        with contextlib.suppress(OSError):  # what could not be written need not be there
            beside.unlink()
    return path, hashed is not None


def listing() -> list[str]:
    """Returns the lines of a lock without the hashes of archives, for who writes them elsewhere."""
    return _head(is_hashed=False) + _lines(_locked())


def _locked() -> list[Package]:
    return [each for each in installed() if normalized(each.name) not in _NOT_LOCKED]


def drift(root: Path) -> Drift | None:
    """Compares what is installed with the lock of a project; None where there is no lock.

    Raises:
        ConfigurationError: a line of it cannot be read.
    """
    path = root / NAME
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: cannot be read ({error}): write it again, mlpipeline env lock") from error
    pinned = _read(text, path)
    have = {normalized(each.name): each for each in installed()}
    found = Drift()
    is_alike = _machine(text, found)
    for name, wanted in pinned.items():
        _compare(found, wanted, have.get(name), is_alike=is_alike)
    more = sorted(set(have) - set(pinned) - _NOT_LOCKED)
    found.notes.extend(f"{name} {have[name].version} is installed, and not in {NAME}" for name in more)
    return found


def _compare(found: Drift, wanted: Pinned, here: Package | None, *, is_alike: bool) -> None:
    told = wanted.version or wanted.origin
    if here is None:
        found.faults.append(f"{wanted.name} {told} is in {NAME}, and not installed")
    elif wanted.version is not None and here.version != wanted.version:
        found.faults.append(f"{wanted.name} is {here.version}, and {NAME} has {wanted.version}")
    elif wanted.origin is not None and here.origin != wanted.origin:
        found.faults.append(f"{wanted.name} comes from {here.origin or 'an index'}, and {NAME} has {wanted.origin}")
    elif is_alike and None not in (wanted.content, here.content) and wanted.content != here.content:
        found.notes.append(f"{wanted.name} {here.version} has other files than when {NAME} was written")


def _machine(text: str, found: Drift) -> bool:
    """Whether the lock was written by this Python on a machine like this: only then are contents the same."""
    match = _PLATFORM.search(text)
    if match is None:
        return False
    here = (platform.python_version(), sysconfig.get_platform())
    if match.groups() == here:
        return True
    found.notes.append(f"{NAME} was written by Python {match[1]} on {match[2]}; here is Python {here[0]} on {here[1]}")
    return False


def _head(*, is_hashed: bool) -> list[str]:
    options = "--require-hashes --no-deps" if is_hashed else "--no-deps"
    return [
        f"# Written by mlpipeline {__version__}: mlpipeline env lock. Install: pip install {options} -r {NAME}",
        f"# python {platform.python_version()} on {sysconfig.get_platform()}",
    ]


def _lines(packages: Sequence[Package]) -> list[str]:
    return [_line(each) for each in packages]


def _line(package: Package) -> str:
    if package.is_editable or (package.origin or "").startswith("file:"):
        return f"# {package.name} {package.version} comes from a directory of this machine: install it from there"
    if package.origin is not None:
        return f"{package.name} @ {package.origin}"
    # A comment, no --hash: RECORD tells what was installed, and pip's hashes are those of archives.
    return f"{package.name}=={package.version}" + (f"  # content sha256:{package.content}" if package.content else "")


def _hashed(packages: Sequence[Package], uv: str | None) -> list[str] | None:
    """Returns lines with the hashes of archives, where uv has those of every package in its cache; None elsewhere."""
    if uv is None:
        return None
    asked = "\n".join(_line(each).partition("  #")[0] for each in packages)
    words = [
        "pip",
        "compile",
        "-",
        "--generate-hashes",
        "--offline",
        "--no-deps",
        "--no-header",
        "--no-annotate",
        "--quiet",
    ]
    command = [uv, *words, "--python", sys.executable]
    try:
        done = subprocess.run(command, input=asked, capture_output=True, text=True, timeout=_UV_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = done.stdout.splitlines()
    pins = [line for line in lines if _PIN.match(line)]
    is_whole = done.returncode == 0 and len(pins) == sum(_PIN.match(line) is not None for line in asked.splitlines())
    return lines if is_whole and all(line.rstrip().endswith("\\") for line in pins) else None


def _read(text: str, path: Path) -> dict[str, Pinned]:
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith(("#", "--hash=")):
            continue
        if match := _PIN.fullmatch(line):
            found[normalized(match[1])] = Pinned(name=match[1], version=match[2], content=match[3])
        elif match := _URL.fullmatch(line):
            found[normalized(match[1])] = Pinned(name=match[1], version=None, origin=match[2])
        else:
            raise ConfigurationError(
                f"{path}:{number}: {line[:60]!r} is no `name==version`: write it again, mlpipeline env lock"
            )
    return found
