"""Runs in joblib's process executor, one worker, one after another."""

import sys

import trace_of_run
from joblib.externals.loky import get_reusable_executor

if __name__ == "__main__":
    executor = get_reusable_executor(max_workers=1)
    for _ in range(int(sys.argv[1])):
        executor.submit(trace_of_run.nothing, sys.argv[2]).result()
    executor.shutdown()
