"""The supervisor on a machine that an engine chose: it owns an attempt whose scheduler is elsewhere.

Beside what every supervisor does it beats, so that the shared file system alone tells that it lives; it reads what is
asked of it there as well; and it goes, with everything below it, when it finds that its attempt was given up.

It is started as `python -c BOOTSTRAP <package parent> <attempt directory>`, with `forked.STARTED_WITH`: the worker is
then a fork of it, which saves a job an interpreter's start. Light modules only.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import signal
import sys
import time

from mlpipeline import wire
from mlpipeline.execution import forked, limits, memory, node_verdict
from mlpipeline.execution.node_verdict import ABANDON
from mlpipeline.execution.supervisor import ALREADY_OWNED, Supervisor, supervise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

BOOTSTRAP = (
    "import sys; sys.path[:] = [p for p in sys.path if p] + [sys.argv[1]]; "
    "from mlpipeline.execution.node import main; main(sys.argv[2])"
)
BEAT_SECONDS = 2.0
_ENDS = ("cancel", "interrupt", ABANDON)
_KILL_SECONDS = 20.0
_OWN_BYTES = 32 * 2**20
"""What a supervisor needs itself of the memory that the engine gave its job."""
_LATE_SECONDS = 10.0
_ANSWER_SECONDS = 2.0
_NOTICES = (signal.SIGUSR1, signal.SIGUSR2)
_TAKEN = {errno.EACCES, errno.EAGAIN}


class NodeSupervisor(Supervisor):
    """Owns one attempt on this machine.

    `engine.json` beside the spec says what the engine allows: `name` of the engine, `seconds` that it lets the job run,
    `kill_seconds` between its warning and its kill, `python` that the scheduler runs, `setting` which raises the time.
    """

    def __init__(self, directory: str) -> None:
        super().__init__(directory)
        self.engine: dict[str, Any] = wire.read_json(self._file(wire.ENGINE)) or {}
        self._keep_within_the_engines_limits()
        self.name = str(self.engine.get("name") or self.spec.get("executor") or "the engine")
        self.node = os.environ.get("SLURMD_NODENAME") or os.uname().nodename
        self.noticed = self.words = ""
        self.began = time.clock_gettime(time.CLOCK_BOOTTIME)
        self._beat_at = time.monotonic()
        self._control: tuple[int, int] | None = None

    def _keep_within_the_engines_limits(self) -> None:
        """Has memory watched here, since the engine's own kill says less; its control group must not be left."""
        if self.spec.get("memory_limit_by") != "address_space":
            self.spec["memory_limit_by"] = "sum"
        if not self.spec.get("memory_limit") and self.engine.get("memory"):
            self.spec["memory_limit"] = max(1, int(self.engine["memory"]) - _OWN_BYTES)

    def own(self) -> bool:
        """Takes the lock, where the file system has any, and makes `node.json`, which only one can.

        Engines start a job twice at times, and a file system need not keep locks between machines.
        """
        if not self._lock():
            return False
        told = {
            "token": self.spec["token"],
            "node": self.node,
            "pid": os.getpid(),
            "boot_id": limits.boot_id(),
            "python": _python(),
            "job": os.environ.get("MLP_JOB", ""),
            "devices": os.environ.get("CUDA_VISIBLE_DEVICES"),
            "at": wire.utc_now(),
        }
        return wire.write_json_once(self._file(wire.NODE), told, sync=False)

    def _lock(self) -> bool:
        self.lock = os.open(self._file(wire.LOCK), os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.lockf(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            return error.errno not in _TAKEN
        return True

    def listen(self) -> None:
        """Listens to an engine's warnings as well."""
        super().listen()
        for number in _NOTICES:
            signal.signal(number, lambda *_: None)

    def environment(self) -> dict[str, str]:
        """Returns the worker's environment, with the file that tells it to write no checkpoint any more."""
        return super().environment() | {wire.FENCE: self._file(wire.OUTCOME)}

    def launch(self, output: int) -> int:
        """Forks the worker where that is the same as starting it; else it is started."""
        values = self.environment()
        if self.python != sys.executable or not forked.is_like_a_start(values):
            return super().launch(output)
        pid = os.fork()
        if pid == 0:
            self._become_worker(output, values)
        return pid

    def _become_worker(self, output: int, values: dict[str, str]) -> NoReturn:
        try:
            self.file.close()
            for source, target in ((os.open(os.devnull, os.O_RDONLY), 0), (output, 1), (output, 2)):
                os.dup2(source, target)
            limits.close_descriptors()
            forked.become_worker(values)
            from mlpipeline.execution import worker

            worker.main(self.directory)
        except BaseException:  # as an interpreter would at its end
            import traceback

            traceback.print_exc()
        finally:  # whatever was raised: this process must never go back to what a supervisor does
            os._exit(70)

    def pause(self) -> float:
        """Returns how long the loop may sleep, in milliseconds: until the next beat at most."""
        return min(super().pause(), max(0.0, self._beat_at - time.monotonic()) * 1000 + 1)

    def enforce(self) -> None:
        """Does what is due by the clock: looks whether it is wanted still, and beats."""
        super().enforce()
        if time.monotonic() < self._beat_at:
            return
        if os.path.exists(self._file(wire.OUTCOME)):
            self._go()
        self._look_at_control()
        with contextlib.suppress(OSError):  # the file system is away; the next beat tells
            os.utime(self._file(wire.NODE))
        self._beat_at = time.monotonic() + BEAT_SECONDS

    def _go(self) -> None:
        """Ends everything and this process: the attempt was given up, and what is written here counts for nothing."""
        self._clear()
        os._exit(wire.GIVEN_UP)

    def _look_at_control(self) -> None:
        try:
            found = os.stat(self._file(wire.CONTROL))
        except OSError:
            return
        signature = (found.st_mtime_ns, found.st_ino)
        if signature != self._control:
            self._control = signature
            self._obey()

    def _obey(self) -> bool:
        """Ends the attempt where that is asked for. Returns whether it is."""
        action = str((wire.read_json(self._file(wire.CONTROL)) or {}).get("action", ""))
        if action not in _ENDS:
            return False
        self.asked = action
        self.end_tree()
        return True

    def heed(self, signals: bytes) -> None:
        """Tells a cancelled attempt from a warning: then the model is asked for a checkpoint while there is time."""
        warnings = [number for number in (*_NOTICES, signal.SIGTERM, signal.SIGINT) if number in signals]
        if not warnings or self._obey():
            return
        if not self.noticed:
            if not self._ask_for_checkpoint() and self._obey():
                return
            self.noticed = f"{self.name} asked for its place ({limits.signal_name(warnings[0])})"
        if self.kill_at is None and (signal.SIGTERM in signals or signal.SIGINT in signals):
            self.kill_at = time.monotonic() + float(self.engine.get("kill_seconds") or _KILL_SECONDS)
            self.words = self._ask_why()

    def _ask_for_checkpoint(self) -> bool:
        """Asks the worker for one, unless something was asked of it: False, and that can be read, where it was.

        A network file system may go on for seconds saying that there is no such file; that it cannot be made is true.
        """
        try:
            if wire.write_json_once(self._file(wire.CONTROL), {"action": "yield", "at": wire.utc_now()}, sync=False):
                return True
        except OSError:  # a full disk: it is killed without a checkpoint then
            return True
        end = time.monotonic() + min(_LATE_SECONDS, float(self.engine.get("kill_seconds") or _LATE_SECONDS))
        while wire.read_json(self._file(wire.CONTROL)) is None and time.monotonic() < end:
            time.sleep(0.1)
        return False

    def end_tree(self) -> None:
        """Asks the whole tree to end; a worker that ignores that, as it does by itself, is killed at once."""
        super().end_tree()
        if self.worker and limits.ignores(self.worker, signal.SIGTERM):
            self.kill_at = time.monotonic()

    def _ask_why(self) -> str:
        """Returns what the engine says about its wish, where there is a command to ask it."""
        command, job = self.engine.get("why"), os.environ.get("SLURM_JOB_ID")
        if not command or not job:
            return ""
        import subprocess  # of a warned job alone: every start would pay for it

        try:
            done = subprocess.run([*command, job], capture_output=True, timeout=_ANSWER_SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return ""
        return done.stdout.decode("utf-8", "replace").strip()

    def settle(self, outcome: dict[str, Any]) -> None:
        """Writes the outcome, unless the attempt was given up: who gave it up has written one."""
        outcome = self._told(outcome)
        while True:
            try:
                wire.write_json_once(self._file(wire.OUTCOME), outcome)
                return
            except OSError:
                if not os.path.isdir(self.directory):
                    raise
                time.sleep(1.0)

    def _told(self, outcome: dict[str, Any]) -> dict[str, Any]:
        late = node_verdict.skew(self.spec["submitted_at"], self.started_at, self.node)
        facts = node_verdict.Facts(
            engine=self.engine,
            name=self.name,
            node=self.node,
            asked=self.asked,
            noticed=self.noticed,
            words=self.words,
            seconds=time.clock_gettime(time.CLOCK_BOOTTIME) - self.began,
            memory=memory.reached() if outcome["cause"] == "out_of_memory" else 0,
        )
        return node_verdict.told(outcome | {"warnings": [*outcome["warnings"], *late]}, facts)


def _python() -> str:
    return ".".join(map(str, sys.version_info[:2]))


def main(directory: str) -> None:
    """Supervises the attempt in `directory` and ends this process.

    Raises:
        SystemExit: with what is wrong, for the engine's own log.
    """
    limits.close_descriptors()
    _await(f"{directory}/{wire.SPEC}")
    supervisor = NodeSupervisor(directory)
    wanted = supervisor.engine.get("python")
    if wanted and wanted != _python():
        _refuse(supervisor, f"{supervisor.node} has Python {_python()} at {sys.executable}, and the queue {wanted}")
    supervise(supervisor)


def _await(path: str) -> None:
    """Waits for a file that another machine has written: a network file system may show it late."""
    end = time.monotonic() + _LATE_SECONDS
    while not os.path.exists(path):
        if time.monotonic() > end:
            raise SystemExit(f"{path}: not there on {os.uname().nodename}: this machine does not see the project")
        with contextlib.suppress(OSError):
            os.listdir(os.path.dirname(path))  # has the directory looked up anew
        time.sleep(0.2)


def _refuse(supervisor: NodeSupervisor, why: str) -> None:
    if not supervisor.own():
        raise SystemExit(ALREADY_OWNED)
    now = wire.utc_now()
    told = {"token": supervisor.spec["token"], "state": "failed", "cause": "refused", "message": f"{why}: set `python`"}
    told |= {"exit_code": None, "signal": None, "peak_memory_bytes": None, "cpu_seconds": None, "steps": None}
    told |= {"metrics": {}, "checkpoint_step": None, "warnings": [], "started_at": now, "ended_at": now}
    wire.write_json_once(f"{supervisor.directory}/{wire.OUTCOME}", told)
    raise SystemExit(why)
