"""Says when files changed: watchdog on the directories that matter, polling where the file system tells nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from watchdog.observers.api import BaseObserver

_MATTERS = frozenset({"closed", "moved", "created", "deleted", "modified"})
_POLL_SECONDS = 0.5
_SILENT = frozenset({"nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "9p"})
"""File systems on which another machine's writes raise no event here."""


class Watcher:
    """Calls `notify` from a thread of its own whenever something in a watched directory changed."""

    def __init__(self, notify: Callable[[str | None], None]) -> None:
        self.notify = notify
        self.directories: frozenset[Path] = frozenset()
        self.observer: BaseObserver | None = None
        self.watches: dict[Path, Any] = {}
        self.broken = False

    def watch(self, directories: set[Path]) -> None:
        """Watches exactly these directories, not what lies in their subdirectories."""
        wanted = frozenset(directories)
        if wanted == self.directories:
            return
        self.directories = wanted
        if self.observer is None:
            self._start(wanted)
        for gone in set(self.watches) - wanted:
            self._unschedule(gone)
        for fresh in wanted - set(self.watches):
            self._schedule(fresh)

    def _start(self, directories: frozenset[Path]) -> None:
        from watchdog.observers import Observer
        from watchdog.observers.polling import PollingObserver

        if self.broken or any(_file_system(path) in _SILENT for path in directories):
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
        if self.observer is None:
            return
        try:
            self.watches[path] = self.observer.schedule(_handler(self.notify), str(path), recursive=False)
        except FileNotFoundError:
            return  # it vanished; whatever named it is described again
        except OSError as error:
            if not self.broken:
                self._fall_back(error)

    def _unschedule(self, path: Path) -> None:
        watch = self.watches.pop(path)
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


def _handler(notify: Callable[[str | None], None]) -> Any:
    from watchdog.events import FileSystemEvent, FileSystemEventHandler

    class Handler(FileSystemEventHandler):
        def on_any_event(self, event: FileSystemEvent) -> None:
            if event.event_type in _MATTERS and not (event.is_directory and event.event_type == "modified"):
                notify(str(event.dest_path or event.src_path))

    return Handler()


def _file_system(path: Path) -> str:
    """Returns the type of the file system on which a path lies, from /proc/mounts."""
    best, kind = "", ""
    try:
        lines = Path("/proc/mounts").read_text("utf-8", "replace").splitlines()
    except OSError:
        return ""
    for line in lines:
        _, place, name, *_ = line.split(" ")
        place = place.replace("\\040", " ")
        if len(place) >= len(best) and (path == Path(place) or Path(place) in path.parents):
            best, kind = place, name
    return kind
