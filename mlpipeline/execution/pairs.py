"""Two processes forked ahead from the warm one: a supervisor, and below it a worker that waits to be told its attempt.

The supervisor reads one order from a pipe: which attempt to own, or which model to describe. It then does what a
started supervisor does, but that its worker is there already and is only told what it would have inherited.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from typing import NoReturn

from mlpipeline import wire
from mlpipeline.execution import handover, prelude
from mlpipeline.execution.capture import output_pipe
from mlpipeline.execution.forked import become_worker, forget_signals, reopen_streams
from mlpipeline.execution.limits import become_subreaper, close_descriptors, die_with_parent, end_descendants
from mlpipeline.execution.orders import DESCRIBE, ENDED, RUN
from mlpipeline.execution.preload import Stamp
from mlpipeline.execution.supervisor import Supervisor, supervise

_HEAVY_SECONDS = float(os.environ.get("MLP_HANDOVER_SECONDS", "1"))
_LIMITLESS = 1 << 16
_INSTALLED = Stamp(())


class PairedSupervisor(Supervisor):
    """Has a worker that was forked before the attempt was known.

    Args:
        directory: of the attempt.
        pair: what was forked.
        heavy: whether this process holds pages of heavy libraries, and is to become a light one.
    """

    def __init__(self, directory: str, pair: Pair, *, heavy: bool) -> None:
        super().__init__(directory)
        self.pair = pair
        self.light_at = time.monotonic() + _HEAVY_SECONDS if heavy else None

    def pipe(self) -> tuple[int, int]:
        """Returns the pipe that the worker holds already."""
        return self.pair.output

    def launch(self, output: int) -> int:
        """Tells the worker its attempt; starts one where that has not lived so long."""
        try:
            if self.group is not None:
                self.group.add(self.pair.worker)
            self.pair.tell({"do": RUN, "path": self.directory, "environment": self.environment()})
        except OSError:
            return super().launch(output)
        return self.pair.worker

    def pause(self) -> float:
        left = super().pause()
        return left if self.light_at is None else min(left, max(0.0, self.light_at - time.monotonic()) * 1000 + 1)

    def enforce(self) -> None:
        super().enforce()
        if self.light_at is not None and time.monotonic() >= self.light_at:
            self.light_at = None
            if not _INSTALLED.changed():  # another version of this package might not understand what is handed over
                handover.hand_over(self)


class Pair:
    """The worker of a supervisor that has no attempt yet, as that one sees it.

    Attributes:
        worker: its process id.
        output: both ends of the pipe through which its output comes.
    """

    def __init__(self, worker: int, orders: int, output: tuple[int, int]) -> None:
        self.worker, self.output = worker, output
        self._orders = orders

    def tell(self, order: dict[str, object]) -> None:
        """Passes an order on.

        Raises:
            OSError: the worker is gone.
        """
        with open(self._orders, "wb") as file:
            file.write(json.dumps(order).encode() + b"\n")

    def end(self) -> None:
        """Ends the worker, and returns when it has ended."""
        os.kill(self.worker, signal.SIGKILL)
        os.waitpid(self.worker, 0)


def fork_pair(*, heavy: bool) -> tuple[int, int]:
    """Forks a pair. Returns the supervisor's process id, and the descriptor that takes its order.

    Where that descriptor is closed without an order, both end.

    Args:
        heavy: whether this process holds heavy libraries.
    """
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            _wait_as_supervisor(read, heavy=heavy)
        finally:  # whatever was raised: this process must never go back to what the warm one does
            os._exit(70)
    os.close(read)
    return pid, write


def _wait_as_supervisor(orders: int, *, heavy: bool) -> NoReturn:
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    close_descriptors(orders)
    _stand_on(os.devnull, os.O_RDWR)
    output = output_pipe()
    read, write = os.pipe()
    me = os.getpid()
    worker = os.fork()
    if worker == 0:
        _wait_as_worker(me, read, output[1])
    os.close(read)
    pair = Pair(worker, write, output)
    prelude.supervisor()
    line = os.read(orders, _LIMITLESS)
    if not line.endswith(b"\n"):
        pair.end()  # nobody wants it any more
        os._exit(0)
    os.close(orders)
    kind, _, path = os.fsdecode(line[:-1]).partition(" ")
    if kind == DESCRIBE:
        _describe(pair, path)
    _stand_on(f"{path}/{wire.OUTPUT}", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    supervise(PairedSupervisor(path, pair, heavy=heavy))
    os._exit(0)


def _stand_on(path: str, flags: int) -> None:
    """Makes a file this process's stdout and stderr, and nothing its stdin."""
    for source, targets in (
        (os.open(os.devnull, os.O_RDONLY), (0,)),
        (os.open(path, flags, 0o644), (1, 2)),
    ):
        for target in targets:
            os.dup2(source, target)
        os.close(source)


def _describe(pair: Pair, request: str) -> NoReturn:
    """Lets the worker describe a model, and writes how its process ended beside the request."""
    become_subreaper()
    die_with_parent(os.getppid())  # it is described for one scheduler, and the warm process ends with that
    directory = os.path.dirname(request)
    pair.tell({"do": DESCRIBE, "path": request, "output": f"{directory}/output"})
    _, status = os.waitpid(pair.worker, 0)
    end_descendants()
    wire.write_json(f"{directory}/{ENDED}", {"status": os.waitstatus_to_exitcode(status)})
    os._exit(0)


def _wait_as_worker(supervisor: int, orders: int, output: int) -> NoReturn:
    """Waits for an order as a process that holds nothing else, then becomes what a started one would be."""
    try:
        die_with_parent(supervisor)
        os.dup2(output, 1)
        os.dup2(output, 2)
        close_descriptors(orders)
        prelude.worker()
        with open(orders, "rb") as file:
            line = file.readline()
        if not line:
            os._exit(0)
        order = json.loads(line)
        sys.argv = ["-c", *sys.argv[1:2], order["path"]]
        if order["do"] == DESCRIBE:
            _become_describer(order["path"], order["output"])
        become_worker(order["environment"])
        from mlpipeline.execution import worker

        worker.main(order["path"])
    except OSError as error:
        os.write(2, f"the worker could not be prepared: {error}\n".encode())
        os._exit(70)
    raise SystemExit(0)


def _become_describer(request: str, output: str) -> NoReturn:
    from mlpipeline.execution import describe

    forget_signals()
    _stand_on(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    reopen_streams()
    describe.main(request)
    os._exit(0)
