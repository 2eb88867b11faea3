"""Records metrics in MLflow's tracking: in SQLite, or in files where a third argument says `file`."""

import json
import os
import sys
import time

os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"

import mlflow

place = sys.argv[2]
mlflow.set_tracking_uri(f"file:{place}/mlruns" if sys.argv[3:] == ["file"] else f"sqlite:///{place}/mlflow.db")
with mlflow.start_run():
    mlflow.log_metric("first", 0.5)  # makes the store
    start = time.perf_counter()
    for step in range(int(sys.argv[1])):
        mlflow.log_metric("loss", 0.5, step=step)
    took = time.perf_counter() - start
print(json.dumps({"seconds": took}))
