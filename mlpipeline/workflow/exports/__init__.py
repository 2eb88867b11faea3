"""Writes a workflow out for tools that run it elsewhere: Prefect, Metaflow, Airflow, Docker, Kubernetes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from mlpipeline.config_text import near_miss
from mlpipeline.errors import ConfigurationError, NotWritable, UsageError
from mlpipeline.workflow import secrets
from mlpipeline.workflow.exports import airflow, dockerfile, kubernetes, metaflow, names, prefect, subject
from mlpipeline.workflow.exports.options import Options
from mlpipeline.workflow.exports.subject import Subject

Render = Callable[[Subject, Options, Path], dict[str, str]]
TARGETS: dict[str, Render] = {
    "prefect": prefect.render,
    "metaflow": metaflow.render,
    "airflow": airflow.render,
    "dockerfile": dockerfile.render,
    "kubernetes": kubernetes.render,
}


def export(
    target: str,
    files: Sequence[str | os.PathLike[str]],
    *,
    output: str | os.PathLike[str] | None = None,
    settings: Iterable[str] = (),
    version: str | None = None,
    options: Options | None = None,
    root: Path | None = None,
    overwrite: bool = False,
) -> tuple[Path, ...]:
    """Writes the files of an export, and returns them.

    Args:
        target: prefect, metaflow, airflow, dockerfile or kubernetes.
        files: of the workflow; each lies over those before it.
        output: a directory; by default `exports/NAME/TARGET` of the project.
        settings: `part.key=value`.
        version: which of its versions.
        root: the project's directory; by default the one that the first file lies in.
        overwrite: whether files that say something else are replaced.

    Raises:
        ConfigurationError: with everything that is wrong with the workflow, and secrets that would be written.
        UsageError: the target is unknown, or a file exists.
        NotWritable: the directory cannot be written.
    """
    if target not in TARGETS:
        raise UsageError(
            f"{target!r} is nothing to export for.{near_miss(target, TARGETS)} Known: {', '.join(TARGETS)}"
        )
    found = subject.read([Path(file) for file in files], settings=settings, version=version, root=root)
    name = names.slug(found.name, longest=200, allowed="A-Za-z0-9_.-")
    directory = found.root / "exports" / name / target if output is None else Path(output)
    texts = TARGETS[target](found, options or Options(), directory)
    paths = {directory / name: text for name, text in texts.items()}
    for path, text in paths.items():
        _refuse(path, text, found.hidden, overwrite=overwrite)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for path, text in paths.items():
            beside = path.with_name(f".{path.name}.{os.getpid()}.part")
            beside.write_bytes(text.encode("utf-8", "surrogateescape"))
            beside.replace(path)
    except OSError as error:
        raise NotWritable(f"{directory} cannot be written: {error.strerror or error}: name another with -o") from error
    return tuple(paths)


def _refuse(path: Path, text: str, hidden: frozenset[str], *, overwrite: bool) -> None:
    """Raises an error where a file must not be written."""
    if secrets.clean(text, hidden) != text:
        told = "a secret of the workflow would stand in it: take that from the environment, ${env:NAME}"
        raise ConfigurationError(f"{path} is not written: {told}")
    if not overwrite and path.exists() and path.read_bytes() != text.encode("utf-8", "surrogateescape"):
        raise UsageError(f"{path} exists, and says something else: remove it, or have it replaced with --force")
