"""The scheduler's side of the warm process: starts it, gives it orders, and says where it cannot be used and why."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from enum import Enum

from mlpipeline.execution import threads
from mlpipeline.execution.environment import PACKAGE_PARENT
from mlpipeline.execution.limits import signal_name
from mlpipeline.execution.orders import NO_TOKEN
from mlpipeline.execution.preload import is_heavy

WARM = (
    "import sys; sys.path[:] = [p for p in sys.path if p] + [sys.argv[1]]; "
    "from mlpipeline.execution.warm import main; main(sys.argv[2])"
)
_ANSWER_SECONDS = 2.0
_FAREWELL_SECONDS = 1.0
_MOST_STARTS_IN_A_ROW = 4
_QUICK = frozenset(["numpy"])
"""Each run may as well import it itself, in a tenth of a second: nobody is told."""
_QUIET = {
    "OPENBLAS_NUM_THREADS": "1",
    "GOTO_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    # Arrow comes with pandas. Its allocator's thread would keep whatever imports pandas from being forked.
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}
"""Libraries that start their threads when they are loaded; each worker tells them its own count afterwards."""


class Answer(Enum):
    """What becomes of an order that has no process yet."""

    LATER = "later"
    COLD = "cold"


class WarmParent:
    """Keeps one warm process while there is work for it.

    Args:
        environment: what workers are to inherit.
        preload: `auto`, or the names of modules, separated by commas or blanks.
        threads: how many threads most workers will have.
        load_seconds: how long one package's import may take.
        release_seconds: the process goes after so many seconds without an order.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        preload: str = "auto",
        threads: int = 1,
        load_seconds: float = 60.0,
        release_seconds: float = 600.0,
    ) -> None:
        self.environment = dict(environment)
        self.stated = None if preload == "auto" else tuple(preload.replace(",", " ").split())
        self.threads = threads
        self.load_seconds = load_seconds
        self.release_seconds = release_seconds
        self.wanted: tuple[str, ...] = ()
        self.loaded: frozenset[str] = frozenset()
        self.left_out: dict[str, str] = {}
        self.process: subprocess.Popen[bytes] | None = None
        self.is_loading = False
        self.broken = ""
        self.reports: list[tuple[str, str]] = []
        self._importing = ""
        self._moved = time.monotonic()
        self._starts = 0
        self._rest = b""

    def want(self, names: Iterable[str]) -> None:
        """Says what the listed models import; takes effect before the next order."""
        names = [name for name in names if is_heavy(name)] if self.stated is None else self.stated
        if names and not threads.can_limit():
            lacking = (
                f"{threads.NEEDED} is not installed, without which their threads cannot be counted; with it runs start "
                f"sooner: pip install {threads.NEEDED}"
            )
            # Runs start slower for it, and are as right: nobody is warned who did not ask for these packages.
            tops = {name.partition(".")[0]: lacking for name in names}
            level = "WARNING" if self.stated is not None else "INFO" if tops.keys() - _QUICK else None
            self._leave_out(tops, level)
        self.wanted = tuple(dict.fromkeys(filter(self._is_kept, names)))

    def _leave_out(self, names: Mapping[str, str], level: str | None = "WARNING") -> None:
        """Imports them no more; without a level nothing is said of it."""
        fresh = {name: why for name, why in names.items() if name not in self.left_out}
        self.left_out |= fresh
        self._starts = 0 if fresh else self._starts
        for why in dict.fromkeys(fresh.values()):
            told = ", ".join(name for name, each in fresh.items() if each == why)
            if level is not None:
                self.reports.append((f"preload: {told}: left out: {why}", level))
        self.wanted = tuple(filter(self._is_kept, self.wanted))

    def _is_kept(self, name: str) -> bool:
        return not any(each in self.left_out for each in _beginnings(name))

    def submit(self, kind: str, path: str, *, heavy: bool) -> int | Answer:
        """Has a process forked.

        Args:
            kind: `run` or `describe`.
            path: of the attempt, or of the request.
            heavy: whether the model imports a heavy package, so that it is worth waiting for.

        Returns:
            its id; LATER while packages are being imported; COLD where a process must be started instead.
        """
        if self.broken or "\n" in path:
            return Answer.COLD
        if self.process is not None and not self.is_loading and not _tops(self.loaded).issuperset(_tops(self.wanted)):
            self.close()
        if self.process is None and not self._start():
            return Answer.COLD
        self.look()
        if self.process is None or self.is_loading:
            return Answer.LATER if heavy or self.stated or not self.loaded else Answer.COLD
        self._moved = time.monotonic()
        return self._ask(f"{kind} {path}\n")

    def _ask(self, order: str) -> int | Answer:
        """A process that does not answer, a stopped one say, is ended. Had it forked a supervisor all the same, that
        one and the cold one meet at the attempt's lock, and whoever comes second goes away."""
        if self.process is None or self.process.stdin is None:
            return Answer.COLD
        try:
            self.process.stdin.write(os.fsencode(order))
            kind, _, words = self._line(_ANSWER_SECONDS).partition(" ")
        except OSError:
            kind = words = ""
        if kind == "pid":
            self._starts = 0
            return int(words)
        if kind == "stale":
            self.reports.append((f"preload: {words}: importing again", "INFO"))
            self.close()
            self._start()
            return Answer.LATER
        self.reports.append((f"started cold: the warm process {words or 'does not answer, and was ended'}", "WARNING"))
        self.close()
        return Answer.COLD

    def _start(self) -> bool:
        """Starts the process; returns before it is ready. False when it came to nothing too often."""
        self._starts += 1
        if self._starts > _MOST_STARTS_IN_A_ROW:
            self.broken = "it could not be started several times"
            self.reports.append(("preload: the warm process ends again and again: runs are started cold", "WARNING"))
            return False
        kind = "optional" if self.stated is None else "names"
        quiet = {**_QUIET, "OMP_NUM_THREADS": str(self.threads)}
        before = {name: self.environment.get(name) for name in quiet}
        told = json.dumps({"names": [], "optional": [], "environment": before} | {kind: self.wanted})
        self.process = subprocess.Popen(
            [sys.executable, "-c", WARM, PACKAGE_PARENT, told],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**self.environment, **quiet, "PYTHONHASHSEED": "0", "MLP_TOKEN": NO_TOKEN},
            start_new_session=True,
            bufsize=0,
        )
        self.loaded = frozenset(self.wanted)
        self.is_loading, self._importing, self._moved, self._rest = True, "", time.monotonic(), b""
        return True

    def look(self) -> None:
        """Hears what a process says that is importing; ends one that hangs, or that nothing was asked of for long."""
        while self.is_loading:
            try:
                line = self._line(0.0)
            except OSError:
                line = ""
            if not line:
                break
            self._heed(*line.partition(" ")[::2])
        if self.process is None:
            return
        quiet = time.monotonic() - self._moved
        if self.is_loading and self.process.poll() is not None:
            self._failed(_ended(self.process.returncode))
        elif self.is_loading and quiet > self.load_seconds:
            self._failed(f"is still being imported after {self.load_seconds:g} s (describe_timeout_seconds)")
        elif not self.is_loading and quiet > self.release_seconds:
            self.close()

    def _heed(self, kind: str, words: str) -> None:
        self._moved = time.monotonic()
        if kind == "importing":
            self._importing = words
        elif kind == "ready":
            self.is_loading = False
            if self.wanted:
                self.reports.append(
                    (f"preload: {', '.join(sorted(_tops(self.loaded)))} in {float(words):.1f} s", "INFO")
                )
        elif kind == "failed":
            name, _, why = words.partition(" ")
            self.loaded -= {name}
            self._leave_out({name: f"cannot be imported: {why}"})
        elif kind == "unsafe":
            name, _, why = words.partition(" ")
            self.close()
            self._leave_out({name: f"no process can be forked after its import: {why}"})

    def _failed(self, why: str) -> None:
        name = self._importing
        self.close()
        if name:
            self._leave_out({name: why})
        else:
            self.reports.append((f"preload: the warm process {why}", "WARNING"))

    def _line(self, seconds: float) -> str:
        """Returns the next line, empty where none comes in time."""
        pipe = self.process.stdout if self.process is not None else None
        if pipe is None:
            return ""
        poll = select.poll()
        poll.register(pipe, select.POLLIN)
        until = time.monotonic() + seconds
        while b"\n" not in self._rest:
            if not poll.poll(max(0.0, until - time.monotonic()) * 1000):
                return ""
            chunk = os.read(pipe.fileno(), 1 << 16)
            if not chunk:
                return ""
            self._rest += chunk
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode("utf-8", "replace")

    def descriptors(self) -> list[int]:
        """Returns what becomes readable when an import makes progress."""
        pipe = self.process.stdout if self.process is not None and self.is_loading else None
        return [] if pipe is None else [pipe.fileno()]

    def news(self) -> list[tuple[str, str]]:
        """Looks after the process, and returns what is to be said since the last call: texts with their levels."""
        self.look()
        told, self.reports = self.reports, []
        return told

    def close(self) -> None:
        """Ends the process and its spare pair; what else it forked goes on. It goes by itself when its pipe closes, but
        may be stopped, or busy importing."""
        process, self.process = self.process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        if not self.is_loading:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_FAREWELL_SECONDS)
        self.is_loading = False
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)  # with what a package has started while it is imported
        process.wait()


def _tops(names: Iterable[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


def _beginnings(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts) + 1)]


def _ended(status: int) -> str:
    return f"was ended by {signal_name(-status)}" if status < 0 else f"ended with exit status {status}"
