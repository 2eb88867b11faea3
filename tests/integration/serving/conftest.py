"""`mlpipeline serve` as a process, on loopback, with models that were saved a moment ago."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mlpipeline.data import TrainTestSplit
from mlpipeline.data.encoders import Norm, Unique
from mlpipeline.learning import serializers
from tests.unit.learning.small_models import fitted

httpx = pytest.importorskip("httpx", reason="httpx is missing")
pytest.importorskip("uvicorn", reason="the extra `serve` is missing")
GENEROUS_SECONDS = float(os.environ.get("MLP_TEST_SECONDS", "60"))
ROW = {"age": 30.0, "town": "Ulm"}


class Votes(TrainTestSplit):
    """Almost all say the same: a naive model predicts that."""

    def __init__(self, answer: str) -> None:
        super().__init__()
        self.answer = answer

    def get_data(self) -> pd.DataFrame:
        numbers = range(60)
        return pd.DataFrame(
            {
                "age": [float(number) for number in numbers],
                "town": [("Bonn", "Ulm")[number % 2] for number in numbers],
                "vote": [self.answer if number % 5 else "other" for number in numbers],
            }
        )

    def get_encoders(self) -> Any:
        return (Norm("age"), Unique("town"))

    def get_output_encoder(self) -> Any:
        return Unique("vote")


def save(place: Path, answer: str) -> Path:
    """Saves a model that always predicts one answer; what was there is replaced at once."""
    serializers.save(fitted(Votes(answer)), place, facts={"run": {"id": answer, "model": "votes.py"}})
    return place


def until(condition: Callable[[], object], what: str) -> None:
    """Waits for a condition, generously."""
    end = time.monotonic() + GENEROUS_SECONDS
    while not condition():
        assert time.monotonic() < end, f"never happened: {what}"
        time.sleep(0.02)


class Server:
    """A process that serves.

    Args:
        root: where it runs.
        arguments: of the command.
        environment: beside that of the test.
    """

    def __init__(self, root: Path, *arguments: str, **environment: str) -> None:
        self.log = root / f"serve-{time.monotonic_ns()}.log"
        command = [sys.executable, "-m", "mlpipeline", "serve", "--port", "0", "--poll", "0.1", "--json", *arguments]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=root, stdout=subprocess.PIPE, stderr=log, text=True, env=os.environ | environment
            )
        assert self.process.stdout is not None
        said = ""
        while not said.endswith("\n}\n"):
            line = self.process.stdout.readline()
            assert line, f"it ended: {said}{self.log.read_text()}"
            said += line
        self.told: dict[str, Any] = json.loads(said)
        self.url: str = self.told["url"]
        self.port = int(self.url.rpartition(":")[2])
        self.client = httpx.Client(base_url=self.url, timeout=GENEROUS_SECONDS)

    def predict(self, name: str = "votes", **row: Any) -> Any:
        """Returns the prediction of one row."""
        found = self.client.post(f"/{name}/predict", json=[ROW | row])
        assert found.status_code == 200, found.text
        return found.json()["predictions"][0]

    def raw(self, data: bytes) -> socket.socket:
        """Returns a connection on which something was sent."""
        client = socket.create_connection(("127.0.0.1", self.port), timeout=GENEROUS_SECONDS)
        client.sendall(data)
        return client

    def is_open(self) -> bool:
        """Whether somebody listens."""
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0

    def signal(self, number: int) -> None:
        """Sends a signal."""
        self.process.send_signal(number)

    def wait(self) -> int:
        """Returns the exit status."""
        return self.process.wait(GENEROUS_SECONDS)

    def close(self) -> None:
        """Ends it."""
        self.client.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts servers, and ends them after the test."""
    (tmp_path / "mlp.config").write_text("[MLP]\nhost = here\n")
    with contextlib.ExitStack() as stack:

        def started(*arguments: str, **environment: str) -> Server:
            server = Server(tmp_path, *arguments, **environment)
            stack.callback(server.close)
            return server

        yield started


def head(length: int, path: str = "/votes/predict") -> bytes:
    """Returns the head of a request with a body."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    ).encode()


def received(client: socket.socket) -> bytes:
    """Returns all that comes until the server closes."""
    parts = []
    while part := client.recv(65536):
        parts.append(part)
    return b"".join(parts)


TERM = signal.SIGTERM
