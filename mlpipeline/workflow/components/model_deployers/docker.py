"""The deployer that puts a model into a container image which serves it."""

from __future__ import annotations

import json
import platform
import shlex
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mlpipeline import __version__, wire
from mlpipeline.workflow.components import outside
from mlpipeline.workflow.components.model_deployers import deployments
from mlpipeline.workflow.components.model_deployers.deployments import Deployment
from mlpipeline.workflow.part import side_effects
from mlpipeline.workflow.types.contract import Resource
from mlpipeline.workflow.types.model import ModelDeployer

PORT = 8321
USER_ID = 10001
"""Of the user in the image: any above 10000, so that it is none of the host's."""
TOKEN = "MLPIPELINE_TOKEN"
_SYSTEM = {"lightgbm": "libgomp1"}
"""Packages of Debian that wheels need, and slim images lack."""


class DockerDeployer(ModelDeployer):
    """Writes a Dockerfile with all that it copies, builds the image, and runs it with the `docker` of this machine.

    Requests have to bring MLPIPELINE_TOKEN, which the container takes from the environment that it is started in; it
    stands in no file.

    Attributes:
        image: its name; by default the model's, tagged with the model's digest.
        base_image: on which it is built; by default that of this Python.
        package: of mlpipeline, as pip takes it; by default this version by name. A wheel in the working directory is
            copied into the image.
        address, port: of this machine, where the container answers.
    """

    image: str | None = None
    base_image: str | None = None
    package: str | None = None
    address: str = "127.0.0.1"
    port: int = PORT

    @side_effects
    def package_model(self, model: Resource, directory: Path) -> Sequence[Path]:
        """Writes Dockerfile, requirements, what Docker leaves out, and the model; returns them.

        Raises:
            DataFault: (a ValueError) there is no saved model that can be served.
        """
        place, _ = deployments.source(model)
        directory.mkdir(parents=True, exist_ok=True)
        shutil.copytree(place, directory / deployments.MODEL, dirs_exist_ok=True)
        requirements = _requirements(place)
        wheel = self._wheel(directory)
        files = {
            "Dockerfile": self._dockerfile(model, requirements, wheel),
            "requirements.txt": "".join(f"{line}\n" for line in requirements),
            ".dockerignore": f"*\n!requirements.txt\n!{deployments.MODEL}\n!*.whl\n",
        }
        for name, text in files.items():
            (directory / name).write_text(text)
        return [*(directory / name for name in files), directory / deployments.MODEL, *([wheel] if wheel else [])]

    def _wheel(self, directory: Path) -> Path | None:
        if self.package is None or not self.package.endswith(".whl") or not Path(self.package).is_file():
            return None
        return Path(shutil.copy(self.package, directory))

    def _dockerfile(self, model: Resource, requirements: Sequence[str], wheel: Path | None) -> str:
        name = deployments.slug(model.name)
        named = {line.partition("==")[0].lower() for line in requirements}
        system = sorted({package for library, package in _SYSTEM.items() if library in named})
        install = f"apt-get install --yes --no-install-recommends {' '.join(system)}"
        package = self.package or f"mlpipeline[serve]=={__version__}"
        python = ".".join(platform.python_version_tuple()[:2])
        served = [f"{name}=/srv/{deployments.MODEL}", "--address", "0.0.0.0", "--port", str(PORT)]
        check = f"import urllib.request as u; u.urlopen('http://127.0.0.1:{PORT}/healthz', timeout=3)"
        lines = [
            f"# {model.id!r}",
            f"FROM {self.base_image or f'python:{python}-slim'}",
            "ENV PYTHONUNBUFFERED=1",
            *([f"RUN apt-get update && {install} && rm -rf /var/lib/apt/lists/*"] if system else []),
            "WORKDIR /srv",
            "COPY requirements.txt ./",
            *([f"COPY {json.dumps([wheel.name, './'])}"] if wheel else []),
            "RUN python -m pip install --no-cache-dir --requirement requirements.txt "
            + shlex.quote(f"./{wheel.name}[serve]" if wheel else package),
            f"COPY {deployments.MODEL} ./{deployments.MODEL}",
            f"RUN useradd --create-home --uid {USER_ID} serve",
            f"USER {USER_ID}",
            f"EXPOSE {PORT}",
            f"HEALTHCHECK --start-period=60s CMD {json.dumps(['python', '-c', check])}",
            f"# Requests have to bring what {TOKEN} holds when the container is started.",
            f"ENTRYPOINT {json.dumps(['mlpipeline', 'serve', *served])}",
        ]
        return "\n".join(lines) + "\n"

    @side_effects
    def build_model(self, model: Resource, directory: Path) -> str:
        """Packages a model, builds its image, and returns what that is called.

        Raises:
            CommandFailed: docker is not there, or failed; with what it said.
        """
        self.package_model(model, directory)
        image = self.image or f"{deployments.slug(model.name)}:{model.digest[:12]}"
        outside.run(["docker", "build", "--tag", image, str(directory)])
        return image

    @side_effects
    def deploy_model(self, model: Resource) -> str:
        """Builds the image, starts a container of it in the place of the former one, and returns where it answers.

        Raises:
            CommandFailed: docker is not there, or failed; with what it said.
        """
        directory, name = deployments.home(self, model.name), deployments.slug(model.name)
        image = self.build_model(model, directory / "image")
        container = f"mlpipeline-{name}"
        if outside.run(["docker", "ps", "--all", "--quiet", "--filter", f"name=^{container}$"]).strip():
            outside.run(["docker", "rm", "--force", container])
        published = f"{self.address}:{self.port}:{PORT}"
        words = ["--detach", "--name", container, "--restart", "unless-stopped", "--publish", published]
        outside.run(["docker", "run", *words, "--env", TOKEN, image])
        url = f"http://{self.address}:{self.port}/{name}/predict"
        told = Deployment(name=model.name, deployer=type(self).__name__, model=model.id, digest=model.digest)
        deployments.write(directory, _answering(told, url, container))
        return url

    @side_effects
    def stop(self, model: Resource) -> None:
        """Removes the container of a model.

        Raises:
            CommandFailed: there is none, or docker failed; with what it said.
        """
        directory = deployments.home(self, model.name)
        outside.run(["docker", "rm", "--force", f"mlpipeline-{deployments.slug(model.name)}"])
        found = deployments.read(directory)
        if found is not None:
            deployments.write(directory, _answering(found, None, None))


def _answering(deployment: Deployment, url: str | None, handle: str | None) -> Deployment:
    return replace(deployment, url=url, handle=handle)


def _requirements(place: Path) -> list[str]:
    """Returns the exact versions of the libraries that the model was saved with."""
    told = wire.read_json(place / "manifest.json") or {}
    return [f"{name}=={version}" for name, version in sorted((told.get("libraries") or {}).items())]
