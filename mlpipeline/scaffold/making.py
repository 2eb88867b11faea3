"""Makes a new thing of a project, or a project: a name is checked, a template found, rendered and written."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from mlpipeline import plugins
from mlpipeline.errors import MlpipelineError, UsageError
from mlpipeline.project import Project
from mlpipeline.scaffold import projects, shelf, types
from mlpipeline.scaffold.names import Name
from mlpipeline.scaffold.writing import write
from mlpipeline.workflow.classes import LEVELS

_TOP_LEVEL = ("model", "dataset")
"""What is imported by its bare name, so that no other module may be called the same."""


def make(
    project: Project, kind: str, text: str, *, template: str | None = None, type_name: str | None = None
) -> list[str]:
    """Makes one thing, and returns the files' paths.

    Args:
        kind: model, dataset, component, ...: see `mlpipeline create --help`.
        text: its name in any case.
        template: a name, a path or a URL; by default the type's, or the one called `default`.
        type_name: of a component: the class of its type.

    Raises:
        UsageError: the name cannot be one, or there is no such template or type.
        MlpipelineError: it is there already.
    """
    name = Name.read(text)
    _check(project, kind, name)
    values = _values(project, name)
    if template is None and type_name is not None and type_name not in types.BUILT_IN:
        return write(project.root, types.own(project.root, type_name, name))
    if type_name is not None:
        values |= {"type_name": type_name}
    with shelf.template(kind, template or type_name or shelf.DEFAULT, project.root) as found:
        return write(project.root, found.render(values))


def make_project(directory: Path, template: str, data: str = "none") -> list[str]:
    """Makes a project in a directory, new or not, and returns the files' paths.

    Args:
        template: a name, a path or a URL.
        data: where rows come from: a key of `projects.DATA`.

    Raises:
        UsageError: there is no such template, or it has no such data.
        MlpipelineError: some of its files are there already.
    """
    path = directory.resolve()
    with shelf.template("project", template, None) as found:
        return write(path, projects.files(found, data, _names(path)))


def _names(path: Path) -> dict[str, str]:
    module = re.sub(r"\W+", "_", path.name.lower(), flags=re.ASCII).strip("_")
    return {
        "project_name": path.name,
        "package_name": re.sub(r"[^a-z0-9]+", "-", path.name.lower()).strip("-") or "project",
        "module_name": module or "project",
    } | projects.versions()


def _values(project: Project, name: Name) -> dict[str, str]:
    models = project.relative(project.models_dir)
    if models == ".." or models.startswith("../"):
        raise UsageError(f"models_dir of mlp.config is {models}, outside of {project.root}: nothing is created there")
    return {
        "module_name": name.module,
        "class_name": name.kind,
        "command_name": name.command,
        "title": name.title,
        "models_dir": models,
        "project_name": project.root.name,
    } | projects.versions()


def _check(project: Project, kind: str, name: Name) -> None:
    """Refuses a name that would hide something, or be hidden.

    Raises:
        UsageError: a module of that name can be imported from elsewhere, or something of that name is built in.
        MlpipelineError: a class of that name is there already.
    """
    if kind in _TOP_LEVEL:
        file = _file_of(name.module)
        is_installed = file is not None and not file.is_relative_to(project.root)
        if name.module in sys.stdlib_module_names or is_installed:
            raise UsageError(f"'{name.module}' is a module that is installed: choose another name")
    if kind in LEVELS:
        _check_class(project, kind, name)


def _file_of(module: str) -> Path | None:
    """Returns the file that a module is, or would be, imported from; None where there is none."""
    from importlib.util import find_spec

    if module in sys.modules:
        origin = getattr(sys.modules[module], "__file__", None)
    else:
        spec = find_spec(module)
        origin = None if spec is None else spec.origin
    return None if origin is None else Path(os.path.realpath(origin))


def _check_class(project: Project, kind: str, name: Name) -> None:
    if plugins.origins(kind).get(name.kind, ())[:1] == (plugins.BUILT_IN,):
        raise UsageError(f"{kind} '{name.kind}' is built in: choose another name")
    files = types.defined(project.root).get(name.kind)
    if files:
        raise MlpipelineError(f"there is a class {name.kind} already, in {', '.join(files)}: choose another name")
