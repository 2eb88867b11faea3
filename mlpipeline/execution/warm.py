"""A small process that has imported what every run needs, and forks supervisors and workers in milliseconds.

It reads attempt directories, one a line, and answers each with the process id of the supervisor that it forked. It has
one thread, never imports the user's modules, and ends when its scheduler does; what it forked goes on.
"""

from __future__ import annotations

import gc
import importlib
import os
import select
import signal
import subprocess
import sys

from mlpipeline.execution.limits import close_descriptors, wake_when_parent_dies
from mlpipeline.execution.supervisor import PACKAGE_PARENT, Supervisor, supervise
from mlpipeline.wire import OUTPUT

CODE = (
    "import sys; sys.path[:] = [p for p in sys.path if p] + [sys.argv[1]]; "
    "from mlpipeline.execution.warm import main; main()"
)
_IMPORTED = (
    "mlpipeline.execution.worker",
    "mlpipeline.execution.lifecycle",
    "mlpipeline.execution.loader",
    "mlpipeline.execution.messages",
    "mlpipeline.execution.model_directory",
    "mlpipeline.execution.snapshot",
    "mlpipeline.context",
    "mlpipeline.helper",
    "mlpipeline.utils",
)
REFUSED = "refused"
_NO_TOKEN = "0" * 80  # a place as long as a token and the mark of a lock file
_READY_SECONDS = 10.0
_ANSWER_SECONDS = 2.0


class WarmSupervisor(Supervisor):
    """Forks its worker instead of starting an interpreter."""

    def launch(self, output: int) -> int:
        """Forks; the child becomes the worker, in the environment that a started one would have."""
        values = self.environment()
        pid = os.fork()
        if pid == 0:
            try:
                self._prepare(output, values)
                from mlpipeline.execution import worker

                worker.main(self.directory)  # ends this process as an interpreter's end would
            except OSError as error:  # the caller's handler is the supervisor's: this process must not come there
                os.write(2, f"the worker could not be prepared: {error}\n".encode())
                os._exit(70)
        return pid

    def _prepare(self, output: int, values: dict[str, str]) -> None:
        """Makes the forked process what a started one would be."""
        os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        for number in set(range(1, signal.NSIG)) - {signal.SIGKILL, signal.SIGSTOP, 32, 33}:
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        # A record lock is the supervisor's own: closing the child's descriptor does not give it back.
        self.file.close()
        os.close(self.lock)
        _become(os.open(os.devnull, os.O_RDONLY), output)
        # The inherited streams remember what they were opened on.
        sys.stdin = open(0, closefd=False)  # noqa: SIM115 - open as long as the process
        sys.stdout = open(1, "w", buffering=1, errors="backslashreplace", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)  # noqa: SIM115
        _show_token(values["MLP_TOKEN"])
        os.environ.clear()
        os.environ.update(values)
        # What PYTHONPATH would have done at an interpreter's start.
        sys.path[:0] = [each for each in values["PYTHONPATH"].split(os.pathsep) if each not in sys.path]
        importlib.invalidate_caches()


def _show_token(value: str) -> None:
    """Writes what an attempt's processes carry where /proc shows a process's environment: the block of its start.

    By it burial finds this process, and those that it forks.
    """
    import ctypes

    getenv = ctypes.CDLL(None).getenv
    getenv.restype = ctypes.c_void_p
    ctypes.memmove(getenv(b"MLP_TOKEN"), value.encode().ljust(len(_NO_TOKEN), b"\0"), len(_NO_TOKEN))


def _become(source: int, output: int) -> None:
    os.dup2(source, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    close_descriptors()


def _supervise(directory: str) -> None:
    """Runs in the forked child: becomes a supervisor as a started one is."""
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    output = os.open(f"{directory}/{OUTPUT}", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    _become(os.open(os.devnull, os.O_RDONLY), output)
    supervise(WarmSupervisor(directory))


def main() -> None:
    """Serves requests until the scheduler closes its end."""
    wake_when_parent_dies()  # no fork inherits this
    for name in _IMPORTED:
        importlib.import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # whoever watches a supervisor has a descriptor for it
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's Ctrl-C is the scheduler's
    gc.collect()
    gc.freeze()
    requests = os.fdopen(0, "rb", closefd=False)
    os.write(1, b"ready\n")
    for line in iter(requests.readline, b""):
        directory = os.fsdecode(line.rstrip(b"\n"))
        if len(os.listdir("/proc/self/task")) != 1:
            os.write(1, f"{REFUSED}\n".encode())
            continue
        pid = os.fork()
        if pid == 0:
            _supervise(directory)
            raise SystemExit(0)
        os.write(1, f"{pid}\n".encode())


class WarmParent:
    """The scheduler's side of the warm process.

    Args:
        environment: what workers are to inherit.
    """

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts the process; returns before it is ready."""
        self.process = subprocess.Popen(
            [sys.executable, "-c", CODE, PACKAGE_PARENT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**self.environment, "PYTHONHASHSEED": "0", "MLP_TOKEN": _NO_TOKEN},
            start_new_session=True,
            bufsize=0,
        )

    def submit(self, directory: str) -> int | None:
        """Has a supervisor forked. Returns its process id, None where a cold process must be started instead.

        A process that does not answer, a stopped one say, is ended. Had it forked a supervisor all the same, that one
        and the cold one meet at the attempt's lock, and whoever comes second goes away.
        """
        if "\n" in directory:
            return None
        fresh = self.process is None
        if fresh:
            self.start()
        process = self.process
        if process is None or process.stdin is None or process.stdout is None:
            return None
        try:
            process.stdin.write(os.fsencode(directory) + b"\n")
            is_ready = not fresh or self._line(_READY_SECONDS) == b"ready"
            answer = self._line(_ANSWER_SECONDS) if is_ready else b""
        except OSError:
            answer = b""
        if not answer.isdigit():
            self.close()
            return None
        return int(answer)

    def _line(self, seconds: float) -> bytes:
        """Returns the next line, empty where none comes in time. Lines are short: each arrives whole."""
        if self.process is None or self.process.stdout is None:
            return b""
        poll = select.poll()
        poll.register(self.process.stdout, select.POLLIN)
        return self.process.stdout.readline().strip() if poll.poll(seconds * 1000) else b""

    def close(self) -> None:
        """Ends the process, which may be stopped and would not see its pipe close; what it forked goes on."""
        process, self.process = self.process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        process.kill()
        process.wait()
