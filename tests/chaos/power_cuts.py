"""The disk states that a power cut may leave, computed from a recording of what was written.

The model is POSIX read strictly, of which every common Linux file system allows a part:

* A cut comes between two calls. What a completed fsync or fdatasync of a file covers is on disk: its bytes and its
  length, but not its name. What a completed fsync of a directory covers is on disk: the names in it, but neither its
  own name nor what the names mean.
* Of every other change any choice may be on disk, in any order: a later one without an earlier one, a file's new length
  without its bytes (which are zero then), a name without its content, content without its name.
* A rename within a directory happens whole or not at all. A write is torn at sectors of 512 bytes of the file: any of
  them may be on disk.
* A file is what its name means after the cut; whatever no name leads to is gone, a directory with all that is in it.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .recorded_writes import Data, Event, Mark, Names, Recording, Sync

SECTOR = 512
_ALL = None
Kept = Mapping[int, frozenset[int] | None]
"""Which of the changes that are not durable are on disk: by number, all of it (None) or these sectors of the file."""


@dataclass(slots=True)
class Disk:
    """What names lead to, by path from the root: bytes of a file, target of a link, None for a directory."""

    files: dict[str, bytes | None] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)

    def __hash__(self) -> int:
        return hash((tuple(sorted(self.files.items(), key=lambda each: each[0])), tuple(sorted(self.links.items()))))

    def write(self, root: Path) -> None:
        """Makes the files in a directory."""
        for path, content in sorted(self.files.items(), key=lambda each: each[0]):
            if content is None:
                (root / path).mkdir(parents=True)
            else:
                (root / path).write_bytes(content)
        for path, target in self.links.items():
            os.symlink(target, root / path)


def read_disk(root: Path, top: str) -> Disk:
    """Reads what lies below a directory of the root, but for SQLite's `-shm`."""
    disk = Disk()
    for path in [root / top, *(root / top).rglob("*")]:
        name = path.relative_to(root).as_posix()
        if path.is_symlink():
            disk.links[name] = os.readlink(path)
        elif not name.endswith("-shm"):
            disk.files[name] = None if path.is_dir() else path.read_bytes()
    return disk


def durable(events: Sequence[Event], cut: int) -> set[int]:
    """Returns the numbers of the changes before the cut that no power cut can take back."""
    covered: dict[int, int] = {}
    for event in events[:cut]:
        if isinstance(event, Sync):
            covered[event.inode] = max(covered.get(event.inode, 0), event.covers)
    found = set()
    for number, event in enumerate(events[:cut]):
        match event:
            case Data():
                inodes = {event.inode}
            case Names():
                inodes = {directory for directory, _, _ in event.entries}
            case _:
                continue
        if all(number < covered.get(inode, 0) for inode in inodes):
            found.add(number)
    return found


def changes(events: Sequence[Event], cut: int) -> list[int]:
    """Returns the numbers of all changes before the cut."""
    return [number for number, event in enumerate(events[:cut]) if isinstance(event, Data | Names)]


def state(recording: Recording, cut: int, certain: set[int], kept: Kept) -> Disk:
    """Returns what is on disk after a cut: what is certain, and what of the rest was kept."""
    names: dict[int, dict[str, int]] = {}
    contents: dict[int, bytearray] = {}
    for number, event in enumerate(recording.events[:cut]):
        if number not in certain and number not in kept:
            continue
        if isinstance(event, Data):
            _change(contents.setdefault(event.inode, bytearray()), event, kept.get(number))
        elif isinstance(event, Names):
            for directory, name, inode in event.entries:
                if inode is None:
                    names.setdefault(directory, {}).pop(name, None)
                else:
                    names.setdefault(directory, {})[name] = inode
    disk = Disk()
    _collect(recording, names, contents, 0, "", disk)
    return disk


def _change(content: bytearray, event: Data, sectors: frozenset[int] | None) -> None:
    if event.content is None:
        content[event.offset :] = bytes(max(0, event.offset - len(content)))
        return
    end = event.offset + len(event.content)
    content.extend(bytes(max(0, end - len(content))))
    for sector in _sectors(event) if sectors is _ALL else sectors:
        start, stop = max(event.offset, sector * SECTOR), min(end, (sector + 1) * SECTOR)
        content[start:stop] = event.content[start - event.offset : stop - event.offset]


