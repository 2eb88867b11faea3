"""Carries what runs say through `log()` and logging into the host's log, each message once."""

from __future__ import annotations

import json
from pathlib import Path

from mlpipeline import wire
from mlpipeline.project import Project
from mlpipeline.queue.output import HostFiles


class Forwarder:
    """Reads the messages of live attempts from where it stopped.

    After a scheduler was killed, its successor counts the lines that are in the log already and skips as many.
    """

    def __init__(self, project: Project, files: HostFiles) -> None:
        self.project = project
        self.files = files
        self.offsets: dict[str, int] = {}
        self.skip: dict[str, int] = {}

    def resume(self, name: str) -> None:
        """Finds out how much of an adopted attempt was forwarded by the scheduler before."""
        self.skip[name] = self.files.count_messages(name)

    def forward(self, name: str, directory: Path) -> None:
        """Forwards the whole lines that are new."""
        path = directory / wire.MESSAGES
        offset = self.offsets.get(name, 0)
        try:
            if path.stat().st_size <= offset:
                return
            with path.open("rb") as file:
                file.seek(offset)
                data = file.read()
        except OSError:
            return  # most runs say nothing, and have no such file
        whole = data.rpartition(b"\n")[0]
        for line in whole.split(b"\n") if whole else ():
            self._say(name, line)
        self.offsets[name] = offset + len(whole) + (1 if whole else 0)

    def _say(self, name: str, line: bytes) -> None:
        try:
            message = json.loads(line)
            text, level = str(message["text"]), str(message["level"])
        except (ValueError, KeyError, TypeError):
            text, level = line.decode("utf-8", "replace"), "INFO"
        if self.skip.get(name, 0) > 0:
            self.skip[name] -= 1
            return
        self.files.message(text, level, name)

    def finish(self, name: str, directory: Path) -> None:
        """Forwards the rest and forgets the attempt."""
        self.forward(name, directory)
        self.offsets.pop(name, None)
        self.skip.pop(name, None)
