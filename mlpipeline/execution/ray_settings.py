"""What `[RAY]` of mlp.config says: which cluster, what an attempt needs of it, and what is set up for it there."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from mlpipeline.config_text import near_miss
from mlpipeline.errors import ConfigurationError
from mlpipeline.execution.remote import silence
from mlpipeline.project import Project
from mlpipeline.settings import values_of
from mlpipeline.values import seconds, size, text

SECTION = "RAY"
_POLL_SECONDS = 1.0
_PASSED_ON = ("env_vars", "config", "container", "image_uri", "nsight", "worker_process_setup_hook")
"""What a runtime environment may have: the process that starts a run's supervisor has it, and hands it on."""
_INTERPRETER = "they have the interpreter that `python` in [RAY] names: install packages there"
_CODE = "their code is what the queue has copied, in the project that all nodes see"
_UNUSED = dict.fromkeys(("pip", "uv", "conda", "py_executable"), _INTERPRETER) | dict.fromkeys(
    ("working_dir", "py_modules", "excludes"), _CODE
)


def _address(value: str) -> str:
    if value.startswith("ray://"):
        raise ValueError("run the queue on a machine of the cluster, and give HOST:PORT of its head")
    return text(value)


def _amount(value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not 0 <= number < 1e6 or (number > 1 and number != int(number)):
        raise ValueError("a whole number is needed, or a fraction below 1")
    return number


def _resources(value: str) -> dict[str, float]:
    found = {}
    for part in filter(None, (each.strip() for each in value.split(","))):
        name, equals, amount = (each.strip() for each in part.partition("="))
        if not equals or not name:
            raise ValueError(f"{part!r} is not NAME=amount, as in `fast_disk=1, licence=0.5`")
        found[name] = _amount(amount)
    return found


def _runtime_env(value: str, root: Path) -> dict[str, Any]:
    """JSON in place, or in a file of the project's."""
    content = value if value.startswith("{") else (root / text(value)).read_text("utf-8")
    try:
        found = json.loads(content)
    except ValueError as error:
        raise ValueError(f"is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise ValueError('a JSON object is needed, as in {"env_vars": {"A": "1"}}')
    for name in found:
        if name in _UNUSED:
            raise ValueError(f"{name!r} would change nothing for runs: {_UNUSED[name]}")
        if name not in _PASSED_ON:  # Ray says nothing of a name that it does not know
            raise ValueError(f"{name!r} is not known.{near_miss(name, _PASSED_ON)} There is: {', '.join(_PASSED_ON)}")
    variables = found.get("env_vars", {})
    if not isinstance(variables, dict) or not all(isinstance(each, str) for each in variables.values()):
        raise ValueError('env_vars: names and texts are needed, as in {"A": "1"}')
    return found


_READERS: dict[str, Callable[[str], Any]] = {
    "address": _address,
    "cpus": _amount,
    "gpus": _amount,
    "memory": size,
    "resources": _resources,
    "python": text,
    "client_python": text,
    "token_file": text,
    "poll_seconds": seconds,
    "lease_seconds": seconds,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RaySettings:
    """The values in force.

    Attributes:
        address: `HOST:PORT` of the head; `auto` takes the cluster of this machine. It is one of the nodes.
        namespace: where the attempts' names stand in Ray: one for each project and host.
        cpus: what an attempt takes of a node's; None: as many as it has threads.
        gpus: where the model's line does not say it.
        memory: bytes, where the model's line does not say it; Ray counts them, and limits nothing.
        resources: further ones, by the names that the nodes give them.
        runtime_env: what Ray prepares on a node before the attempt starts there.
        python: the interpreter on the nodes.
        client_python: the interpreter that speaks with Ray; it has the cluster's versions of Ray and Python.
        token_file: what Ray's token authentication asks for.
        poll_seconds: how often the cluster is asked which attempts it has.
        lease_seconds: so long a supervisor on a node that Ray has lost may be silent before it counts as dead.
    """

    address: str = "auto"
    namespace: str = "mlpipeline"
    cpus: float | None = None
    gpus: float = 0.0
    memory: int | None = None
    resources: Mapping[str, float] = field(default_factory=dict)
    runtime_env: Mapping[str, Any] = field(default_factory=dict)
    python: str = sys.executable
    client_python: str = sys.executable
    token_file: str | None = None
    poll_seconds: float = _POLL_SECONDS
    lease_seconds: float = 30.0

    def needs(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        """Returns what an attempt asks of Ray, by the names of its options.

        Args:
            spec: the attempt's `spec.json`.
        """
        wanted: dict[str, Any] = {
            "num_cpus": self.cpus if self.cpus is not None else float(spec.get("threads") or 1),
            "num_gpus": float(spec["gpus"]) if spec.get("gpus") is not None else self.gpus,
        }
        if memory := spec.get("memory_limit") or self.memory:
            wanted["memory"] = int(memory)
        if self.resources:
            wanted["resources"] = dict(self.resources)
        if self.runtime_env:
            wanted["runtime_env"] = dict(self.runtime_env)
        return wanted


def read(project: Project) -> RaySettings:
    """Returns a project's settings.

    Raises:
        ConfigurationError: a key is not known, or its value cannot be read.
    """
    readers = _READERS | {"runtime_env": partial(_runtime_env, root=project.root)}
    values = values_of(project.settings, SECTION, readers)
    if values.get("lease_seconds", silence()) < silence():
        raise ConfigurationError(
            f"mlp.config: [{SECTION}] lease_seconds: must be {silence():g} or more: supervisors beat every few seconds"
        )
    if "token_file" in values:
        values["token_file"] = str(project.root / Path(values["token_file"]).expanduser())
    place = hashlib.sha256(os.fsencode(project.outputs_dir)).hexdigest()[:12]
    return RaySettings(namespace=f"mlpipeline-{project.host}-{place}", **values)
