"""Logging within a run: everything reaches the run's output, what matters also the host's log."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

from mlpipeline.wire import utc_now

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    _Stream = logging.StreamHandler[TextIO]
else:
    _Stream = logging.StreamHandler


class _MessageFile(logging.Handler):
    """Appends messages for the host's log, one JSON object per line."""

    def __init__(self, path: Path) -> None:
        super().__init__(logging.INFO)
        self.path = path
        self.file: TextIO | None = None

    def emit(self, record: logging.LogRecord) -> None:
        if not getattr(record, "log_to_file", True):
            return
        if record.levelno < logging.WARNING and not record.name.startswith("mlpipeline"):
            return  # libraries chatter at INFO: their warnings matter
        line = {"t": utc_now(), "level": record.levelname, "text": record.getMessage()}
        try:
            if self.file is None:
                self.file = self.path.open("a", encoding="utf-8", errors="backslashreplace")
            self.file.write(json.dumps(line) + "\n")
            self.file.flush()
        except OSError:
            self.handleError(record)

    def close(self) -> None:
        if self.file is not None:
            self.file.close()
            self.file = None
        super().close()


class _Output(_Stream):
    """Writes to whatever stdout is at the moment, as print would."""

    def __init__(self) -> None:
        super().__init__(sys.stdout)

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stdout
        if not self.stream.closed:  # a model that has closed it must not fail for our words
            super().emit(record)

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        return text if record.levelno <= logging.INFO else f"{record.levelname}: {text}"


def install(path: Path) -> None:
    """Sends all logging of this process to its output and, from INFO on, to the file of messages."""
    root = logging.getLogger()
    for handler in [each for each in root.handlers if isinstance(each, _MessageFile | _Output)]:
        root.removeHandler(handler)
        handler.close()
    root.addHandler(_Output())
    root.addHandler(_MessageFile(path))
    logging.getLogger("mlpipeline").setLevel(logging.INFO)
