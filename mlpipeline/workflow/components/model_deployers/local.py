"""The deployer that has a server on this machine answer, `mlpipeline serve`, which outlives the workflow."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mlpipeline.errors import CommandFailed, MlpipelineError
from mlpipeline.workflow.components.model_deployers import deployments
from mlpipeline.workflow.components.model_deployers.deployments import Deployment
from mlpipeline.workflow.part import side_effects
from mlpipeline.workflow.types.contract import Resource
from mlpipeline.workflow.types.model import ModelDeployer

_POLL_SECONDS = 1.0
_PAUSE_SECONDS = 0.1
_END_SECONDS = 15.0
_LINES = 15


class LocalDeployer(ModelDeployer):
    """Serves a model over HTTP from a process of its own.

    A server that answers already gets the new model without a gap: it loads it beside the former one and exchanges
    them. One that is to answer for others than this machine needs MLPIPELINE_TOKEN in the environment.

    In a run of the queue no server is started, since whatever a run starts ends with it; one that is there gets the
    new model. `mlpipeline deployment run MODEL` starts one.

    Attributes:
        address: where it listens.
        port: 0 takes a free one, and keeps it from then on.
        wait_seconds: how long the new model may take to answer.
    """

    address: str = "127.0.0.1"
    port: int = 0
    wait_seconds: float = 120.0

    @side_effects
    def package_model(self, model: Resource, directory: Path) -> Sequence[Path]:
        """Writes the saved model and a script that serves it, and returns both."""
        place, _ = deployments.source(model)
        directory.mkdir(parents=True, exist_ok=True)
        target, script = directory / deployments.MODEL, directory / "serve.sh"
        shutil.copytree(place, target, dirs_exist_ok=True)
        name = deployments.slug(model.name)
        line = f'exec mlpipeline serve "{name}=$(dirname "$0")/{deployments.MODEL}" --address {self.address} "$@"'
        script.write_text(f"#!/bin/sh\n# Serves {name}; e.g. ./serve.sh --port 8321\n{line}\n")
        script.chmod(0o755)
        return [target, script]

    @side_effects
    def deploy_model(self, model: Resource) -> str:
        """Deploys a model, and returns where it answers once it does; what answered before under its name is replaced.

        Raises:
            DataFault: (a ValueError) there is no saved model that can be served.
            CommandFailed: the server does not answer; with what it said. What was deployed before stays.
        """
        directory = deployments.home(self, model.name)
        former = deployments.read(directory)
        before = _target(directory)
        digest = deployments.place_model(model, directory)
        wanted = Deployment(name=model.name, deployer=type(self).__name__, model=model.id, digest=digest)
        try:
            if former is not None and is_alive(former):
                found = self._exchanged(replace(wanted, **_where(former)), directory)
            elif "MLP_SUPERVISOR" in os.environ:
                deployments.write(directory, wanted)
                told = f"mlpipeline deployment run {model.name}"
                self.log(f"{model.id} is ready; whatever a run starts ends with it, so start its server by: {told}")
                return f"not started yet: {told}"
            else:
                found = self._started(wanted, directory, former)
        except BaseException:  # after Ctrl-C too, what answered before goes on
            if before is not None:
                deployments.point(directory, before)
            raise
        deployments.write(directory, found)
        deployments.forget_others(directory, digest)
        return str(found.url)

    @side_effects
    def stop(self, model: Resource) -> None:
        """Ends the server of a model; nothing where there is none."""
        stop(deployments.home(self, model.name))

    def _exchanged(self, wanted: Deployment, directory: Path) -> Deployment:
        """Waits until the server that is there answers with the new model."""
        deadline = time.monotonic() + self.wait_seconds
        while _digest(wanted) != wanted.digest:
            if not is_alive(wanted):
                return self._started(wanted, directory, wanted)
            if time.monotonic() > deadline:
                raise CommandFailed(f"{wanted.url} does not take the new model:\n{_log_end(directory)}")
            time.sleep(_PAUSE_SECONDS)
        return wanted

    def _started(self, wanted: Deployment, directory: Path, former: Deployment | None) -> Deployment:
        name, port = deployments.slug(wanted.name), self.port
        if not port and former is not None and former.url is not None:
            port = int(former.url.rpartition(":")[2].partition("/")[0])
        command = [sys.executable, "-m", "mlpipeline", "serve", f"{name}={directory / deployments.MODEL}"]
        command += ["--address", self.address, "--port", str(port), "--poll", str(_POLL_SECONDS), "--json"]
        said = directory / "server.out"
        process = _spawn(command, said, directory / "server.log")
        try:
            url = self._answers(process, said, directory)
        except BaseException:  # nobody would know of a server that was begun and not written down
            process.kill()
            process.wait(_END_SECONDS)
            raise
        started = process.create_time()
        return replace(wanted, url=f"{url}/{name}/predict", handle=str(process.pid), started=started)

    def _answers(self, process: Any, said: Path, directory: Path) -> str:
        import psutil

        deadline = time.monotonic() + self.wait_seconds
        while not (text := said.read_text("utf-8").strip()).endswith("}"):
            if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
                raise CommandFailed(f"mlpipeline serve has ended:\n{_log_end(directory)}")
            if time.monotonic() > deadline:
                raise CommandFailed(f"mlpipeline serve does not answer within {self.wait_seconds:g} s")
            time.sleep(_PAUSE_SECONDS)
        return str(json.loads(text)["url"])


def _spawn(command: Sequence[str], output: Path, log: Path) -> Any:
    """Starts a process of a session of its own, which nobody waits for."""
    import psutil

    flags = os.O_WRONLY | os.O_CREAT
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(output), flags | os.O_TRUNC, 0o600),
        (os.POSIX_SPAWN_OPEN, 2, str(log), flags | os.O_APPEND, 0o600),
    ]
    output.write_text("")
    return psutil.Process(os.posix_spawn(command[0], list(command), os.environ, file_actions=actions, setsid=True))


def is_alive(deployment: Deployment) -> bool:
    """Whether the process of a deployment is still there, and no other one has its id."""
    return _process(deployment) is not None


def stop(directory: Path) -> bool:
    """Ends the server of a deployment, by its id, and says whether there was one."""
    import psutil

    found = deployments.read(directory)
    process = None if found is None else _process(found)
    if found is None or process is None:
        return False
    try:
        process.terminate()
        try:
            process.wait(_END_SECONDS)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(_END_SECONDS)
    except psutil.NoSuchProcess:
        pass
    except psutil.AccessDenied as error:
        raise MlpipelineError(f"process {found.handle} is another user's: ask them to end it") from error
    deployments.write(directory, replace(found, handle=None, started=None))
    return True


def _process(deployment: Deployment) -> Any:
    import psutil

    if deployment.handle is None or deployment.started is None:
        return None
    try:
        found = psutil.Process(int(deployment.handle))
        is_it = found.create_time() == deployment.started and found.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return None
    return found if is_it else None


def _where(former: Deployment) -> dict[str, Any]:
    return {name: getattr(former, name) for name in ("url", "handle", "started")}


def _target(directory: Path) -> str | None:
    link = directory / deployments.MODEL
    return Path(os.readlink(link)).name if link.is_symlink() else None


def _digest(deployment: Deployment) -> str | None:
    """Returns the digest of the model that answers; None where nobody does."""
    base, _, path = str(deployment.url).removesuffix("/predict").rpartition("/")
    request = urllib.request.Request(f"{base}/openapi.json")
    if token := os.environ.get("MLPIPELINE_TOKEN"):
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            told = json.load(answer)
    except (urllib.error.URLError, OSError, ValueError):
        return None
    found = told["paths"].get(f"/{path}/predict", {}).get("post", {}).get("x-model-digest")
    return None if found is None else str(found)


def _log_end(directory: Path) -> str:
    log = directory / "server.log"
    text = log.read_text("utf-8", "replace") if log.exists() else ""
    return "\n".join(text.splitlines()[-_LINES:]) or "it said nothing"
