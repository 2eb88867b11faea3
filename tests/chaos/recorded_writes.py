"""What a program wrote, in order: a strace recording read back as changes of one directory and syncs of its files.

Followed is everything below a root directory; what is written elsewhere is kept as a mark, so that a moment in the
recording can be told by what was said or done there. `-shm` files are left out: SQLite makes them anew.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_CALLS = (
    "open,openat,creat,write,writev,pwrite64,pwritev,truncate,ftruncate,fallocate,copy_file_range,sendfile,"
    "fsync,fdatasync,rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,rmdir,mkdir,mkdirat"
)
_LINE = re.compile(r"(\d+)\s+(.*)")
_WHOLE = re.compile(r"(\w+)\((.*)\)\s+= (-?\d+)(.*)")
_UNFINISHED = " <unfinished ...>"
_RESUMED = re.compile(r"<\.\.\. \w+ resumed>(.*)")
_PLACE = re.compile(r"(?:-?\d+|AT_FDCWD)<((?:\\x[0-9a-f]{2})*)>(\(deleted\))?")


@dataclass(frozen=True, slots=True)
class Data:
    """Bytes that changed in a file; `content` is None where its length was set to `offset`."""

    inode: int
    offset: int
    content: bytes | None


@dataclass(frozen=True, slots=True)
class Names:
    """Names that changed together: directory, name, and the inode that it means from now on (None: it is gone)."""

    entries: tuple[tuple[int, str, int | None], ...]


@dataclass(frozen=True, slots=True)
class Sync:
    """A sync that succeeded: changes of this inode among the first `covers` events are on disk from now on."""

    inode: int
    covers: int
    path: str


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that was written or made outside of the root."""

    path: str
    content: bytes


Event = Data | Names | Sync | Mark


@dataclass(slots=True)
class Recording:
    """A directory's changes. Inode 0 is the root; `links` holds the targets of symbolic links."""

    events: list[Event] = field(default_factory=list)
    directories: set[int] = field(default_factory=lambda: {0})
    links: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Call:
    name: str
    arguments: Sequence[str]
    result: int
    began_after: int


def record(command: Sequence[str], root: Path, trace: Path, cwd: Path) -> tuple[int, str, Recording]:
    """Runs a command with all its children under strace. Returns its exit status, what it printed, what it wrote."""
    strace = ["strace", "-f", "--seccomp-bpf", "-qq", "-y", "-xx", "-s", "10000000", "-e", "signal=none"]
    done = subprocess.run(
        [*strace, "-e", f"trace={_CALLS}", "-o", str(trace), *command],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
        check=False,
    )
    return done.returncode, done.stdout, Reader(root).read(trace.read_text("ascii").splitlines())


