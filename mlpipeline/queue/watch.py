"""Says when files changed: watchdog on the directories that matter, polling where the file system tells nothing."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlpipeline.filesystems import is_network

if TYPE_CHECKING:
    from watchdog.observers.api import BaseObserver

_MATTERS = frozenset({"closed", "moved", "created", "deleted", "modified"})
_POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Watch:
    identity: tuple[int, int]
    watch: Any


class Watcher:
    """Calls `notify` from a thread of its own whenever something in a watched directory changed."""

    def __init__(self, notify: Callable[[str | None], None]) -> None:
        self.notify = notify
        self.directories: frozenset[Path] = frozenset()
        self.observer: BaseObserver | None = None
        self.watches: dict[Path, _Watch] = {}
        self.broken = False
        self.gone: set[str] = set()

    def watch(self, directories: set[Path]) -> None:
        """Watches exactly these directories, not what lies in their subdirectories.

        To be called again after events: a directory that was replaced by another of its name is watched anew.
        """
        wanted = frozenset(directories)
        self.directories = wanted
        if self.observer is None:
            self._start(wanted)
        gone, self.gone = self.gone, set()
        for path, watch in list(self.watches.items()):
            if path not in wanted or str(path) in gone or watch.identity != _identity(path):
                self._unschedule(path)
        for path in wanted - set(self.watches):
            self._schedule(path)

    def _start(self, directories: frozenset[Path]) -> None:
        from watchdog.observers import Observer
        from watchdog.observers.polling import PollingObserver

        if self.broken or any(map(is_network, directories)):
            self.observer = PollingObserver(timeout=_POLL_SECONDS)
        else:
            self.observer = Observer()
        self.observer.daemon = True
        try:
            self.observer.start()
        except OSError as error:
            if self.broken:
                raise
            self._fall_back(error)

    def _fall_back(self, error: OSError) -> None:
        """The system's watches are used up: looks at the files twice a second instead."""
        logging.getLogger("mlpipeline.queue").warning("files are polled, since they cannot be watched: %s", error)
        self.broken = True
        self._stop()
        self.watches.clear()
        self._start(self.directories)
        for path in self.directories:
            self._schedule(path)

    def _schedule(self, path: Path) -> None:
        identity = _identity(path)
        if self.observer is None or identity is None or path in self.watches:
            return
        try:
            handler, kinds = _handler(self._heard), _kinds()
            watch = self.observer.schedule(handler, str(path), recursive=False, event_filter=kinds)
            self.watches[path] = _Watch(identity=identity, watch=watch)
        except FileNotFoundError:
            return  # it vanished; whatever named it is described again
        except OSError as error:
            if not self.broken:
                self._fall_back(error)

    def _heard(self, path: str, *, is_gone: bool) -> None:
        # A new directory may have the number of the one that it replaces, so its end is remembered.
        if is_gone:
            self.gone.add(path)
        self.notify(path)

    def _unschedule(self, path: Path) -> None:
        watch = self.watches.pop(path).watch
        if self.observer is not None:
            try:
                self.observer.unschedule(watch)
            except KeyError:
                return  # the directory is gone, and its watch with it

    def _stop(self) -> None:
        if self.observer is not None and self.observer.is_alive():
            self.observer.stop()
            self.observer.join()
        self.observer = None

    def close(self) -> None:
        """Ends the thread."""
        self._stop()


def _handler(heard: Callable[..., None]) -> Any:
    from watchdog.events import FileSystemEvent, FileSystemEventHandler

    class Handler(FileSystemEventHandler):
        def on_any_event(self, event: FileSystemEvent) -> None:
            kind = event.event_type
            if kind in _MATTERS and not (event.is_directory and kind == "modified"):
                if event.is_directory and kind in ("deleted", "moved"):
                    heard(str(event.src_path), is_gone=True)
                if kind != "deleted" or not event.is_directory:
                    heard(str(event.dest_path or event.src_path), is_gone=False)

    return Handler()


def _kinds() -> list[Any]:
    """Returns what the system is to tell. Not that something was read: every turn of the scheduler reads."""
    from watchdog import events

    return [
        events.FileClosedEvent,
        events.FileCreatedEvent,
        events.FileDeletedEvent,
        events.FileModifiedEvent,
        events.FileMovedEvent,
        events.DirCreatedEvent,
        events.DirDeletedEvent,
        events.DirMovedEvent,
    ]


def _identity(path: Path) -> tuple[int, int] | None:
    """Returns what tells a directory from a later one of its name; None where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
