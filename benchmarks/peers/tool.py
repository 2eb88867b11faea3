"""What every tool that is measured can do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmarks.environments import Environment
from benchmarks.work import Stamp, Work


@dataclass(frozen=True, slots=True)
class Outcome:
    """Seconds of the wall clock, from nothing to the last record, and the trace of every run."""

    seconds: float
    stamps: list[Stamp]


class Tool:
    """One tool.

    Attributes:
        key: what `--peers` calls it.
        name: what people read.
        environment: where it is installed; None where it needs none of its own.
        package: whose version is shown.
        cheap: whether the quick run has it.
        steady: whether a run's cost is the time from one run to the next; else it is that of a queue of several less
            that of a queue of one, which counts the submission, too.
        counts: how many runs the cost is taken from, and how many in the quick run.
        any_work: whether any script can be given to it, or only what is built in.
    """

    key = ""
    name = ""
    environment: Environment | None = None
    package = ""
    cheap = False
    steady = False
    counts = (100, 20)
    any_work = True

    def prepare(self) -> None:
        """Makes it ready.

        Raises:
            Unavailable: it cannot be had on this machine.
        """
        if self.environment is not None:
            self.environment.make()

    def version(self) -> str:
        """Returns its version; empty where it has none."""
        return self.environment.version(self.package) if self.environment is not None else ""

    def run(self, work: Work, count: int, root: Path) -> Outcome:
        """Does the work so many times, one after another, in a fresh directory.

        Raises:
            RuntimeError: it failed, or not every run left its trace.
        """
        raise NotImplementedError(self.name)
