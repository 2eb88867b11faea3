"""Commands that open the project to a person: a console, and notebooks."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import click

from mlpipeline.cli.setup import Setup, shared
from mlpipeline.execution.environment import PACKAGE_PARENT

if TYPE_CHECKING:
    from mlpipeline.project import Project

ENVIRONMENT = "MLP_ENV"
"""The variable that names what is worked on: development (where nothing is said), test, production."""
_CODE = (
    "import sys; sys.path[:] = [p for p in sys.path if p] + [sys.argv[1]]; "
    "from mlpipeline.cli.console_process import main; main(sys.argv[2], plain=sys.argv[3] == 'plain')"
)
# Lab asks the network for news, for releases and for extensions, unless it is told not to.
_QUIET_LAB = [
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    "--LabApp.extension_manager=readonly",
    "--LabApp.news_url=",
]
_PASSED_ON = {"ignore_unknown_options": True}


def environment_of(project: Project) -> dict[str, str]:
    """Returns the variables of a process that works in the project: its modules can be imported."""
    variables = {ENVIRONMENT: "development", **os.environ, **project.settings.env}
    places = [str(project.root), str(project.models_dir), *filter(None, [variables.get("PYTHONPATH")])]
    return variables | {"PYTHONPATH": os.pathsep.join(places)}


def python_of(project: Project) -> str:
    """Returns the project's interpreter."""
    return project.settings.python or sys.executable


def has(python: str, module: str) -> bool:
    """Whether an interpreter can import a module."""
    if python == sys.executable:
        from importlib.util import find_spec

        return find_spec(module) is not None
    code = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({module!r}) is None)"
    return subprocess.run([python, "-c", code], stdin=subprocess.DEVNULL, check=False).returncode == 0


def attended(command: list[str], project: Project, variables: dict[str, str]) -> int:
    """Runs a program that has the terminal, and returns its exit status.

    Ctrl-C is for that program to judge, and so are the signals that would end this process.
    """
    process = subprocess.Popen(command, cwd=project.root, env=variables)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: process.send_signal(number))
    while True:
        with contextlib.suppress(KeyboardInterrupt):
            status = process.wait()
            return 128 - status if status < 0 else status


@click.command()
@click.option("--plain", is_flag=True, help="Python's own console, also where IPython is installed.")
@shared
@click.pass_context
def console(context: click.Context, plain: bool) -> None:
    """Open a Python console in the project: its modules can be imported, and the banner says which environment it is.

    IPython where it is installed; its history lies among the outputs. MLP_ENV=production names another environment.

    \b
    mlpipeline console
    echo 'print(1)' | mlpipeline console --plain
    """
    setup: Setup = context.find_root().obj
    project = setup.project()
    variables = environment_of(project)
    variables["IPYTHONDIR"] = str(project.outputs_dir / "ipython")
    with contextlib.suppress(OSError):  # without the directory IPython keeps no history, and says so
        (project.outputs_dir / "ipython").mkdir(parents=True, exist_ok=True)
    story = {"name": project.root.name, "root": str(project.root), "environment": variables[ENVIRONMENT]}
    command = [python_of(project), "-c", _CODE, PACKAGE_PARENT, json.dumps(story), "plain" if plain else ""]
    context.exit(attended(command, project, variables))


@click.command(context_settings=_PASSED_ON)
@click.argument("words", metavar="[JUPYTER OPTIONS]...", nargs=-1, type=click.UNPROCESSED)
@click.option("--lab", is_flag=True, help="JupyterLab, also where the classic notebook is installed.")
@click.option("--port", default=8888, show_default=True, metavar="N", type=click.IntRange(1, 65535))
@click.option("--no-browser", is_flag=True, help="Open no browser.")
@shared
@click.pass_context
def notebook(context: click.Context, words: tuple[str, ...], lab: bool, port: int, no_browser: bool) -> None:
    """Open Jupyter in the project, on this machine only; its kernel can import the project's modules.

    Nothing is written outside the project: settings and kernels of Jupyter lie among the outputs.

    \b
    mlpipeline notebook
    mlpipeline notebook --lab --port 9000 --no-browser
    """
    setup: Setup = context.find_root().obj
    project = setup.project()
    module = _server(python_of(project), lab=lab)
    variables = environment_of(project) | _places(project)
    _write_kernel(project, variables)
    command = [python_of(project), "-m", module, f"--port={port}", "--ServerApp.ip=127.0.0.1"]
    command += [f"--ServerApp.root_dir={project.root}", "--MappingKernelManager.default_kernel_name=mlpipeline"]
    command += ["--no-browser"] if no_browser else []
    command += _QUIET_LAB if module == "jupyterlab" else []
    context.exit(attended([*command, *words], project, variables))


def _server(python: str, *, lab: bool) -> str:
    """Returns the module that serves notebooks.

    Raises:
        MissingExtra: none is installed, or no kernel.
    """
    from mlpipeline.errors import MissingExtra

    found = [each for each in ("jupyterlab", "notebook") if has(python, each)]
    if not found or not has(python, "ipykernel") or (lab and "jupyterlab" not in found):
        missing = "ipykernel" if found and not has(python, "ipykernel") else "jupyterlab"
        raise MissingExtra(f"{missing} is not installed: pip install 'mlpipeline[notebook]'")
    return "jupyterlab" if lab else found[-1]


def _places(project: Project) -> dict[str, str]:
    place = project.outputs_dir / "jupyter"
    kinds = {"JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data", "JUPYTER_RUNTIME_DIR": "runtime"}
    kinds |= {"IPYTHONDIR": "ipython", "JUPYTERLAB_SETTINGS_DIR": "lab", "JUPYTERLAB_WORKSPACES_DIR": "workspaces"}
    return {name: str(place / kind) for name, kind in kinds.items()}


def _write_kernel(project: Project, variables: dict[str, str]) -> None:
    """Writes the kernel that notebooks of this project use.

    Raises:
        NotWritable: the outputs cannot be written.
    """
    from mlpipeline import wire
    from mlpipeline.errors import NotWritable

    place = project.outputs_dir / "jupyter" / "data" / "kernels" / "mlpipeline"
    kernel = {
        "argv": [python_of(project), "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": f"{project.root.name} ({variables[ENVIRONMENT]})",
        "language": "python",
        "env": {name: variables[name] for name in ("PYTHONPATH", ENVIRONMENT)},
    }
    try:
        place.mkdir(parents=True, exist_ok=True)
        wire.write_json(place / "kernel.json", kernel)
    except OSError as error:
        raise NotWritable(f"{place}: cannot be written ({error.strerror}): mend its permissions") from error
