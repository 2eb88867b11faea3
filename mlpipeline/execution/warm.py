"""A process that has imported what runs need, and forks supervisors and workers in milliseconds.

Started as `python -c WARM <package parent> <JSON: what to import>`. It says line by line on stdout what it does:
`importing NAME`, `failed NAME REASON`, `unsafe NAME REASON`, `ready SECONDS`; then it answers each order, a line on
stdin, by `pid N`, `stale REASON` or `refused REASON`. It has one thread, never imports the user's modules, and ends
when its scheduler does; what it forked goes on.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.util
import json
import os
import select
import signal
import time

from mlpipeline.execution import threads
from mlpipeline.execution.limits import descendants, wake_when_parent_dies
from mlpipeline.execution.limits import threads as count_threads
from mlpipeline.execution.machine import memory
from mlpipeline.execution.pairs import fork_pair
from mlpipeline.execution.preload import OURS, Stamp

_OWN = (
    "mlpipeline.execution.describe",
    "mlpipeline.execution.ending",
    "mlpipeline.execution.worker",
    "mlpipeline.execution.lifecycle",
    "mlpipeline.execution.loader",
    "mlpipeline.execution.messages",
    "mlpipeline.execution.model_directory",
    "mlpipeline.execution.snapshot",
    "mlpipeline.checkpoint",
    "mlpipeline.context",
    "mlpipeline.helper",
    "mlpipeline.metrics",
    "mlpipeline.progress",
    "mlpipeline.utils",
)
_UNSAFE_STATUS = 3
_RENEW_SECONDS = 0.05
_SPARE_NEEDS = 1 << 29
"""A spare is kept while so many bytes are available, or as many as this process holds, where that is more."""


class Line:
    """The connection to the scheduler, kept from packages that print, read or start processes at their import."""

    def __init__(self) -> None:
        self.requests = os.fdopen(os.dup(0), "rb", buffering=0)  # what came can be seen in the pipe
        self.answers = os.dup(1)
        with open(os.devnull, "r+b", buffering=0) as null:
            for standard in (0, 1):
                os.dup2(null.fileno(), standard)

    def is_quiet(self, seconds: float) -> bool:
        """Whether no request comes within that time."""
        return not select.select([self.requests], [], [], seconds)[0]

    def say(self, kind: str, *words: object) -> None:
        """Tells the scheduler something."""
        text = " ".join([kind, *(str(word).replace("\n", " ") for word in words)])
        os.write(self.answers, f"{text}\n".encode())


def load(line: Line, names: list[str], optional: list[str]) -> None:
    """Imports packages one by one, and ends this process at the first that is not safe to fork with."""
    me = os.getpid()
    for name in [*names, *optional]:
        line.say("importing", name)
        try:
            if name in names or importlib.util.find_spec(name) is not None:
                importlib.import_module(name)
            elif name.startswith(OURS):
                parent, _, part = name.rpartition(".")
                getattr(importlib.import_module(parent), part, None)  # our packages import their parts on first use
        # A package's import may raise anything; it is told, and runs that need it will meet it themselves.
        except BaseException as error:
            if name in names and os.getpid() == me:
                line.say("failed", name, f"{type(error).__name__}: {error}")
        if os.getpid() != me:
            os._exit(0)  # the package has forked, and this is the child
        if fault := unsafe() or _children():
            line.say("unsafe", name, fault)
            raise SystemExit(_UNSAFE_STATUS)


def unsafe() -> str:
    """Returns why nothing may be forked from this process; empty where all is well.

    More threads than one is what tells deadly from safe: a lock that another thread holds stays locked in the child.
    """
    if (count := count_threads()) != 1:
        return f"it has {count} threads"
    for name in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            continue  # the listing's own
        if target.startswith(("/dev/nvidia", "/dev/kfd", "/dev/dri")):
            return f"it has opened {target}"
    return ""


def _children() -> str:
    """Ends what an import has started and left, and says that there was something."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            continue
    except ChildProcessError:
        return ""
    for pid in descendants(os.getpid()):
        os.kill(pid, signal.SIGKILL)
    return "it has started a process that goes on"


class Spare:
    """The pair that is forked ahead, while memory allows.

    Args:
        heavy: whether this process holds heavy libraries.
    """

    def __init__(self, *, heavy: bool) -> None:
        self.heavy = heavy
        self.pair: tuple[int, int] | None = None

    def give(self, order: bytes) -> int:
        """Gives an order to the spare, or to a fresh pair where there is none. Returns its supervisor's process id."""
        while True:
            pid, orders = self.pair or fork_pair(heavy=self.heavy)
            self.pair = None
            try:
                os.write(orders, order)
            except BrokenPipeError:  # it was ended meanwhile, for want of memory perhaps
                continue
            finally:
                os.close(orders)
            return pid

    def end(self) -> None:
        """Ends the spare, and returns when it has ended."""
        if self.pair is not None:
            pid, orders = self.pair
            os.close(orders)
            with contextlib.suppress(ChildProcessError):  # the kernel has collected it, as was asked
                os.waitpid(pid, 0)

    def renew(self) -> None:
        """Forks the next one."""
        if self.pair is None and memory().available >= _SPARE_NEEDS:
            self.pair = fork_pair(heavy=self.heavy)


def main(argument: str) -> None:
    """Imports, then serves orders until the scheduler closes its end."""
    wanted = json.loads(argument)
    wake_when_parent_dies()  # no fork inherits this
    begun = time.monotonic()
    line = Line()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's Ctrl-C is the scheduler's
    for name in _OWN:
        importlib.import_module(name)
    load(line, wanted["names"], wanted["optional"])
    for name, value in wanted["environment"].items():  # what kept libraries quiet while they were imported
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    threads.find_loaded()
    stamp = Stamp([*wanted["names"], *wanted["optional"]])
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # whoever watches a supervisor has a descriptor for it
    gc.collect()
    gc.freeze()
    line.say("ready", f"{time.monotonic() - begun:.2f}")
    serve(line, stamp, Spare(heavy=bool(wanted["names"] or wanted["optional"])))


def serve(line: Line, stamp: Stamp, spare: Spare) -> None:
    """Hands a pair to each order that comes."""
    spare.renew()
    for order in iter(line.requests.readline, b""):
        if fault := unsafe():
            line.say("refused", fault)
            continue
        if path := stamp.changed():
            line.say("stale", f"{path} has changed")
            break
        line.say("pid", spare.give(order))
        # Forking what is heavy takes a core for 20 ms, which the run that has just begun needs more.
        if not spare.heavy or line.is_quiet(_RENEW_SECONDS):
            spare.renew()
    spare.end()
