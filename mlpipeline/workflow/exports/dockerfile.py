"""Writes a Dockerfile that runs a workflow, with the exact versions of what is installed here."""

from __future__ import annotations

import json
import platform
import re
import shlex
from collections.abc import Iterable
from pathlib import Path

from mlpipeline import __version__
from mlpipeline.errors import ConfigurationError, UsageError
from mlpipeline.execution import env_lock
from mlpipeline.workflow.exports.names import slug
from mlpipeline.workflow.exports.options import Options
from mlpipeline.workflow.exports.python_code import comment
from mlpipeline.workflow.exports.subject import Subject

USER_ID = 10001
"""Of the user in the image: any above 10000, so that it is none of the host's."""
_IGNORED = """\
# Never part of the image: what git keeps, environments, results, caches; and files that mostly hold secrets.
.git
**/.venv
**/venv
**/__pycache__
**/*.pyc
**/.*_cache
.mlpipeline
**/outputs
**/.env
**/.env.*
**/*.env
**/*.key
**/*.pem
**/.netrc
**/.pgpass
config/database.cfg
"""
_SPECIAL = re.compile(r"[$*?\[\]\\\x00-\x1f]")
_SYSTEM = {"lightgbm": "libgomp1"}
"""Packages of Debian that wheels need, and slim images lack."""


def render(subject: Subject, options: Options, directory: Path) -> dict[str, str]:
    """Returns the files by name: Dockerfile, what Docker leaves out, requirements.

    Raises:
        ConfigurationError: a secret stands in the workflow's files, which the image would hold.
        UsageError: the files do not lie in the project, from where alone Docker copies.
    """
    if subject.secrets:
        raise ConfigurationError(faults=subject.secrets)
    own = _within(subject, directory)
    requirements = _requirements(subject.root)
    lines = [
        "# Written by `mlpipeline export workflow dockerfile`. In the project's directory:",
        f"#   docker build --file {shlex.quote(f'{own}Dockerfile')} --tag {options.image or slug(subject.name)} .",
        f"#   docker run --rm {_variables(subject)}{options.image or slug(subject.name)}",
        f"FROM python:{'.'.join(platform.python_version_tuple()[:2])}-slim",
        "ENV PYTHONUNBUFFERED=1",
        *_system(requirements),
        f"COPY {json.dumps([f'{own}requirements.txt', '/tmp/'])}",
        "RUN python -m pip install --no-cache-dir --no-deps --requirement /tmp/requirements.txt",
        "# A wheel in the project, or a URL, is installed instead: --build-arg MLPIPELINE=./wheels/mlpipeline.whl",
        f"ARG MLPIPELINE=mlpipeline=={__version__}",
        f"RUN useradd --create-home --uid {USER_ID} mlpipeline",
        "WORKDIR /app",
        f"COPY --chown={USER_ID}:{USER_ID} . .",
        'RUN python -m pip install --no-cache-dir --no-deps "$MLPIPELINE" && chown mlpipeline /app',
        f"USER {USER_ID}",
        f"ENTRYPOINT {json.dumps(['mlpipeline', *subject.words])}",
    ]
    files = {"Dockerfile": "\n".join(lines) + "\n", "Dockerfile.dockerignore": _IGNORED}
    return files | {"requirements.txt": "\n".join(requirements) + "\n"}


def _within(subject: Subject, directory: Path) -> str:
    place = directory.resolve()
    if not place.is_relative_to(subject.root):
        raise UsageError(
            f"{directory} lies outside the project {subject.root}, from where alone Docker copies files: name another"
        )
    outside = [each for each in subject.sources if Path(each).is_absolute()]
    if outside:
        raise UsageError(
            f"{outside[0]} lies outside the project {subject.root}: the image would not hold it: move it there"
        )
    relative = place.relative_to(subject.root).as_posix()
    if _SPECIAL.search(relative):
        raise UsageError(f"{relative!r} means something else to Docker: name a directory without $ * ? [ ] \\")
    return "" if relative == "." else f"{relative}/"


def _variables(subject: Subject) -> str:
    return "".join(f"--env {comment(each.name)} " for each in subject.variables)


def _requirements(root: Path) -> list[str]:
    """Returns the project's own lock, where it has one; else what is installed here."""
    lock = root / env_lock.NAME
    if lock.is_file():
        return lock.read_text("utf-8").splitlines()
    return env_lock.listing()


def _system(requirements: Iterable[str]) -> list[str]:
    names = {line.partition("==")[0].strip().lower() for line in requirements}
    wanted = sorted({package for name, package in _SYSTEM.items() if name in names})
    if not wanted:
        return []
    install = f"apt-get install --yes --no-install-recommends {' '.join(wanted)}"
    return [f"RUN apt-get update && {install} && rm -rf /var/lib/apt/lists/*"]
