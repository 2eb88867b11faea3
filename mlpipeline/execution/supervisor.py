"""The small process that owns one attempt: it starts the worker, pumps its output and records how it ended.

It is started as `python -I -S -c BOOTSTRAP <package parent> <attempt directory>`, in a session of its own, and outlives
the scheduler. It imports the standard library's light modules only, since every run pays for them.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import sys
import time

from mlpipeline import wire
from mlpipeline.execution import environment, limits, memory, verdict
from mlpipeline.execution.capture import Pump, output_pipe
from mlpipeline.execution.environment import PACKAGE_PARENT
from mlpipeline.failpoints import reach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

BOOTSTRAP = (
    "import sys; sys.path.append(sys.argv[1]); from mlpipeline.execution.supervisor import main; main(sys.argv[2])"
)
WORKER = (
    "import sys; sys.path[:] = [p for p in sys.path if p] + [sys.argv[1]]; "
    "from mlpipeline.execution.worker import main; main(sys.argv[2])"
)
ALREADY_OWNED = 75
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGHUP)


class Supervisor:
    """Owns the attempt in one directory from its lock to its outcome."""

    def __init__(self, directory: str) -> None:
        self.directory = os.path.abspath(directory)
        spec = wire.read_json(self._file(wire.SPEC))
        if spec is None:
            raise SystemExit(f"{self._file(wire.SPEC)}: missing or damaged: nothing can be run here")
        self.spec: dict[str, Any] = spec
        self.asked = ""
        self.worker = 0
        self.clock = wire.Clock()
        self.started_at = self.clock.now()
        self.deadline: float | None = None
        self.timed_out = False
        self.kill_at: float | None = None
        self.file = open(self._file(wire.OUTPUT), "ab", buffering=0)  # noqa: SIM115 - open as long as the process
        self.pump = Pump(self.file, spec.get("output_limit"))
        self.group: memory.Group | None = None
        self.watch = memory.Watch(os.getpid(), None)
        self.kernel_kills = 0
        self.lock = -1
        self.output = self.wake = -1
        self.device_peak: int | None = None

    def _file(self, name: str) -> str:
        return f"{self.directory}/{name}"

    def own(self) -> bool:
        """Takes the record lock that is this process's sign of life. False when another supervisor holds it.

        A record lock belongs to the process: no child inherits it, and it ends with the process whatever happens.
        """
        self.lock = os.open(self._file(wire.LOCK), os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.lockf(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def run(self) -> None:
        """Runs the worker to its end and writes the outcome."""
        limits.become_subreaper()
        self.listen()
        reach("supervisor.owned")
        self._start()
        reach("supervisor.started")
        limit = self.spec.get("timeout_seconds")
        self.deadline = time.monotonic() + limit if limit else None
        self.finish()

    def listen(self) -> None:
        """Has signals wake the loop from now on."""
        self.wake, write = os.pipe()
        os.set_blocking(write, False)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        for number in SIGNALS:
            signal.signal(number, lambda *_: None)

    def finish(self) -> None:
        """Looks after the worker until it ends, and writes the outcome."""
        status, usage = self._wait()
        leftovers = self._clear()
        self._drain()
        self.pump.close()
        self._conclude(status, usage, leftovers)

    def pipe(self) -> tuple[int, int]:
        """Returns the two ends of the pipe through which the worker's output comes."""
        return output_pipe()

    def _start(self) -> None:
        self.output, write = self.pipe()
        self.kernel_kills = memory.kernel_kills()
        self.group, limit = memory.limited(self.spec)
        try:
            self.worker = self.launch(write)
            reach("supervisor.launched")
        except OSError as error:
            os.write(write, f"cannot start {self.python}: {error.strerror}\n".encode())
            self.worker = 0
        if self.group is not None:
            self.group.leave()
        self.watch = memory.Watch(os.getpid(), limit)
        os.close(write)
        started = {
            "token": self.spec["token"],
            "pid": os.getpid(),
            "start_ticks": limits.start_ticks(os.getpid()),
            "boot_id": limits.boot_id(),
            "lock": limits.file_mark(self.lock),
            "worker_pid": self.worker,
            "started_at": self.started_at,
        }
        wire.write_json_patiently(self._file(wire.STARTED), started)
        os.set_blocking(self.output, False)

    @property
    def python(self) -> str:
        """The interpreter that trains."""
        return str(self.spec.get("python") or sys.executable)

    def launch(self, output: int) -> int:
        """Starts the worker, its stdout and stderr going to a descriptor, and returns its process id.

        Raises:
            OSError: when it cannot be started.
        """
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, output, 1),
            (os.POSIX_SPAWN_DUP2, output, 2),
        ]
        command = [self.python, "-c", WORKER, PACKAGE_PARENT, self.directory]
        # The worker resets every signal: it must not inherit what the supervisor does with them.
        return os.posix_spawn(
            self.python, command, self.environment(), file_actions=actions, setpgroup=0, setsigdef=range(1, 32)
        )

    def environment(self) -> dict[str, str]:
        """Returns the worker's environment."""
        return environment.of_worker(self.spec, self.directory, limits.file_mark(self.lock))

    def _wait(self) -> tuple[int, Any]:
        poll = select.poll()
        poll.register(self.output, select.POLLIN)
        poll.register(self.wake, select.POLLIN)
        self.devices = memory.watch_devices(self.spec, self.device_peak, self._file(wire.GPU))
        while True:
            ready = dict(poll.poll(self.pause()))
            if self.output in ready and not self._read():
                poll.unregister(self.output)
            if self.wake in ready:
                self.heed(os.read(self.wake, 4096))
            self.enforce()
            pid, status, usage = os.wait4(self.worker, os.WNOHANG) if self.worker else (1, 127 << 8, None)
            if pid:
                return status, usage

    def pause(self) -> float:
        """Returns how long the loop may sleep, in milliseconds."""
        times = [moment for moment in (self.deadline, self.kill_at, self.watch.due) if moment is not None]
        return max(0.0, (min(times) - time.monotonic()) * 1000) + 1

    def _read(self) -> bool:
        try:
            chunk = os.read(self.output, 1 << 18)
        except BlockingIOError:
            return True
        self.pump.feed(chunk)
        return bool(chunk)

    def heed(self, signals: bytes) -> None:
        """Does what the signals that came mean."""
        if any(number in signals for number in (signal.SIGTERM, signal.SIGINT)):
            control = wire.read_json(self._file(wire.CONTROL)) or {}
            self.asked = str(control.get("action", "")) or "terminated"
            self.end_tree()

    def enforce(self) -> None:
        """Does what is due by the clock."""
        now = time.monotonic()
        if self.deadline is not None and now >= self.deadline:
            self.deadline = None
            self.timed_out = True
            self.end_tree()
        if self.watch.look(now):
            self.kill_at = now  # there may be no time to ask
        if self.kill_at is not None and now >= self.kill_at:
            self.kill_at = now + 1.0
            self.signal_tree(signal.SIGKILL)

    def end_tree(self) -> None:
        """Asks the whole tree to end, and sets when it will be killed."""
        if self.kill_at is None:
            self.kill_at = time.monotonic() + float(self.spec.get("grace_seconds") or 0)
            self.signal_tree(signal.SIGTERM)

    def signal_tree(self, number: int) -> int:
        """Signals the whole tree, and nothing else. Returns how many processes it has."""
        me = os.getpid()
        tree = limits.descendants(me)
        for pid in tree:
            limits.kill(pid, number, lambda each: limits.is_below(each, me))
            if number == signal.SIGTERM:  # what is stopped cannot end itself
                limits.kill(pid, signal.SIGCONT, lambda each: limits.is_below(each, me))
        return len(tree)

    def _clear(self) -> int:
        """Ends what the worker left behind, and returns how many processes that were.

        Orphans have become children of this subreaper, so "no child left" proves that none is.
        """
        count = 0
        while True:
            try:
                pid, _ = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                count = max(count, self.signal_tree(signal.SIGKILL))
                os.waitpid(-1, 0)
        return count

    def _drain(self) -> None:
        try:
            while chunk := os.read(self.output, 1 << 18):
                self.pump.feed(chunk)
        except BlockingIOError:
            return  # a process outside the tree holds the pipe: what is in it was read

    def settle(self, outcome: dict[str, Any]) -> None:
        """Writes the outcome, durably."""
        wire.write_json_patiently(self._file(wire.OUTCOME), outcome)

    def _conclude(self, status: int, usage: Any, leftovers: int) -> None:
        reach("supervisor.ended")
        limit_kills = self.group.killed() if self.group else 0
        group_peak = self.group.peak() if self.group else 0
        if self.group is not None:
            self.group.remove()
        progress = wire.read_json(self._file(wire.PROGRESS)) or {}
        facts = verdict.Facts(
            status=status,
            asked=self.asked,
            timed_out=self.timed_out,
            started=bool(self.worker),
            peak_bytes=max(usage.ru_maxrss * 1024 if usage else 0, self.watch.peak, group_peak),
            exceeded=self.watch.exceeded,
            limit_kills=limit_kills,
            kernel_kills=memory.kernel_kills() - self.kernel_kills,
            cpu_seconds=usage.ru_utime + usage.ru_stime if usage else 0.0,
            leftovers=leftovers,
            dropped=self.pump.dropped,
            step=progress.get("step"),
        )
        result = wire.read_json_patiently(self._file(wire.RESULT))
        outcome = verdict.outcome(self.spec, result, facts)
        outcome["started_at"] = self.started_at
        outcome["ended_at"] = self.clock.now()
        outcome["peak_gpu_memory_bytes"] = self.devices and self.devices.peak
        self.settle(outcome)
        reach("supervisor.concluded")


def main(directory: str) -> None:
    """Supervises the attempt in `directory`; returns when its outcome is on disk."""
    limits.close_descriptors()  # posix_spawn hands on what somebody forgot to mark, such as watches of files
    supervise(Supervisor(directory))


def supervise(supervisor: Supervisor) -> None:
    """Owns an attempt from its lock to its outcome; goes away at once when it is owned or ended already.

    Raises:
        SystemExit: when there is nothing to do.
    """
    if not supervisor.own():
        raise SystemExit(ALREADY_OWNED)
    if wire.read_json(f"{supervisor.directory}/{wire.OUTCOME}") is not None:
        raise SystemExit(ALREADY_OWNED)
    supervisor.run()
    # The outcome is on disk and no child is left: nothing is to be torn down, and the scheduler waits for this end.
    os._exit(0)