def _sectors(event: Data) -> range:
    return range(event.offset // SECTOR, (event.offset + len(event.content or b"") + SECTOR - 1) // SECTOR)


def _collect(
    recording: Recording,
    names: Mapping[int, Mapping[str, int]],
    contents: Mapping[int, bytearray],
    directory: int,
    path: str,
    disk: Disk,
) -> None:
    for name, inode in names.get(directory, {}).items():
        place = f"{path}{name}"
        if inode in recording.directories:
            disk.files[place] = None
            _collect(recording, names, contents, inode, f"{place}/", disk)
        elif inode in recording.links:
            disk.links[place] = recording.links[inode]
        else:
            disk.files[place] = bytes(contents.get(inode, b""))


Choice = Callable[[Sequence[Event], Sequence[int], random.Random], Kept]


def _nothing(events: Sequence[Event], pending: Sequence[int], chance: random.Random) -> Kept:
    return {}


def _everything(events: Sequence[Event], pending: Sequence[int], chance: random.Random) -> Kept:
    return dict.fromkeys(pending, _ALL)


def _names_only(events: Sequence[Event], pending: Sequence[int], chance: random.Random) -> Kept:
    return {number: _ALL for number in pending if isinstance(events[number], Names)}


def _data_only(events: Sequence[Event], pending: Sequence[int], chance: random.Random) -> Kept:
    return {number: _ALL for number in pending if isinstance(events[number], Data)}


def _in_order(events: Sequence[Event], pending: Sequence[int], chance: random.Random) -> Kept:
    """As a journal of everything would: up to some moment, the last write torn."""
    first = pending[: chance.randint(0, len(pending))]
    return {number: _torn(events[number], chance) if number == first[-1] else _ALL for number in first}


def _scattered(events: Sequence[Event], pending: Sequence[int], chance: random.Random) -> Kept:
    share = chance.choice((0.1, 0.5, 0.9))
    return {
        number: _torn(events[number], chance) if chance.random() < 0.3 else _ALL
        for number in pending
        if chance.random() < share
    }


def _newest_scattered(events: Sequence[Event], pending: Sequence[int], chance: random.Random) -> Kept:
    """As where a system writes back all the while: what is older is there, the last changes are in disorder."""
    count = chance.randint(1, 12)
    return dict.fromkeys(pending[:-count], _ALL) | _scattered(events, pending[-count:], chance)


def _torn(event: Event, chance: random.Random) -> frozenset[int] | None:
    if not isinstance(event, Data) or event.content is None:
        return _ALL
    return frozenset(sector for sector in _sectors(event) if chance.random() < 0.5)


FIRST: tuple[Choice, ...] = (_nothing, _everything, _names_only, _data_only)
FURTHER: tuple[Choice, ...] = (_newest_scattered, _scattered, _in_order)


def cuts(recording: Recording, count: int, seed: int) -> Iterator[tuple[int, Disk]]:
    """Yields `count` moments with a distinct state that a cut may leave then: all extremes first, then random ones.

    They come in random order of moments, so that a part of them is a sample of the whole.
    """
    chance = random.Random(seed)
    moments = [number + 1 for number in changes(recording.events, len(recording.events))]
    moments += [number + 1 for number, event in enumerate(recording.events) if isinstance(event, Sync)]
    seen: set[tuple[int, int]] = set()
    for choice in (*FIRST, *FURTHER * (count // len(moments) + 1)):
        chance.shuffle(moments)
        for moment in moments:
            certain = durable(recording.events, moment)
            pending = [each for each in changes(recording.events, moment) if each not in certain]
            disk = state(recording, moment, certain, choice(recording.events, pending, chance))
            if (said(recording, moment), hash(disk)) in seen:
                continue
            seen.add((said(recording, moment), hash(disk)))
            yield moment, disk
            if len(seen) >= count:
                return


def said(recording: Recording, cut: int) -> int:
    """Returns how much was said or promised before a cut: two moments with the same number promise the same."""
    return sum(1 for event in recording.events[:cut] if isinstance(event, Mark | Sync))
