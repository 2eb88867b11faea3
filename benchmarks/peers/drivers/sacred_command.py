"""One run of an experiment by its command line."""

import time

FIRST = time.time_ns()

import trace_of_run  # noqa: E402
from sacred import Experiment  # noqa: E402

experiment = Experiment("bench", save_git_info=False)


@experiment.config
def config() -> None:
    """Has one parameter."""
    stamps = ""  # noqa: F841


@experiment.automain
def main(stamps: str) -> None:
    """Does nothing."""
    trace_of_run.leave(stamps, FIRST)
