"""Submits to local processes, one after another."""

import sys

import submitit
import trace_of_run

if __name__ == "__main__":
    executor = submitit.LocalExecutor(f"{sys.argv[3]}/jobs")
    executor.update_parameters(timeout_min=5)
    for _ in range(int(sys.argv[1])):
        executor.submit(trace_of_run.nothing, sys.argv[2]).result()
