"""The scheduler's end of the line to the process that speaks with Ray: starts it, again where it died, and hears it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from mlpipeline.execution.ray_settings import RaySettings

CLIENT = Path(__file__).with_name("ray_client.py")
SILENT_SECONDS = 45.0
"""A client that says nothing for so long hangs in a call to a head that is gone: another one is started."""
STARTING_SECONDS = 90.0
"""Ray's import and the first connection take 2 to 10 s on a slow machine."""
_LONGEST_PAUSE = 30.0
_COMPLAINT = re.compile(r"^\[[^\]]* [EC] \d+ \d+\] (?:\S+:\d+: +)?(.+)$", re.MULTILINE)
"""In Ray's log: `[2026-11-21 23:32:50,439 E 24437 24691] rpc_client.h:204: Failed to connect to GCS within 60 s`."""
_TAIL_BYTES = 1 << 14


class Link:
    """One client process at a time. What is sent while there is none is dropped: who has asked asks again.

    Attributes:
        fault: why there is no connection, in words; empty where there is one, or where it is being made.
        is_connected: whether a client said so.
        news: texts and levels for the log.
    """

    def __init__(self, settings: RaySettings) -> None:
        self.settings = settings
        self.process: subprocess.Popen[bytes] | None = None
        self.errors: IO[bytes] | None = None
        self.fault = ""
        self.is_connected = False
        self.news: list[tuple[str, str]] = []
        self._rest, self._refusal, self._is_odd = b"", "", False
        self._unsent = bytearray()
        self._heard = self._due = 0.0
        self._pause = 1.0

    def start(self) -> None:
        """Starts a client, unless there is one or it is too early for another."""
        if self.process is not None or time.monotonic() < self._due:
            return
        wanted = {name: getattr(self.settings, name) for name in ("address", "namespace", "poll_seconds")}
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the client
        # -P: beside the script lies a file called ray.py. Ray puts the working directory on its workers' path.
        command = [self.settings.client_python, "-P", str(CLIENT), json.dumps(wanted)]
        try:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self.errors,
                cwd="/",
                env=environment(self.settings),
                start_new_session=True,
                bufsize=0,
            )
        except OSError as error:
            self._down(
                f"{self.settings.client_python} cannot be started ({error.strerror}): set client_python in [RAY]"
            )
            return
        os.set_blocking(self.descriptor, False)
        os.set_blocking(self._stdin, False)
        self._heard = time.monotonic()

    @property
    def descriptor(self) -> int:
        """What becomes readable when the client says something; -1 without one."""
        return -1 if self.process is None or self.process.stdout is None else self.process.stdout.fileno()

    @property
    def _stdin(self) -> int:
        return -1 if self.process is None or self.process.stdin is None else self.process.stdin.fileno()

    def send(self, what: str, **words: object) -> bool:
        """Gives an order. False where there is no connection: then nothing was sent."""
        if not self.is_connected:
            return False
        self._unsent += json.dumps({"do": what, **words}).encode() + b"\n"
        self._write()
        return True

    def _write(self) -> None:
        with contextlib.suppress(BlockingIOError, BrokenPipeError):  # the rest later; a death is heard by reading
            while self._unsent:
                del self._unsent[: os.write(self._stdin, self._unsent)]

    def hear(self) -> Iterator[dict[str, Any]]:
        """Yields what the client has said, and looks after its life."""
        self.start()
        if self.process is None:
            return
        self._write()
        is_open = True
        while is_open:
            try:
                chunk = os.read(self.descriptor, 1 << 16)
            except BlockingIOError:
                break
            is_open = bool(chunk)
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            for line in lines:
                self._heard = time.monotonic()
                yield from self._understood(line)
        if not is_open:
            self._died()
        elif time.monotonic() - self._heard > (SILENT_SECONDS if self.is_connected else STARTING_SECONDS):
            self._down(f"Ray at {self.settings.address} does not answer")

    def _understood(self, line: bytes) -> Iterator[dict[str, Any]]:
        try:
            message = json.loads(line)
            what = message["say"]
        except (ValueError, TypeError, KeyError):  # a library wrote there, perhaps: what else it says still counts
            if not self._is_odd:
                self.news.append((f"the client of Ray said what is no answer: {line[:200]!r}", "WARNING"))
            self._is_odd = True
            return
        if what == "failed":
            self._refusal = in_words(message, self.settings)
        elif what == "connected":
            if self.fault:
                self.news.append((f"Ray at {self.settings.address} answers again", "INFO"))
            self.is_connected, self.fault, self._pause = True, "", 1.0
        if what != "failed":
            yield message

    def _died(self) -> None:
        assert self.errors is not None
        self.errors.seek(0, os.SEEK_END)
        self.errors.seek(max(0, self.errors.tell() - _TAIL_BYTES))
        told = last_words(self.errors.read().decode("utf-8", "replace"))
        broke = f"the connection to Ray at {self.settings.address} broke: {told}"
        self._down(self._refusal or broke)

    def _down(self, fault: str) -> None:
        if fault != self.fault or self.is_connected:
            text = f"{fault} (what runs goes on, what is new waits; tried again until it answers)"
            self.news.append((text, "WARNING"))
        self.close()
        self.fault = fault
        self._due = time.monotonic() + self._pause
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)

    def close(self) -> None:
        """Ends the client. Attempts go on."""
        self.is_connected, self._rest, self._refusal, self._is_odd = False, b"", "", False
        self._unsent.clear()
        if self.process is not None:
            self.process.kill()
            for each in (self.process.stdin, self.process.stdout):
                if each is not None:
                    each.close()
            self.process.wait()
        if self.errors is not None:
            self.errors.close()
        self.process = self.errors = None


def last_words(errors: str) -> str:
    """Returns what a client that died has said of it: Ray's last complaint, else the last line that is no stack."""
    if complaints := _COMPLAINT.findall(errors):
        return str(complaints[-1]).partition(". ")[0]
    lines = [line.strip() for line in errors.splitlines() if line.strip() and not line.startswith(("/", "***"))]
    return lines[-1] if lines else "it said nothing"


def environment(settings: RaySettings) -> dict[str, str]:
    """Returns the variables of the client: its own, and how it shows that it may speak with the cluster."""
    values = {**os.environ, "RAY_USAGE_STATS_ENABLED": "0"}
    if settings.token_file is not None:
        values |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": settings.token_file}
    return values


def in_words(message: dict[str, Any], settings: RaySettings) -> str:
    """Says what a client could not do, and which key of `[RAY]` is about it."""
    kind, text = str(message.get("kind")), " ".join(str(message.get("text")).split())
    where = f"Ray at {settings.address}"
    if kind == "ModuleNotFoundError":
        told = "install mlpipeline[ray] there, or set client_python in [RAY]"
        return f"{settings.client_python} has no Ray ({text}): {told}"
    if "ersion mismatch" in text:
        return f"{where}: {text}: set client_python in [RAY] to an interpreter that has the cluster's versions"
    if "uthenticat" in text or "InvalidAuthToken" in kind or "token" in text.lower():
        return f"{where} refuses this user: {text}: set token_file in [RAY]"
    # A wrong token looks to Ray's client like a head that is not there.
    return f"{where} does not answer: {kind}: {text}: see address and token_file in [RAY], and whether its head runs"
