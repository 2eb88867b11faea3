"""Builds a wheel and a source distribution, by hatchling, from a directory that is made for that."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from mlpipeline import __version__, errors
from mlpipeline.errors import MlpipelineError
from mlpipeline.scaffold.packaging.contents import Contents
from mlpipeline.scaffold.packaging.settings import PackageSettings

FORMATS = ("wheel", "sdist")


def build(settings: PackageSettings, contents: Contents, target: Path, formats: Sequence[str] = FORMATS) -> list[Path]:
    """Builds what pip installs, and returns the files. The same contents give the same bytes.

    Raises:
        MissingExtra: hatchling is not installed.
        MlpipelineError: it fails; the message is what it says.
    """
    errors.require("hatchling", extra="package")
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="mlpipeline-package-") as name:
        place, made = Path(name, "source"), Path(name, "made")
        for path, content in _tree(settings, contents).items():
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            (place / path).write_bytes(content)
        targets = [word for each in formats for word in ("-t", each)]
        command = [sys.executable, "-m", "hatchling", "build", "-d", str(made), *targets]
        done = subprocess.run(command, cwd=place, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode:
            raise MlpipelineError(
                f"the package cannot be built: hatchling says: {(done.stderr or done.stdout).strip()}"
            )
        return [_placed(each, target) for each in sorted(made.iterdir())]


def _placed(made: Path, target: Path) -> Path:
    """Copies a file beside its place first, since that may be on another disk: it appears whole."""
    beside = target / f".{made.name}"
    shutil.copyfile(made, beside)
    return beside.replace(target / made.name)


def _tree(settings: PackageSettings, contents: Contents) -> dict[str, bytes]:
    """Returns the files of the source distribution."""
    inner = {f"{settings.module}/{name}": content for name, content in contents.files.items()}
    for name in list(inner):
        if name.endswith(".py") and not name.startswith(f"{settings.module}/templates/"):
            for directory in PurePosixPath(name).parents:
                if directory.parts:
                    inner.setdefault(f"{directory}/__init__.py", b"")
    first = f'"""{settings.description}"""\n'
    if not inner.get(f"{settings.module}/__init__.py"):
        inner[f"{settings.module}/__init__.py"] = first.encode()
    return inner | {
        "pyproject.toml": project_file(settings, contents).encode(),
        "README.md": f"# {settings.name}\n\n{settings.description}\n".encode(),
    }


def project_file(settings: PackageSettings, contents: Contents) -> str:
    """Returns pyproject.toml. Texts are written as JSON, which TOML's basic strings take."""
    requires = [f"mlpipeline[workflow]>={__version__}", *settings.requires]
    lines = [
        "[build-system]",
        'requires = ["hatchling"]',
        'build-backend = "hatchling.build"',
        "",
        "[project]",
        f"name = {json.dumps(settings.name)}",
        f"version = {json.dumps(settings.version)}",
        f"description = {json.dumps(settings.description)}",
        'readme = "README.md"',
        'requires-python = ">=3.11"',
        f"dependencies = {json.dumps(requires)}",
    ]
    for kind, parts in contents.parts.items():
        lines += ["", f'[project.entry-points."mlpipeline.{kind}"]']
        lines += [f"{json.dumps(name)} = {json.dumps(target)}" for name, target in sorted(parts.items())]
    lines += ["", "[tool.hatch.build]", f"include = [{json.dumps('/' + settings.module)}]", "ignore-vcs = true", ""]
    return "\n".join(lines)
