"""Where templates are found by name: the project's, the user's, built in, in installed packages, at a path, in git."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from mlpipeline import plugins
from mlpipeline.config_text import near_miss, shown
from mlpipeline.errors import MlpipelineError, UsageError
from mlpipeline.scaffold.template import Template

DIRECTORY = "templates"
DEFAULT = "default"
POINT = "template"
"""Packages offer `mlpipeline.template`: `component.mine = my_parts.templates.component.mine`, a directory of theirs."""
_REMOTE = ("git+", "https://", "http://", "ssh://", "file://", "git@")


@contextlib.contextmanager
def template(kind: str, name: str, root: Path | None) -> Iterator[Template]:
    """Finds a template; what was fetched for it is removed afterwards.

    Args:
        kind: what it makes: `component`, `project`.
        name: of a template; or a path with a slash in it; or the URL of a git repository.
        root: the project, whose own templates come first.

    Raises:
        UsageError: there is none; the message names the nearest.
        MlpipelineError: the repository cannot be fetched.
    """
    if name.startswith(_REMOTE) or name.endswith(".git"):
        with tempfile.TemporaryDirectory(prefix="mlpipeline-template-") as place:
            _clone(name.removeprefix("git+"), Path(place, "template"))
            yield Template(name=name, directory=Path(place, "template"), where=name)
    elif "/" in name or name in (".", ".."):
        directory = Path(name).expanduser()
        if not directory.is_dir():
            raise UsageError(f"--template {shown(name)}: there is no such directory (mlpipeline list templates)")
        yield Template(name=name, directory=directory.resolve(), where=name)
    else:
        yield _by_name(kind, name, root)


def _by_name(kind: str, name: str, root: Path | None) -> Template:
    known = templates(kind, root)
    found = next((each for each in known if each.name == name), None)
    if found is None:
        names = list(dict.fromkeys(each.name for each in known))
        raise UsageError(
            f"there is no template '{shown(name)}' for a {kind}.{near_miss(name, names)} There are "
            f"{', '.join(names)}; or give a path or the URL of a git repository"
        )
    return found


def templates(kind: str, root: Path | None) -> list[Template]:
    """Returns all templates of a kind; of those of one name, the first is used."""
    found = []
    for place, where in _places(root):
        found += [Template(name=each.name, directory=each, where=where) for each in _directories(place / kind)]
    return found + list(_installed(kind))


def kinds(root: Path | None) -> list[str]:
    """Returns what there are templates for."""
    found = {each.name for place, _ in _places(root) for each in _directories(place)}
    return sorted(found | {name.partition(".")[0] for name in plugins.names(POINT)})


def _directories(place: Path) -> list[Path]:
    inner = sorted(place.iterdir()) if place.is_dir() else []
    return [each for each in inner if each.is_dir() and not each.name.startswith((".", "__"))]


def _places(root: Path | None) -> Iterator[tuple[Path, str]]:
    if root is not None:
        yield root / DIRECTORY, f"{DIRECTORY}/"
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    yield Path(base, "mlpipeline", DIRECTORY), str(Path(base, "mlpipeline", DIRECTORY))
    yield Path(__file__).parent / DIRECTORY, plugins.BUILT_IN


def _installed(kind: str) -> Iterator[Template]:
    for name, origins in plugins.origins(POINT).items():
        if name.startswith(f"{kind}."):
            yield _offered(name.removeprefix(f"{kind}."), plugins.target(POINT, name) or "", ", ".join(origins))


def _offered(name: str, target: str, where: str) -> Template:
    try:
        spec = find_spec(target.replace(":", "."))
        places = [] if spec is None else list(spec.submodule_search_locations or ())
        fault = None if places else f"{target} is no directory of the package: mend or uninstall it"
    except Exception as error:  # whatever a stranger's package raises must not hide the other templates
        places, fault = [], f"{type(error).__name__}: {error}; mend or uninstall the package that offers it"
    return Template(name=name, directory=Path(places[0] if places else "."), where=where, fault=fault)


def _clone(url: str, target: Path) -> None:
    # Nothing of the repository's is run, and no password is asked for.
    command = ["git", "clone", "--quiet", "--depth", "1", "--", url, str(target)]
    try:
        done = subprocess.run(
            command, env=os.environ | {"GIT_TERMINAL_PROMPT": "0"}, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, check=False,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise MlpipelineError(f"--template {shown(url)}: git is not installed: install it, or give a path") from error
    if done.returncode:
        raise MlpipelineError(f"--template {shown(url)}: git says: {done.stderr.strip()}")
