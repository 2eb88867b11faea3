"""Records metrics in the way of sacred: `_run.log_scalar()`, written by its observer when the run ends."""

import json
import sys
import time

from sacred import Experiment
from sacred.observers import FileStorageObserver

experiment = Experiment("bench", save_git_info=False)
experiment.observers.append(FileStorageObserver(f"{sys.argv[2]}/runs"))


@experiment.main
def main(_run: object) -> float:
    """Records."""
    start = time.perf_counter()
    for step in range(int(sys.argv[1])):
        _run.log_scalar("loss", 0.5, step)
    return time.perf_counter() - start


result = experiment.run(options={"--loglevel": "ERROR"}).result
print(json.dumps({"seconds": result}))
