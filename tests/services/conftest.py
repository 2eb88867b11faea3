"""Real servers of Debian's packages, started once for all tests, on loopback, with files of their own."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

GENEROUS_SECONDS = 60.0
PASSWORD = "p@ss:w/rd"


def missing(what: str) -> None:
    """Skips the test for want of a program; fails where services are required."""
    if os.environ.get("MLP_REQUIRE_SERVICES") == "1":
        pytest.fail(f"{what}, and MLP_REQUIRE_SERVICES=1: run tests/services/install.sh as root")
    pytest.skip(f"{what}: run tests/services/install.sh as root")


def free_port() -> int:
    """Returns a port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
    return port


def until(condition: Callable[[], object], what: str) -> None:
    """Waits for a condition, generously."""
    end = time.monotonic() + GENEROUS_SECONDS
    while not condition():
        assert time.monotonic() < end, f"never happened: {what}"
        time.sleep(0.05)


def answers(port: int) -> bool:
    """Whether somebody listens on a port."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """A directory that other users may enter, with a short path: that of a socket has at most 107 bytes."""
    made = Path(tempfile.mkdtemp(prefix="mlp-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@dataclass
class Postgres:
    """A PostgreSQL server that asks for a password."""

    programs: Path
    directory: Path
    port: int

    @property
    def address(self) -> str:
        """The URL without its scheme."""
        return f"mlp:p%40ss%3Aw%2Frd@127.0.0.1:{self.port}/postgres"

    @property
    def url(self) -> str:
        """The URL of the database."""
        return f"postgresql://{self.address}"

    def command(self, program: str, *arguments: str) -> None:
        """Runs one of PostgreSQL's programs, as a user who may."""
        user = "postgres" if os.geteuid() == 0 else None
        with (self.directory / "said").open("ab") as said:  # a pipe would stay open as long as the server
            done = subprocess.run(
                [str(self.programs / program), *arguments], check=False, user=user, cwd=self.directory, stdout=said,
                stderr=said, timeout=GENEROUS_SECONDS,
            )  # fmt: skip
        assert done.returncode == 0, (self.directory / "said").read_text()

    def start(self) -> None:
        """Starts the server, and waits until it answers."""
        options = (
            f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.directory} -c fsync=off "
            "-c full_page_writes=off -c shared_buffers=32MB -c max_connections=60"
        )
        log = str(self.directory / "log")
        self.command("pg_ctl", "-D", str(self.directory / "data"), "-l", log, "-w", "-o", options, "start")

    def stop(self, mode: str = "fast") -> None:
        """Stops the server; `immediate` is a kill of everything."""
        self.command("pg_ctl", "-D", str(self.directory / "data"), "-m", mode, "-w", "stop")


@pytest.fixture(scope="session")
def postgres(folder: Path) -> Iterator[Postgres]:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        missing("PostgreSQL is not installed")
    directory = folder / "pg"
    directory.mkdir()
    if os.geteuid() == 0:
        owner = pwd.getpwnam("postgres")
        os.chown(directory, owner.pw_uid, owner.pw_gid)
    secret = directory / "secret"
    secret.write_text(PASSWORD)
    secret.chmod(0o644)
    server = Postgres(found[-1].parent, directory, free_port())
    server.command(
        "initdb", "-D", str(directory / "data"), "-U", "mlp", "-A", "scram-sha-256", f"--pwfile={secret}", "-E", "UTF8",
        "--locale=C.UTF-8", "--no-sync",
    )  # fmt: skip
    server.start()
    yield server
    server.stop("immediate")


@contextlib.contextmanager
def running(command: list[str], port: int, log: Path, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    """Runs a server in the foreground of nobody, from its first answer to the end of the block."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env={**os.environ, **variables}
        )
    try:
        until(lambda: answers(port) or process.poll() is not None, f"{command[0]} answers")
        assert process.poll() is None, log.read_text()
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(GENEROUS_SECONDS)


@pytest.fixture(scope="session")
def redis_command() -> list[str]:
    """What starts a Redis server, but for its port."""
    program = shutil.which("redis-server")
    if program is None:
        missing("redis-server is not installed")
    return [
        str(program),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--appendonly",
        "no",
        "--requirepass",
        "s3cret",
        "--port",
    ]


@pytest.fixture(scope="session")
def redis_port(redis_command: list[str], folder: Path) -> Iterator[int]:
    """The port of a Redis server that asks for a password."""
    port = free_port()
    with running([*redis_command, str(port), "--dir", str(folder)], port, folder / "redis.log"):
        yield port


@dataclass(frozen=True)
class S3:
    """An S3 server."""

    endpoint: str
    key: str
    secret: str

    @property
    def options(self) -> dict[str, object]:
        """What s3fs is told."""
        return {
            "key": self.key, "secret": self.secret, "endpoint_url": self.endpoint,
            "client_kwargs": {"region_name": "us-east-1"},
            "config_kwargs": {"s3": {"addressing_style": "path"}, "retries": {"max_attempts": 1}},
        }  # fmt: skip


def moto_command(port: int) -> list[str]:
    """What starts moto's server."""
    if importlib.util.find_spec("moto") is None:
        missing("moto is not installed (pip install 'mlpipeline[services]')")
    return [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]


@pytest.fixture(scope="session")
def moto(folder: Path) -> Iterator[S3]:
    port = free_port()
    with running(moto_command(port), port, folder / "moto.log"):
        yield S3(f"http://127.0.0.1:{port}", "key", "hush")


@pytest.fixture
def s3(moto: S3, monkeypatch: pytest.MonkeyPatch) -> S3:
    """The S3 server, named by the environment, as in production."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto.endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", moto.key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", moto.secret)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    return moto
