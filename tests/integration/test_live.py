"""The live faces on real terminals and in pipes, and runs that stall: shown, and never touched."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import signal
import struct
import sys
import termios
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from mlpipeline import wire
from mlpipeline.cli.setup import now
from mlpipeline.observe import status, view
from mlpipeline.project import Project

from .conftest import Workshop

LONG = """
import time
for step in self.run.steps(range(100_000)):
    time.sleep(0.01)
"""
SHORT = """
import time
for step in self.run.steps(range(300)):
    time.sleep(0.01)
"""


class OnTerminal:
    """A command on a terminal of its own, and all that it has written there."""

    def __init__(self, workshop: Workshop, *words: str) -> None:
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            os.chdir(workshop.root)
            os.environ.update(TERM="xterm-256color", PYTHONDONTWRITEBYTECODE="1")
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell's background jobs ignore Ctrl-C; terminals do not
            os.execv(sys.executable, [sys.executable, "-m", "mlpipeline", *words])
        self.resize(80, 24)
        self.written = b""
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        with contextlib.suppress(OSError):  # the end of a terminal is an error on Linux
            while more := os.read(self.descriptor, 1 << 16):
                self.written += more

    def resize(self, width: int, height: int) -> None:
        fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    @property
    def shown(self) -> str:
        return self.written.decode("utf-8", "replace")

    def type(self, keys: bytes) -> None:
        os.write(self.descriptor, keys)

    def end(self) -> int:
        """Waits for the command, and returns its exit status."""
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        self.pid = 0
        self._reader.join()
        return status

    def close(self) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        self._reader.join()
        os.close(self.descriptor)


@pytest.fixture
def terminals() -> Iterator[list[OnTerminal]]:
    opened: list[OnTerminal] = []
    yield opened
    for each in opened:
        each.close()


def listed(workshop: Workshop, body: str) -> Workshop:
    workshop.config("preload = none\n")
    workshop.model("m.py", body)
    workshop.list("m.py")
    return workshop


def face_of(parent: int) -> int | None:
    """Returns the process that draws for a queue."""
    for name in os.listdir("/proc"):
        with contextlib.suppress(OSError, ValueError):
            fields = Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()
            words = Path(f"/proc/{name}/cmdline").read_text()
            if int(fields[1]) == parent and "face_process" in words:
                return int(name)
    return None


def test_a_queue_on_a_terminal_shows_what_runs_below_what_it_says(
    workshop: Workshop, terminals: list[OnTerminal]
) -> None:
    queue = OnTerminal(listed(workshop, SHORT), "-r", "-u")
    terminals.append(queue)
    workshop.until(lambda: "1 running of 1 slots" in queue.shown and "/300" in queue.shown, "the run is drawn")
    assert "start m.py:one\r\n" in queue.shown
    assert queue.end() == 0
    last = queue.shown.rpartition("succeeded m.py:one")[2]
    assert "running of" not in last  # what is over is not left standing


def test_a_face_that_dies_leaves_the_queue_its_lines(workshop: Workshop, terminals: list[OnTerminal]) -> None:
    queue = OnTerminal(listed(workshop, SHORT), "-r", "-u")
    terminals.append(queue)
    workshop.until(lambda: "/300" in queue.shown, "the run is drawn")
    face = face_of(queue.pid)
    assert face is not None
    os.kill(face, signal.SIGKILL)
    assert queue.end() == 0
    assert "succeeded m.py:one" in queue.shown


def test_ctrl_c_is_the_queues_and_the_face_goes_with_it(workshop: Workshop, terminals: list[OnTerminal]) -> None:
    queue = OnTerminal(listed(workshop, LONG), "-r", "-u")
    terminals.append(queue)
    workshop.until(lambda: "/100000" in queue.shown, "the run is drawn")
    queue.type(b"\x03")
    workshop.until(lambda: "stopping: 1 running" in queue.shown, "the first Ctrl-C is heard")
    assert face_of(queue.pid) is not None
    queue.type(b"\x03")
    queue.end()
    assert "cancelled m.py:one" in queue.shown or "yielded m.py:one" in queue.shown
    assert workshop.left_behind() == []


def test_a_face_does_not_outlive_a_killed_queue(workshop: Workshop, terminals: list[OnTerminal]) -> None:
    queue = OnTerminal(listed(workshop, LONG), "-r", "-u")
    terminals.append(queue)
    workshop.until(lambda: "/100000" in queue.shown, "the run is drawn")
    face = face_of(queue.pid)
    assert face is not None
    os.kill(queue.pid, signal.SIGKILL)
    queue.end()
    workshop.until(lambda: not os.path.exists(f"/proc/{face}"), "the face is gone")


def test_status_is_drawn_on_a_screen_of_its_own_until_ctrl_c(workshop: Workshop, terminals: list[OnTerminal]) -> None:
    queue = listed(workshop, LONG).start("-r", "-u")
    watching = OnTerminal(workshop, "status", "--watch")
    terminals.append(watching)
    workshop.until(lambda: "/100000" in watching.shown, "the run is drawn")
    assert watching.shown.startswith("\x1b[?1049h")
    queue.kill()
    queue.wait()
    workshop.until(lambda: "The scheduler is not running" in watching.shown, "the scheduler's death is shown")
    workshop.until(lambda: "1 run goes on without it" in watching.shown, "what still trains is shown")
    watching.type(b"\x03")
    assert watching.end() == 0
    assert watching.shown.endswith("\x1b[?1049l")


def test_piped_a_line_is_printed_for_whatever_happens(workshop: Workshop) -> None:
    listed(workshop, SHORT)
    watching = workshop.start("status", "--watch")
    assert watching.stdout is not None
    lines = iter(watching.stdout.readline, "")
    assert "nothing has run yet" in next(lines)
    workshop.run("-r", "-u")
    told = []
    for line in lines:
        told.append(line)
        if "succeeded" in line:
            break
    assert "\x1b" not in "".join(told)
    assert any("The scheduler runs" in each for each in told)
    assert " m.py:one succeeded after" in told[-1]
    watching.send_signal(signal.SIGINT)
    assert watching.wait() == 0


def test_a_dead_run_is_called_lost_in_every_face_before_any_scheduler_looks(workshop: Workshop) -> None:
    queue = listed(workshop, LONG).start("-r", "-u")
    workshop.until(
        lambda: [each["state"] for each in workshop.history()] == ["running"], "it runs, and that is recorded"
    )
    queue.kill()
    queue.wait()
    for pid in workshop.left_behind():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    workshop.until(lambda: not workshop.left_behind(), "its processes are gone")
    (run,) = workshop.history()
    assert run["state"] == "running"
    assert workshop.run("logs", run["id"], "-f")[0] == 0  # it ends: nothing more can come
    for command in (["status"], ["history"], ["show", run["id"]], ["why", run["id"]]):
        told = workshop.run(*command)[1]
        assert " lost" in told, command
        assert "has been running" not in told, command


def stalled(workshop: Workshop) -> list[str]:
    """Returns what every run would be called, if nothing happened for half an hour."""
    project, later = Project.load(workshop.root), now() + timedelta(minutes=30)
    facts = status.gather(project, view.SchedulerLine(running=True, host="here"), later)
    return [line.word for line in view.picture(facts, later).running]


@pytest.mark.parametrize(
    ("body", "word"), [("import time\ntime.sleep(600)", "STALLED"), ("while True: pass", "running")]
)
def test_a_silent_run_is_stalled_unless_it_takes_processor_time(workshop: Workshop, body: str, word: str) -> None:
    queue = listed(workshop, body).start("-r", "-u")
    workshop.until(lambda: workshop.truth("train"), "the training begins")
    workshop.until(lambda: [each["state"] for each in workshop.history()] == ["running"], "that is recorded")
    workshop.until(lambda: stalled(workshop) == [word], f"it is called {word}")
    assert not list(workshop.outputs.glob(f"runs/*/*/{wire.CONTROL}"))  # it was asked for nothing
    queue.kill()


def test_adopted_held_and_faulty_are_called_so_on_a_terminal_and_in_a_pipe(
    workshop: Workshop, terminals: list[OnTerminal]
) -> None:
    first = listed(workshop, LONG).start("-r", "-u")
    workshop.until(lambda: [each["state"] for each in workshop.history()] == ["running"], "it trains")
    first.kill()
    first.wait()
    workshop.model("waits.py", "pass")
    (workshop.models / "faulty.py").write_text("MODEL = (\n")
    workshop.list("m.py", "waits.py", "faulty.py")
    workshop.run("hold", "waits.py")
    second = workshop.start("-r", "-u")
    watching = OnTerminal(workshop, "status", "--watch")
    terminals.append(watching)
    for told in ("m.py:one  ", "ADOPTED", "HELD", "faulty: models/faulty.py:1: SyntaxError"):
        workshop.until(lambda told=told: told in watching.shown, told)  # type: ignore[misc]
    piped = workshop.run("status")[1]
    for words in (" adopted ", " held ", "fault: models/faulty.py:1: SyntaxError"):
        assert words in piped
    second.kill()
