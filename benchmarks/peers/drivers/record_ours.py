"""Records metrics in the way of a model: `self.run.record()`."""

import json
import sys
import time
from pathlib import Path

from mlpipeline.context import RunContext
from mlpipeline.model import ExecutionModeKeys

context = RunContext(
    model="m",
    version="v",
    mode=ExecutionModeKeys.TRAIN,
    directory=Path(sys.argv[2]),
    model_dir=None,
    seed=1,
    replicate=0,
    attempt=1,
    run_id="r",
    params={},
)
start = time.perf_counter()
for step in range(int(sys.argv[1])):
    context.record(loss=0.5, step=step)
context.close()
print(json.dumps({"seconds": time.perf_counter() - start}))
