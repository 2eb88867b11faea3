"""The child process of one study, as the scheduler sees it: questions go in, numbers of trials come out."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlpipeline.execution.environment import PACKAGE_PARENT
from mlpipeline.execution.limits import TRY_AGAIN, signal_name
from mlpipeline.project import Project

_CODE = (
    "import sys; sys.path[:] = [p for p in sys.path if p] + [sys.argv[1]]; "
    "from mlpipeline.execution.asking import main; main(sys.argv[2])"
)
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_TAIL = 2000


class Asker:
    """A process that lives as long as somebody may ask it.

    Args:
        project: whose study.
        python: the model's own interpreter, where it has one.
        request: what it begins with.

    Raises:
        OSError: it could not be started.
    """

    def __init__(self, project: Project, python: str | None, request: Mapping[str, Any]) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="mlpipeline-study-"))
        try:
            path = self.directory / "request.json"
            path.write_text(json.dumps({**request, "parent": os.getpid()}), "utf-8")
            interpreter = python or project.settings.python or sys.executable
            environment = {**os.environ, **_ONE_THREAD, **project.settings.env, "PYTHONDONTWRITEBYTECODE": "1"}
            with (self.directory / "output").open("wb") as output:
                self.process = subprocess.Popen(
                    [interpreter, "-c", _CODE, PACKAGE_PARENT, str(path)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=output,
                    env=environment,
                    start_new_session=True,
                    bufsize=0,
                )
        except OSError:
            shutil.rmtree(self.directory, ignore_errors=True)
            raise
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._questions, self._answers = self.process.stdin, self.process.stdout
        os.set_blocking(self._answers.fileno(), False)
        self._held = b""
        self.is_asked = False
        self.is_over = False
        self._complaint = self._garbled = ""
        self._used = time.monotonic()

    @property
    def descriptor(self) -> int:
        """Becomes readable when there is an answer, or the process has ended."""
        return self._answers.fileno()

    def tell(self, trials: Mapping[str, Any], ask: int) -> None:
        """Says how trials stand, and asks for so many more. That the process has ended is seen by `answers`."""
        line = json.dumps({"trials": trials, "ask": ask}).encode() + b"\n"
        with contextlib.suppress(BrokenPipeError):
            self._questions.write(line)
        self.is_asked |= ask > 0
        self._used = time.monotonic()

    @property
    def idle_seconds(self) -> float:
        """How long ago it was told something last."""
        return 0.0 if self.is_asked else time.monotonic() - self._used

    def end_if_stuck(self, seconds: float) -> None:
        """Ends the process where it has left a question without an answer for so long."""
        if self.is_asked and time.monotonic() - self._used > seconds:
            self._complaint = f": it had not answered for {seconds:g} s (describe_timeout_seconds)"
            self.process.kill()

    def answers(self) -> list[dict[str, Any]]:
        """Returns what it has said since the last call; sets `is_over` when it has ended, or says what is no answer."""
        while True:
            try:
                more = os.read(self.descriptor, 1 << 16)
            except BlockingIOError:
                break
            if not more:
                self.is_over = True
                break
            self._held += more
        *lines, self._held = self._held.split(b"\n")
        found: list[dict[str, Any]] = []
        try:
            found.extend(map(_answer, lines))
        except ValueError as error:
            self.process.kill()
            self.is_over, self._garbled = True, str(error)
        self.is_asked &= not any("asked" in each for each in found)
        return found

    @property
    def is_passing(self) -> bool:
        """Whether it ended over something that passes, as a full disk; once it has ended."""
        return not self._garbled and self.process.wait() == TRY_AGAIN

    def last_words(self) -> str:
        """Returns why it ended, once it has."""
        status = self.process.wait()
        if self._garbled:
            return self._garbled
        if status < 0:
            return f"was ended by {signal_name(-status)}{self._complaint}"
        text = (self.directory / "output").read_bytes()[-_TAIL:].decode("utf-8", "replace").strip()
        return text.splitlines()[-1] if text else f"ended with exit status {status}"

    def close(self) -> None:
        """Ends the process."""
        self.process.kill()
        self.process.wait()
        self._questions.close()
        self._answers.close()
        shutil.rmtree(self.directory, ignore_errors=True)


def _answer(line: bytes) -> dict[str, Any]:
    """Reads an answer.

    Raises:
        ValueError: it is none: something in the interpreter's start prints, say.
    """
    try:
        found = json.loads(line)
    except ValueError:
        found = None
    fits = isinstance(found, dict) and (
        isinstance(found.get("prune"), list)
        or (isinstance(found.get("asked"), list) and isinstance(found.get("exhausted"), bool))
    )
    if not fits:
        shown = line[:80].decode("utf-8", "backslashreplace")
        raise ValueError(f"who draws printed {shown!r} instead of an answer: nothing may print when Python starts")
    return dict(found)