class Reader:
    """Follows a recording call by call."""

    def __init__(self, root: Path) -> None:
        self.root = str(root)
        self.recording = Recording()
        self.names: dict[int, dict[str, int]] = {0: {}}
        self.sizes: dict[int, int] = {}
        self.last = 0

    def read(self, lines: Sequence[str]) -> Recording:
        """Reads the lines of a trace file."""
        for call in self._calls(lines):
            if call.result >= 0:
                self._follow(call)
        return self.recording

    def _calls(self, lines: Sequence[str]) -> Iterator[_Call]:
        begun: dict[str, tuple[str, int]] = {}
        for line in lines:
            found = _LINE.fullmatch(line)
            assert found, line[:200]
            pid, text = found.groups()
            began_after = len(self.recording.events)
            if text.endswith(_UNFINISHED):
                begun[pid] = (text.removesuffix(_UNFINISHED), began_after)
                continue
            if resumed := _RESUMED.fullmatch(text):
                start, began_after = begun.pop(pid)
                text = start + resumed[1]
            if whole := _WHOLE.fullmatch(text):  # a call that its process did not survive has no result
                yield _Call(whole[1], whole[2].split(", "), int(whole[3]), began_after)

    def _follow(self, call: _Call) -> None:
        match call.name:
            case "open" | "openat" | "creat":
                self._open(call)
            case "write" | "pwrite64":
                self._write(call)
            case "ftruncate":
                path, inode = self._opened(call.arguments[0])
                if inode is not None:
                    self._data(inode, int(call.arguments[1]), None)
            case "fsync" | "fdatasync":
                path, inode = self._opened(call.arguments[0])
                if inode is not None:
                    self.recording.events.append(Sync(inode, call.began_after, path))
            case "rename" | "renameat" | "renameat2" | "unlink" | "unlinkat" | "rmdir":
                self._renamed(*_paths(call))
            case "mkdir" | "mkdirat" | "symlink" | "symlinkat" | "link" | "linkat":
                self._made(call)
            case _:
                for argument in call.arguments:
                    place = _PLACE.match(argument)
                    assert not place or not self._is_inside(_text(place[1])), f"{call.name} is not followed"

    def _open(self, call: _Call) -> None:
        path = _paths(call)[0]
        flags = "O_CREAT|O_TRUNC" if call.name == "creat" else call.arguments[1 if call.name == "open" else 2]
        if not self._is_inside(path):
            if "O_CREAT" in flags:
                self.recording.events.append(Mark(path, b""))
            return
        inode = self._inode(path)
        if inode is None and "O_CREAT" in flags:
            inode = self._new()
            self._name((path, inode))
        if inode is not None and "O_TRUNC" in flags and self.sizes.get(inode):
            self._data(inode, 0, None)

    def _write(self, call: _Call) -> None:
        path, inode = self._opened(call.arguments[0])
        content = _bytes(call.arguments[1])[: call.result]
        if inode is not None:
            # Files here are written from end to end or at a given place: the recording is compared with the disk.
            offset = int(call.arguments[3]) if call.name == "pwrite64" else self.sizes.get(inode, 0)
            self._data(inode, offset, content)
        elif not self._is_inside(path):
            self.recording.events.append(Mark(path, content))

    def _data(self, inode: int, offset: int, content: bytes | None) -> None:
        end = offset + len(content or b"")
        self.sizes[inode] = end if content is None else max(end, self.sizes.get(inode, 0))
        self.recording.events.append(Data(inode, offset, content))

    def _renamed(self, old: str, new: str | None = None) -> None:
        inode = self._inode(old)
        if new is None:
            self._name((old, None))
        else:
            self._name((new, inode), (old, None))

    def _made(self, call: _Call) -> None:
        paths = _paths(call)
        if not self._is_inside(paths[-1]):
            return
        if call.name.startswith("link"):
            inode = self._inode(paths[0])
        else:
            inode = self._new()
            if call.name.startswith("mkdir"):
                self.recording.directories.add(inode)
                self.names[inode] = {}
            else:
                self.recording.links[inode] = _text(call.arguments[0][1:-1])
        self._name((paths[-1], inode))

    def _new(self) -> int:
        self.last += 1
        return self.last

    def _name(self, *changes: tuple[str, int | None]) -> None:
        entries = []
        for path, inode in changes:
            directory = self._inode(os.path.dirname(path)) if self._is_inside(path) else None
            if directory is None:
                continue
            name = os.path.basename(path)
            entries.append((directory, name, inode))
            if inode is None:
                self.names[directory].pop(name, None)
            else:
                self.names[directory][name] = inode
        if entries:
            self.recording.events.append(Names(tuple(entries)))

    def _is_inside(self, path: str) -> bool:
        return (path == self.root or path.startswith(f"{self.root}/")) and not path.endswith("-shm")

    def _inode(self, path: str) -> int | None:
        inode: int | None = 0
        for part in path.removeprefix(self.root).split("/"):
            if part and inode is not None:
                inode = self.names.get(inode, {}).get(part)
        return inode

    def _opened(self, argument: str) -> tuple[str, int | None]:
        place = _PLACE.match(argument)
        if place is None or place[2]:
            return "", None  # a pipe of a sandbox, or a file without a name: no crash can bring it back
        path = _text(place[1])
        return path, self._inode(path) if self._is_inside(path) else None


def _bytes(text: str) -> bytes:
    assert not text.endswith("..."), "the recording is cut off"
    return bytes.fromhex(text.strip('"').replace("\\x", ""))


def _text(text: str) -> str:
    return os.fsdecode(_bytes(text))


def _paths(call: _Call) -> list[str]:
    """Returns the paths among a call's arguments, absolute; each may follow the directory that it begins at."""
    found, base = [], ""
    for argument in call.arguments:
        if place := _PLACE.match(argument):
            base = _text(place[1])
        elif argument.startswith('"'):
            found.append(os.path.normpath(os.path.join(base, _text(argument))))
    return found
