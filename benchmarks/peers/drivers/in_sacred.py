"""Runs of one experiment within one process, recorded into files."""

import sys

import trace_of_run
from sacred import Experiment
from sacred.observers import FileStorageObserver

experiment = Experiment("bench", save_git_info=False)
experiment.observers.append(FileStorageObserver(f"{sys.argv[3]}/runs"))
experiment.logger = None


@experiment.main
def main() -> None:
    """Does nothing."""
    trace_of_run.nothing(sys.argv[2])


if __name__ == "__main__":
    for _ in range(int(sys.argv[1])):
        experiment.run(options={"--loglevel": "ERROR"})
