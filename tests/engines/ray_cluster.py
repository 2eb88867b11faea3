"""A Ray of two nodes on this machine: everything lies below one directory, and ends with this process's children."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from mlpipeline.execution.limits import descendants

PORT = 6390
GENEROUS_SECONDS = 120.0
NODES = ("head", "second")
GPUS = 2
"""Of the second node: Ray hands out as many as it is told of, whether there are any."""
_TRIES = 6
# Ray gives a node 30 s to be seen by the head, and its agent 15 s to write down a port that was given, on however busy
# a machine, and has no key: so the port is written down before.
_START = """
import inspect, time
from ray._private import services, utils
from ray._raylet import DASHBOARD_AGENT_LISTEN_PORT_NAME, persist_port
utils.get_dashboard_dependency_error = lambda: ImportError("a small agent will do")
get_node = services.get_node
def patient(*arguments):
    end = time.monotonic() + 120
    while True:
        try:
            return get_node(*arguments)
        except RuntimeError:
            if time.monotonic() > end:
                raise
services.get_node = patient
start_raylet = services.start_raylet
def with_port(*arguments, **named):
    given = inspect.signature(start_raylet).bind(*arguments, **named).arguments
    where = (given["session_dir"], given["node_id"], DASHBOARD_AGENT_LISTEN_PORT_NAME)
    persist_port(*where, given["dashboard_agent_listen_port"])
    return start_raylet(*arguments, **named)
services.start_raylet = with_port
from ray.scripts.scripts import main
main()
"""
_FLAGS = ["--block", "--node-ip-address=127.0.0.1", "--disable-usage-stats", "--object-store-memory=100000000"]
_FLAGS += ["--include-log-monitor=false"]


def missing() -> str:
    """Returns what is not installed; empty where all is."""
    if importlib.util.find_spec("ray") is None:
        return "the package ray"
    return "" if shutil.which("ray", path=str(Path(sys.executable).parent)) else "the program ray"


class Cluster:
    """The processes of one Ray.

    Args:
        directory: with a short path: that of a socket has at most 107 bytes.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.token = directory / "token"
        self.token.write_text(secrets.token_hex(32))
        self.token.chmod(0o600)
        self.nodes: dict[str, subprocess.Popen[bytes]] = {}
        self.starts = 0

    @property
    def address(self) -> str:
        """Where its head listens."""
        return f"127.0.0.1:{PORT}"

    @property
    def config(self) -> str:
        """The section of `mlp.config` that finds it."""
        quick = "poll_seconds = 0.2\nlease_seconds = 7\n"
        return f"[RAY]\naddress = {self.address}\ntoken_file = {self.token}\n{quick}"

    @property
    def variables(self) -> dict[str, str]:
        """The environment of its processes: a lost head is noticed sooner than by Ray's own 60 s."""
        return {
            **os.environ,
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN_PATH": str(self.token),
            "RAY_gcs_rpc_server_reconnect_timeout_s": "10",
            "RAY_agent_register_timeout_ms": "120000",
            "RAY_worker_niceness": "0",  # else 15: on a busy machine runs would starve
            "RAY_health_check_period_ms": "1000",
            "RAY_health_check_failure_threshold": "3",
            "PYTHONWARNINGS": "ignore",
        }

    def start(self) -> None:
        """Starts what is not there, and waits until it is."""
        for name in NODES:
            if name not in self.nodes or self.nodes[name].poll() is not None:
                self._start(name)

    def _start(self, name: str) -> None:
        for left in reversed(range(_TRIES)):
            if self._has_started(name):
                return
            self.kill(name)
            assert left, f"Ray's {name} did not start\n{self.story()}"

    def _has_started(self, name: str) -> bool:
        """Starts a node, before other processes: on a busy machine Ray's own limits of 15 and 30 s are too short."""
        self.starts += 1
        log = self.directory / f"{name}.{self.starts}.log"
        port = PORT + 10 * (1 + NODES.index(name))
        # Ports that are given are not waited for.
        names = ("dashboard-agent-grpc", "dashboard-agent-listen", "runtime-env-agent", "metrics-export")
        ports = [f"--{each}-port={port + place}" for place, each in enumerate(names)]
        if name == "head":
            own = [
                "--head",
                "--no-monitor",
                f"--port={PORT}",
                "--include-dashboard=false",
                f"--temp-dir={self.directory}/ray",
            ]
        else:
            has = {name: 1, "licence": 3}
            own = [f"--address=127.0.0.1:{PORT}", f"--resources={json.dumps(has)}", f"--num-gpus={GPUS}"]
        with log.open("wb") as output:
            self.nodes[name] = subprocess.Popen(
                [
                    "nice",
                    "-n",
                    "-10",
                    sys.executable,
                    "-c",
                    _START,
                    "start",
                    *_FLAGS,
                    "--num-cpus=2",
                    *ports,
                    *own,
                ],
                env=self.variables,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        end, has_raylet = time.monotonic() + GENEROUS_SECONDS, False
        while b"Ray runtime started" not in log.read_bytes():
            had, has_raylet = has_raylet, bool(self.processes(name, "raylet"))
            if self.nodes[name].poll() is not None or time.monotonic() > end or (had and not has_raylet):
                return False
            time.sleep(0.1)
        return True

    def processes(self, node: str, name: str) -> list[int]:
        """Returns the processes of a node that have a name, such as `raylet` or `gcs_server`."""
        return [pid for pid in descendants(self.nodes[node].pid) if _name(pid) == name]

    def kill(self, node: str) -> None:
        """Ends a whole node as a power cut would: with everything that runs on it."""
        process = self.nodes.pop(node)
        # All are looked for before the first one ends: orphans have another parent.
        for pid in [process.pid, *descendants(process.pid)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        # One that ended by itself has left its daemons, which have its group: they hold its ports.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Waits for a condition, generously."""
        end = time.monotonic() + GENEROUS_SECONDS
        while not condition():
            assert time.monotonic() < end, f"never happened: {what}\n{self.story()}"
            time.sleep(0.05)

    def story(self) -> str:
        """Returns the ends of all logs."""
        return "\n".join(f"{path.name}: {path.read_text()[-1500:]}" for path in self.directory.glob("*.log"))

    def stop(self) -> None:
        """Ends everything."""
        for name in [*self.nodes]:
            self.kill(name)


def _name(pid: int) -> str:
    """Returns the name of a process that lives; empty where it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return ""
    told = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    return "" if told["State"].startswith(("Z", "X")) else told["Name"].strip()


@contextlib.contextmanager
def running(directory: Path) -> Iterator[Cluster]:
    """Starts a cluster, and ends it."""
    made = Cluster(directory)
    try:
        made.start()
        yield made
    finally:
        made.stop()
