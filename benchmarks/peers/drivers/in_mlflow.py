"""Runs within one process, tracked; in SQLite, or in files where a fourth argument says `file`."""

import os
import sys

os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"

import mlflow
import trace_of_run

if __name__ == "__main__":
    place = sys.argv[3]
    mlflow.set_tracking_uri(f"file:{place}/mlruns" if sys.argv[4:] == ["file"] else f"sqlite:///{place}/mlflow.db")
    for _ in range(int(sys.argv[1])):
        with mlflow.start_run():
            trace_of_run.nothing(sys.argv[2])
