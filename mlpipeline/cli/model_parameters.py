"""What may be changed of a model, by address and type: asked of a child process, which imports the user's file."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlpipeline.execution.environment import PACKAGE_PARENT

if TYPE_CHECKING:
    from mlpipeline.cli.typed import Parameter
    from mlpipeline.project import Project

_CODE = (
    "import sys; sys.path[:] = [p for p in sys.path if p] + [sys.argv[1]]; "
    "from mlpipeline.cli.model_parameters import main; main(sys.argv[2])"
)
_PUBLISHED = {"epochs": "int | float", "batch_size": "int", "learning_rate": "float"}
_PLAIN = (bool, int, float, str, list, tuple, dict)
_NO_PARAMETERS = ("name", "order", "model_dir_suffix", "dataloader", "dataset", "estimator", "hooks", "epoc_count")


def ask(project: Project, model: str, version: str, python: str | None) -> dict[str, Parameter]:
    """Returns all parameters of a model by address.

    Args:
        project: whose model.
        model: its name.
        version: whose values are the defaults.
        python: the model's own interpreter, where it has one.

    Raises:
        ModelFault: the file cannot be imported.
    """
    from mlpipeline.cli.typed import Parameter
    from mlpipeline.errors import ModelFault

    with tempfile.TemporaryDirectory(prefix="mlpipeline-parameters-") as place:
        request, answer = Path(place, "request.json"), Path(place, "answer.json")
        told = {"root": str(project.root), "models_dir": str(project.models_dir), "model": model, "version": version}
        request.write_text(json.dumps(told | {"answer": str(answer)}), "utf-8")
        done = subprocess.run(
            [python or project.settings.python or sys.executable, "-c", _CODE, PACKAGE_PARENT, str(request)],
            env={**os.environ, **project.settings.env, "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=project.settings.describe_timeout_seconds,
            check=False,
        )
        if not answer.exists():
            lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
            raise ModelFault(f"{model}: its parameters cannot be told: {lines[-1]}")
        found = json.loads(answer.read_text("utf-8"))
    return {name: Parameter(**each) for name, each in found.items()}


def main(path: str) -> None:
    """Reads a request, and writes the answer."""
    from mlpipeline.execution import loader, snapshot

    request = json.loads(Path(path).read_text("utf-8"))
    root, models_dir = Path(request["root"]), Path(request["models_dir"])
    os.chdir(root)
    place = snapshot.Place(root=root, models_dir=models_dir, main=models_dir / request["model"])
    finder = loader.install(place, snapshot.closure(place), lambda *_: None)
    model = loader.load_main(finder).MODEL
    found = of(model, request["version"])
    Path(request["answer"]).write_text(json.dumps(found), "utf-8")
    sys.stdout.flush()
    os._exit(0)  # threads and exit hooks of imported packages are none of ours


def of(model: Any, version: str) -> dict[str, dict[str, Any]]:
    """Returns the parameters of a model object: those of the version, and those of its parts."""
    found = {name: _told(kinds, None) for name, kinds in _PUBLISHED.items()}
    chosen = model.versions.getVersion(version) if version in model.versions.versions else {}
    for name, value in chosen.items():
        if name not in _NO_PARAMETERS and value is not None:
            found[name] = _told(_PUBLISHED.get(name) or _kind_of(value), value)
    if (epochs := getattr(chosen, "epochs", None)) is not None:
        found["epochs"] = _told(_PUBLISHED["epochs"], epochs)
    for part in ("estimator", "dataset"):
        owner = getattr(model, part, None)
        for name, each in _of_part(owner).items() if owner is not None else ():
            found.setdefault(f"{part}__{name}", each)
    return found


def _of_part(owner: Any) -> dict[str, dict[str, Any]]:
    """Returns what a part's constructor takes, the parameters of its own parts, and the options of its classes."""
    taken = inspect.signature(type(owner).__init__).parameters
    plain = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    named = {name: each for name, each in taken.items() if name != "self" and each.kind in plain}
    values = owner.get_params() if hasattr(owner, "get_params") else {}
    found = {name: _told(_kind_of(value), value) for name, value in values.items()}
    for name, each in named.items():
        kinds = _text(each.annotation) or _kind_of(each.default)
        found[name] = _told(kinds, values.get(name, getattr(owner, name, None)))
    for kind in type(owner).__mro__:
        for name in vars(kind).get("OPTIONS", ()):
            annotations = vars(kind).get("__annotations__", {})
            value = getattr(owner, name, None)
            found.setdefault(name, _told(_text(annotations.get(name)) or _kind_of(value), value))
    return found


def _told(kinds: str, value: Any) -> dict[str, Any]:
    return {"kinds": kinds, "default": None if value is None else repr(value)[:80]}


def _text(annotation: Any) -> str:
    if annotation is None or annotation is inspect.Parameter.empty:
        return ""
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


def _kind_of(value: Any) -> str:
    """Returns the type of a value where it is a plain one: another value of the parameter will be so too."""
    return type(value).__name__ if type(value) in _PLAIN else ""
