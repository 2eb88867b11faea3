"""The process of a task: it imports tasks/*.py, tells what is there, or runs one and logs that."""

from __future__ import annotations

import importlib.util
import inspect
import json
import logging
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mlpipeline.execution import failure

_NO_ARGUMENT = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_FORMAT = "%(asctime)s %(levelname)-7s %(message)s"


def main(path: str) -> None:
    """Reads a request: describes all tasks, or runs one and ends with its exit status."""
    request = json.loads(Path(path).read_text("utf-8"))
    root = Path(request["root"])
    sys.path[:0] = [str(root)]
    os.chdir(root)
    if "task" not in request:
        tasks, faults = describe(root)
        Path(request["answer"]).write_text(json.dumps({"tasks": tasks, "faults": faults}), "utf-8")
        return
    sys.exit(run(root, request["task"], request["values"], Path(request["log"])))


def describe(root: Path) -> tuple[dict[str, Any], list[str]]:
    """Returns the tasks by name, FILE.NAME, and what is wrong with files."""
    tasks: dict[str, Any] = {}
    faults: list[str] = []
    for path in sorted((root / "tasks").glob("[!_]*.py")):
        try:
            module = _imported(path)
        except BaseException as error:  # the user's code: whatever it raises is a fault of this file alone
            faults.append(f"tasks/{path.name}: {type(error).__name__}: {error}")
            continue
        for name, found in _tasks(module).items():
            tasks[f"{path.stem}.{name}"] = _told(found)
    return tasks, faults


def _imported(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(f"tasks.{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path.name} is no module's name")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _tasks(module: Any) -> dict[str, Any]:
    """Returns a module's own functions, and classes with `main`."""
    own = {name: each for name, each in vars(module).items() if getattr(each, "__module__", None) == module.__name__}
    return {
        name: each
        for name, each in own.items()
        if not name.startswith("_")
        and (inspect.isfunction(each) or (inspect.isclass(each) and inspect.isfunction(vars(each).get("main"))))
    }


def _called(found: Any) -> Callable[..., Any]:
    called: Callable[..., Any] = getattr(found(), "main") if inspect.isclass(found) else found  # noqa: B009
    return called


def _told(found: Any) -> dict[str, Any]:
    function = vars(found)["main"] if inspect.isclass(found) else found
    doc = inspect.getdoc(found) or inspect.getdoc(function) or ""
    arguments, fault = {}, ""
    for name, each in inspect.signature(function).parameters.items():
        if each.kind in _NO_ARGUMENT or (inspect.isclass(found) and name == "self"):
            continue
        if each.kind is inspect.Parameter.POSITIONAL_ONLY:
            fault = f"argument '{name}' has no name to give it by: leave the / out of the signature"
        is_required = each.default is inspect.Parameter.empty
        arguments[name] = {
            "kinds": _kinds(each),
            "default": None if is_required else repr(each.default),
            "is_required": is_required,
        }
    return {"doc": doc.partition("\n")[0], "arguments": arguments, "fault": fault}


def _kinds(parameter: inspect.Parameter) -> str:
    annotation, default = parameter.annotation, parameter.default
    if annotation is not inspect.Parameter.empty:
        return annotation.__name__ if isinstance(annotation, type) else str(annotation)
    plain = type(default) in (bool, int, float, str, list, tuple, dict)
    return type(default).__name__ if plain else ""


def run(root: Path, name: str, values: dict[str, Any], log: Path) -> int:
    """Runs a task; returns 0, or 1 where it raised, or what it returned where that is a whole number."""
    logger = logging.getLogger("mlpipeline.task")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    handler = logging.FileHandler(log, encoding="utf-8")
    handler.setFormatter(logging.Formatter(_FORMAT))
    logger.addHandler(handler)
    stem, _, function = name.partition(".")
    told = " ".join(f"{key}={each!r}" for key, each in values.items())
    logger.info("start %s%s", name, f" {told}" if told else "")
    began = time.monotonic()
    try:
        returned = _called(_tasks(_imported(root / "tasks" / f"{stem}.py"))[function])(**values)
    except KeyboardInterrupt:
        logger.info("interrupted %s after %.1f s", name, time.monotonic() - began)
        return 130
    except SystemExit as error:
        logger.info("ended %s after %.1f s: exit %r", name, time.monotonic() - began, error.code)
        raise
    except Exception as error:
        failure.show(error)
        logger.exception("failed %s after %.1f s", name, time.monotonic() - began)
        return 1
    logger.info("done %s in %.1f s%s", name, time.monotonic() - began, "" if returned is None else f": {returned!r}")
    if returned is not None and not isinstance(returned, int):
        sys.stdout.write(f"{returned}\n")
    return returned if type(returned) is int and 0 <= returned < 256 else 0
