"""What a prediction over HTTP takes: one row of ten numbers, by the same XGBoost model of a hundred trees."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import processes
from benchmarks.bench import Bench, Reading
from benchmarks.environments import Environment, Unavailable
from benchmarks.figures import Series
from benchmarks.load import Load
from benchmarks.peers.in_process import DRIVERS
from benchmarks.peers.tool import Tool

ALONE = "a prediction of one row over HTTP, one connection, p50"
SHARE = "a prediction of one row over HTTP, its share of the time with 32 connections"
STEADY = "a prediction of one row over HTTP, 200 requests a second, p99"
OURS, MLFLOW = "mlpipeline serve", "mlflow models serve"
_NEEDED = ("pandas", "pyarrow", "starlette", "uvicorn", "xgboost")
_FEATURES = tuple(f"x{number}" for number in range(10))
_ROW = dict.fromkeys(_FEATURES, 0.5)
_RATE = 200


class Server(Tool):
    """Our server."""

    key, name, cheap = "mlpipeline", OURS, True
    path, body = "/wide/predict", [_ROW]

    def prepare(self) -> None:
        """Needs the libraries that models are made and served with."""
        missing = [each for each in _NEEDED if importlib.util.find_spec(each) is None]
        if missing:
            raise Unavailable(f"{', '.join(missing)} not installed beside this benchmark")
        super().prepare()

    def command(self, artefact: Path, root: Path, port: int) -> tuple[list[str], dict[str, str]]:
        """Returns what serves a saved model, and its environment."""
        serve = [sys.executable, "-m", "mlpipeline", "serve", f"wide={artefact}", "--port", str(port)]
        return serve, processes.environment()


class MlflowServer(Server):
    """MLflow's server."""

    key, name, cheap, package = "mlflow", MLFLOW, False, "mlflow"
    environment = Environment("mlflow-serving", "mlflow", "xgboost-cpu")
    path, body = "/invocations", {"dataframe_records": [_ROW]}  # type: ignore[assignment]

    def command(self, artefact: Path, root: Path, port: int) -> tuple[list[str], dict[str, str]]:
        """Makes a model of the same booster."""
        assert self.environment is not None
        booster = next((artefact / "estimator").glob("*.ubj"))
        variables = processes.environment(root, PATH=f"{self.environment.bin}:/usr/bin:/bin", OMP_NUM_THREADS="1")
        made = [self.environment.python, str(DRIVERS / "mlflow_model.py"), str(booster), str(root / "model")]
        processes.run([*made, *_FEATURES], root, variables)
        serve = [str(self.environment.bin / "mlflow"), "models", "serve", "-m", str(root / "model"), "-p", str(port)]
        return [*serve, "--env-manager", "local"], variables


def fitted(directory: Path) -> Path:
    """Returns a saved model of a hundred trees over ten numbers."""
    import numpy as np
    import pandas as pd

    from mlpipeline.data import TrainTestSplit
    from mlpipeline.data.encoders import Boolean, Pass
    from mlpipeline.learning import EstimatorModel
    from mlpipeline.learning.estimators import XGBoost

    class Wide(TrainTestSplit):
        def get_data(self) -> pd.DataFrame:
            generator = np.random.default_rng(0)
            frame = pd.DataFrame({name: generator.normal(size=4000) for name in _FEATURES})
            return frame.assign(y=frame["x0"] + frame["x1"] * frame["x2"] + generator.normal(0, 0.3, 4000) > 0)

        def get_encoders(self) -> Any:
            return tuple(map(Pass, _FEATURES))

        def get_output_encoder(self) -> Any:
            return Boolean("y")

    with contextlib.chdir(directory):
        model = EstimatorModel(Wide(), XGBoost(n_estimators=100, patience=None, n_jobs=2))
        return Path(model.fit().save(directory / "artefact"))


def measure(bench: Bench) -> Iterator[Series]:
    """Measures both servers."""
    count = bench.settings.count

    def once(tool: Tool) -> Iterator[Reading]:
        assert isinstance(tool, Server)
        with processes.directory() as root:
            port = _free_port()
            command, variables = tool.command(fitted(root), root, port)
            with processes.running(command, root, variables):
                processes.until(lambda: _is_open(port), pause=0.05)
                load = Load(port, tool.path, json.dumps(tool.body).encode())
                load.one_by_one(100)
                alone = load.one_by_one(count(2000, 200))
                yield Reading(measure=ALONE, values=(_percentile(alone, 50),))
                yield Reading(measure=SHARE, values=(load.together(32, count(6000, 500)),))
                steady = load.steadily(_RATE, count(4000, 400))
                yield Reading(measure=STEADY, values=(_percentile(steady, 99),))

    peers = bench.settings.peers
    tools = [Server(), *([MlflowServer()] if peers is None or MlflowServer.key in peers else [])]
    yield from bench.alternate("serving", ALONE, tools, bench.settings.times(3, 1), once)


def _percentile(values: list[float], share: int) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * share // 100)]


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
    return port


def _is_open(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
