"""Takes what a run prints and writes it as a person would want to read it: bars folded, no escape codes, bounded."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

# CSI and OSC sequences, two-character escapes, the control characters that UTF-8 has beyond ASCII's (U+009B is a CSI).
_ESCAPES = (
    rb"(?:\x1b\[|\xc2\x9b)[0-?]*[ -/]*[@-~]"
    rb"|(?:\x1b\]|\xc2\x9d)[^\x07\x1b]*(?:\x07|\x1b\\)"
    rb"|\x1b[@-Z\\-_]|\xc2[\x80-\x9f]"
)
_CONTROLS = bytes({*range(32), 127} - {*b"\t\n\r"})
MAX_LINE = 64 * 1024
_PIPE_BYTES = 1 << 20


def clean(text: bytes) -> bytes:
    """Removes escape sequences and control characters; bytes that are no UTF-8 stay as they are."""
    if b"\x1b" in text or b"\xc2" in text:
        text = re.sub(_ESCAPES, b"", text)
    return text.translate(None, _CONTROLS)  # five times as fast as a regular expression


class Pump:
    """Writes a stream of output line by line, keeping of a line that rewrites itself (a progress bar) its last state.

    A line longer than `MAX_LINE` is written in pieces, so that memory stays bounded whatever is printed.
    Where the disk is full, output is dropped and counted (`dropped`), since the run matters more than its words. Beyond
    `limit` bytes what is said in between is left out, but for the last 64 KiB.
    """

    def __init__(self, file: BinaryIO, limit: int | None = None) -> None:
        self.file = file
        self.limit = limit
        self.pending = b""
        self.dropped = 0
        self.written = 0
        self.left_out = 0
        self.tail = b""

    def feed(self, chunk: bytes) -> None:
        """Takes the next bytes."""
        data = self.pending + chunk
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n")
        whole, newline, rest = data.rpartition(b"\n")
        if newline:
            self._write(whole + b"\n")
        keep = rest.rpartition(b"\r")
        # The last "\r" may begin a "\r\n": it stays until the next byte is seen.
        self.pending = rest if keep[2] == b"" else keep[2]
        if len(self.pending) > MAX_LINE:
            self._write(self.pending)
            self.pending = b""

    def close(self) -> None:
        """Writes what is left."""
        if self.pending.strip(b"\r"):
            self._write(self.pending + b"\n")
        self.pending = b""
        if self.tail:
            if self.left_out:
                torn, newline, rest = self.tail.partition(b"\n")
                if rest:
                    self.left_out, self.tail = self.left_out + len(torn + newline), rest
                self._put(f"\n[{self.left_out} bytes were left out: output_limit = {self.limit}]\n".encode())
            self._put(self.tail)
            self.tail = b""

    def _write(self, data: bytes) -> None:
        if b"\r" in data:
            data = b"\n".join(_last_state(line) for line in data.split(b"\n"))
        data = clean(data)
        if self.tail or (self.limit is not None and self.written + len(data) > self.limit):
            kept = self.tail + data
            self.tail = kept[-MAX_LINE:]
            self.left_out += len(kept) - len(self.tail)
            return
        self._put(data)

    def _put(self, data: bytes) -> None:
        self.written += len(data)
        try:
            self.dropped += len(data) - self.file.write(data)  # the last that fits may be a part
        except OSError:
            self.dropped += len(data)


def _last_state(line: bytes) -> bytes:
    return line.rstrip(b"\r").rpartition(b"\r")[2]


def output_pipe() -> tuple[int, int]:
    """Makes a pipe for a worker's output, as large as may be."""
    read, write = os.pipe()
    with contextlib.suppress(OSError):  # a user may have only so many; a small one is slower, no more
        fcntl.fcntl(read, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    return read, write
