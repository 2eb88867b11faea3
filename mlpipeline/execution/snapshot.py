"""Copies of a model's sources: content-addressed, so that a run uses the code as it was when it was submitted."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from mlpipeline import wire

MANIFEST = "manifest.json"
TREE = "tree"
_OWN_PACKAGE = "mlpipeline"


class Place:
    """Where a project's modules are found: what is on the path of its models.

    Attributes:
        root: the project.
        models_dir: absolute; scripts in it import one another by name.
        main: the model's file, absolute.
    """

    __slots__ = ("main", "models_dir", "root")

    def __init__(self, *, root: Path, models_dir: Path, main: Path) -> None:
        self.root = root
        self.models_dir = models_dir
        self.main = main

    @property
    def search(self) -> tuple[Path, ...]:
        """The directories on the path, in order, without repetition."""
        return tuple(dict.fromkeys((self.main.parent, self.models_dir, self.root)))

    def relative(self, path: Path) -> str:
        """Returns `path` relative to the root, in POSIX spelling (it may begin with `..`)."""
        return Path(os.path.relpath(path, self.root)).as_posix()


class Snapshot:
    """A stored copy of sources. `files` maps project-relative paths to SHA-256 digests."""

    __slots__ = ("directory", "files", "main", "sha")

    def __init__(self, *, sha: str, main: str, files: Mapping[str, str], directory: Path) -> None:
        self.sha = sha
        self.main = main
        self.files = files
        self.directory = directory

    def path(self, name: str) -> Path:
        """Returns where the copy of a file lies."""
        return self.directory / TREE / safe_name(name)

    def read(self) -> dict[str, bytes]:
        """Reads every copied file."""
        return {name: self.path(name).read_bytes() for name in self.files}


def safe_name(name: str) -> str:
    """Returns a path that stays inside the copy, also for sources outside the project (`../shared/x.py`)."""
    return "/".join("__up__" if part == ".." else part for part in name.split("/") if part not in ("", "."))


def closure(place: Place) -> dict[str, bytes]:
    """Reads the model's file and every project module that it imports, directly or not, by reading alone.

    Raises:
        OSError: when the model's own file cannot be read.
    """
    files = {place.relative(place.main): place.main.read_bytes()}
    waiting = [place.main]
    while waiting:
        path = waiting.pop()
        for found in _imported(path, files[place.relative(path)], place):
            name = place.relative(found)
            if name not in files:
                try:
                    files[name] = found.read_bytes()
                except OSError:
                    continue  # vanished between look and read: the import will say so
                waiting.append(found)
    return files


def _imported(path: Path, content: bytes, place: Place) -> Iterator[Path]:
    import ast  # here, since a run opens snapshots and makes none

    if path.suffix != ".py":
        return
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from find_module(alias.name, place.search)
        elif isinstance(node, ast.ImportFrom):
            search = _parents(path, node.level) if node.level else place.search
            stem = f"{node.module}." if node.module else ""
            for alias in node.names:
                yield from find_module(stem + alias.name, search)


def _parents(path: Path, level: int) -> tuple[Path, ...]:
    directory = path.parent
    for _ in range(level - 1):
        directory = directory.parent
    return (directory,)


def find_module(name: str, search: tuple[Path, ...]) -> Iterator[Path]:
    """Yields the files that importing a dotted name would execute, as far as they lie in `search`.

    The last part may be a name within a module, so its absence is no fault.
    """
    parts = name.split(".")
    if parts[0] == _OWN_PACKAGE:
        return
    for base in search:
        found = list(_along(base, parts))
        if found:
            yield from found
            return


def _along(base: Path, parts: list[str]) -> Iterator[Path]:
    directory = base
    for part in parts:
        package, module = directory / part / "__init__.py", directory / f"{part}.py"
        if package.is_file():
            yield package
        elif module.is_file():
            yield module
            return
        elif not (directory / part).is_dir():
            return
        directory = directory / part


def digest_of(files: Mapping[str, bytes], main: str) -> tuple[str, dict[str, str]]:
    """Returns the address of a set of files and the digest of each."""
    import hashlib  # here, since a worker opens snapshots and makes none

    digests = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}
    return hashlib.sha256(json.dumps([main, digests]).encode()).hexdigest()[:24], digests


def listing_digest(directory: Path) -> str:
    """Returns a digest of which Python files and directories lie in a directory, whatever is in them.

    Raises:
        OSError: it cannot be read.
    """
    import hashlib  # here, since a worker opens snapshots and makes none

    names = sorted(each for each in os.listdir(directory) if not each.startswith(("__pycache__", ".")))
    return hashlib.sha256("\n".join(names).encode("utf-8", "surrogateescape")).hexdigest()


def looked_at(paths: Iterable[Path], place: Place) -> dict[str, str]:
    """Returns the digests of files, and of the listings of directories and of all those below them; `missing` for
    those that are not there."""
    import hashlib

    found: dict[str, str] = {}
    for path in paths:
        below = [Path(each) for each, _, _ in os.walk(path) if "__pycache__" not in each] if path.is_dir() else [path]
        for each in below:
            try:
                content = listing_digest(each) if each.is_dir() else hashlib.sha256(each.read_bytes()).hexdigest()
            except OSError:
                content = "missing"
            found[place.relative(each)] = content
    return found


def store(sources_dir: Path, files: Mapping[str, bytes], main: str) -> Snapshot:
    """Copies files under their address. Storing the same files again only says that they are in use.

    The directory appears whole: it is filled beside its place, synced and renamed.
    """
    import shutil
    import tempfile

    sha, digests = digest_of(files, main)
    target = sources_dir / sha
    snapshot = Snapshot(sha=sha, main=main, files=digests, directory=target)
    if target.is_dir() and _touch(target):
        wire.sync_directory(sources_dir)  # who stored them may have been stopped before
        return snapshot
    sources_dir.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{sha}-", dir=sources_dir))
    try:
        for name, content in files.items():
            _write(beside / TREE / safe_name(name), content)
        _write(beside / MANIFEST, json.dumps({"main": main, "files": digests}, indent=1).encode())
        beside.chmod(0o755)
        for directory, _, _ in os.walk(beside):
            wire.sync_directory(directory)
        beside.rename(target)
        wire.sync_directory(sources_dir)
    except OSError:
        shutil.rmtree(beside, ignore_errors=True)
        if not target.is_dir():  # another process may have stored the same files first
            raise
    return snapshot


def _touch(directory: Path) -> bool:
    """Makes a copy young again, so that keeping house leaves it to who is about to name it. False when it is gone."""
    try:
        os.utime(directory)
    except FileNotFoundError:
        return False
    except PermissionError:  # another user's, who keeps their own house
        return True
    return True


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def load(directory: Path) -> Snapshot:
    """Opens a stored snapshot.

    Raises:
        OSError, ValueError: when it is missing or damaged.
    """
    manifest = json.loads((directory / MANIFEST).read_text("utf-8"))
    return Snapshot(sha=directory.name, main=manifest["main"], files=manifest["files"], directory=directory)
