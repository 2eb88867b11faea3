"""Calls of an engine's programs, carried out beside everything else: an engine that is slow must hold nobody up."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, NamedTuple


class Answer(NamedTuple):
    """What a program said. `status` is None where it did not come to an end in time, or could not be started."""

    status: int | None
    output: str
    error: str

    @property
    def words(self) -> str:
        """What it says that went wrong, in one line."""
        lines = [line.strip() for line in (self.error or self.output).splitlines() if line.strip()]
        return "; ".join(dict.fromkeys(lines)) or f"exit status {self.status}"


@dataclass(slots=True)
class _Call:
    process: subprocess.Popen[bytes]
    descriptor: int
    files: tuple[IO[bytes], IO[bytes]]
    then: Callable[[Answer], None]
    deadline: float
    program: str


class Calls:
    """The calls of one executor that are under way.

    Args:
        seconds: how long one may take.
        variables: of the programs' environment.
    """

    def __init__(self, seconds: float, variables: Mapping[str, str]) -> None:
        self.seconds = seconds
        self.variables = dict(variables)
        self._calls: list[_Call] = []

    def start(self, command: Sequence[str], then: Callable[[Answer], None], text: str = "") -> None:
        """Starts a program.

        Args:
            command: the program and its arguments.
            then: is given the answer, by a later `collect`; or at once where the program cannot be started.
            text: that it reads from its standard input.
        """
        files = (tempfile.TemporaryFile(), tempfile.TemporaryFile())  # noqa: SIM115 - open as long as the program runs
        with tempfile.TemporaryFile() as stdin:
            stdin.write(text.encode())
            stdin.seek(0)
            try:
                process = subprocess.Popen(
                    command, stdin=stdin, stdout=files[0], stderr=files[1], env=self.variables, start_new_session=True
                )
            except OSError as error:
                then(Answer(None, "", f"{command[0]}: {error.strerror}"))
                return
        descriptor = os.pidfd_open(process.pid)
        deadline = time.monotonic() + self.seconds
        self._calls.append(_Call(process, descriptor, files, then, deadline, command[0]))

    def descriptors(self) -> list[int]:
        """Returns descriptors that become readable when a program has ended."""
        return [each.descriptor for each in self._calls]

    def collect(self) -> None:
        """Hands out the answers of what has ended, and ends what takes too long."""
        calls, self._calls = self._calls, []
        for call in calls:
            status = call.process.poll()
            if status is None and time.monotonic() < call.deadline:
                self._calls.append(call)
                continue
            self._answer(call, status)

    def _answer(self, call: _Call, status: int | None) -> None:
        late = ""
        if status is None:
            call.process.kill()
            call.process.wait()
            late = f"{call.program} did not answer within {self.seconds:g} s"
        output, error = (_read(file) for file in call.files)
        os.close(call.descriptor)
        call.then(Answer(status, output, late or error))

    def close(self, seconds: float = 5.0) -> None:
        """Waits a little for what is under way, and hands its answers out; ends the rest."""
        for call in self._calls:
            with contextlib.suppress(subprocess.TimeoutExpired):
                call.process.wait(seconds)
            call.deadline = 0.0
        self.collect()


def _read(file: IO[bytes]) -> str:
    with file:
        file.seek(0)
        return file.read().decode("utf-8", "replace")
