"""What an export needs to know of a workflow: files, tasks, parameters, variables; and that no secret stands in it."""

from __future__ import annotations

import keyword
import os
import re
import typing
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlpipeline.config_text import Fault
from mlpipeline.errors import ConfigurationError, UsageError
from mlpipeline.workflow import document as documents
from mlpipeline.workflow import secrets
from mlpipeline.workflow.document import Document
from mlpipeline.workflow.exports.tasks import Task, tasks
from mlpipeline.workflow.links import CONFIG, WHOLE
from mlpipeline.workflow.node import Node, Place
from mlpipeline.workflow.planned import Plan
from mlpipeline.workflow.runner import Runner, load
from mlpipeline.workflow.sources import Sources
from mlpipeline.workflow.wants import wants

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LINK = re.compile(r"\$\$|\$\{([^{}]*)\}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_STAND_IN = "stand-in"
"""What a secret is taken for while the workflow is only looked at: its variable need not be set for that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A value of the workflow's own `config` that may be given when it is run.

    Attributes:
        kind: str, int, float, bool, list or dict: what it is in the file.
    """

    name: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A variable of the environment that the workflow reads."""

    name: str
    optional: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A workflow that is to be exported.

    Attributes:
        name: of its last file, without the suffix; of a version, followed by a dash and its name.
        runner: what `run workflow` calls it.
        root: the project's directory.
        files: relative to the root where they lie in it.
        settings: `part.key=value`.
        sources: every file that was read, those that are included as well; relative to the root.
        secrets: a fault for each secret that stands in the files.
        hidden: texts that must not be written, wherever they stand.
    """

    name: str
    runner: str
    root: Path
    files: tuple[str, ...]
    settings: tuple[str, ...]
    version: str | None
    sources: tuple[str, ...]
    tasks: tuple[Task, ...]
    parameters: tuple[Parameter, ...]
    variables: tuple[Variable, ...]
    secrets: tuple[Fault, ...]
    hidden: frozenset[str]

    @property
    def words(self) -> tuple[str, ...]:
        """Returns the words behind `mlpipeline` that run it, in the project's directory."""
        files = [word for file in self.files for word in ("--config-file", file)]
        version = [] if self.version is None else ["--version", self.version]
        return ("run", "workflow", self.runner, *files, *(f"--set={each}" for each in self.settings), *version)


def read(
    files: Sequence[Path], *, settings: Iterable[str] = (), version: str | None = None, root: Path | None = None
) -> Subject:
    """Reads and verifies a workflow. Nothing is built; secret variables need not be set.

    Raises:
        ConfigurationError: with everything that is wrong, and every secret among the settings: they would be written.
        UsageError: its runner has no `main`.
    """
    settings = tuple(settings)
    sources = Sources(root) if root is not None else Sources.beside(Path(files[0]))
    document = documents.load(list(files), settings=settings, sources=sources)
    if faults := [*document.faults, *_in_settings(document)]:
        raise ConfigurationError(faults=faults)
    variables = tuple(_variables(document))
    runner = _runner(document, variables, version)
    names = [sources.relative(Path(os.path.abspath(file))) for file in files]
    stem = Path(names[-1]).stem
    return Subject(
        name=stem if version is None else f"{stem}-{version}",
        runner=_runner_name(document),
        root=sources.root,
        files=tuple(names),
        settings=settings,
        version=version,
        sources=tuple(dict.fromkeys(document.files)),
        tasks=tasks(runner.plan),
        parameters=tuple(_parameters(document.root.get(CONFIG), runner.plan)),
        variables=variables,
        secrets=tuple(_secrets(document.root)),
        hidden=runner.plan.hidden - {_STAND_IN},
    )


def _runner(document: Document, variables: Iterable[Variable], version: str | None) -> Runner:
    """Plans the workflow and each of its versions; variables that hold secrets have another value meanwhile."""
    names = [each.name for each in variables if secrets.is_secret(each.name)]
    before = {name: os.environ[name] for name in names if name in os.environ}
    os.environ.update(dict.fromkeys(names, _STAND_IN))
    try:
        runner = load(document, lazy=True, version=version)
        runner.verify_versions()
    finally:
        for name in names:
            del os.environ[name]
        os.environ.update(before)
    kinds = {part.name: part.kind for part in runner.plan.root.parts() if part.level.name != "component"}
    if type(runner).main is Runner.main and runner.plan.root.steps is None:
        without = [name for name, kind in kinds.items() if not callable(getattr(kind, "main", None))]
        if without or not kinds:
            told = f"{', '.join(without)} without main" if without else "no pipelines"
            raise UsageError(f"{document.files[-1]} has {told}: name a runner with a main of its own, or list steps")
    return runner


def _runner_name(document: Document) -> str:
    declared = document.root.get("runner")
    is_name = declared is not None and isinstance(declared.value, str) and "$" not in declared.value
    return str(declared.value) if declared is not None and is_name else "Runner"


def _variables(document: Document) -> Iterator[Variable]:
    found: dict[str, bool] = {}
    faults = []
    changes = [node for _, node in document.settings]
    for place, text in [pair for node in (document.root, *changes) for pair in _texts(node)]:
        for link in _LINK.finditer(text):
            if (link[1] or "").strip().startswith("env:"):
                name, comma, _ = link[1].strip().removeprefix("env:").partition(",")
                name = name.strip()
                if not _VARIABLE.fullmatch(name):
                    told = f"no variable can be called {name!r}: use letters, digits and underscores"
                    faults.append(place.fault(told))
                found[name] = found.get(name, True) and bool(comma)
    if faults:
        raise ConfigurationError(faults=faults)
    for name, optional in sorted(found.items()):
        yield Variable(name=name, optional=optional)


def _texts(node: Node) -> Iterator[tuple[Place, str]]:
    if type(node.value) is list:
        for each in node.value:
            yield from _texts(each)
    elif isinstance(node.value, str):
        yield node.place, node.value
    for _, each in node.items():  # noqa: PERF102 - a node, which is no dict
        yield from _texts(each)


def _parameters(config: Node | None, plan: Plan) -> Iterator[Parameter]:
    for key, node in () if config is None else config.items():
        name, value = str(key), node.plain()
        is_name = name.isidentifier() and not keyword.iskeyword(name) and not name.startswith("_") and name.isascii()
        is_linked = any("$" in text for _, text in _texts(node))
        if is_name and value is not None and not is_linked and not secrets.is_secret(name):
            yield Parameter(name=name, kind=_kind(name, value, plan))


def _kind(name: str, value: Any, plan: Plan) -> str:
    """Returns what a value is; a whole number is a float where that is what somebody reads."""
    for part in plan.root.walk() if type(value) is int else ():
        key = None if part.kind is None else wants(part.kind).keys.get(name)
        if key is not None and (key.annotation is float or float in typing.get_args(key.annotation)):
            return "float"
    return type(value).__name__


def _in_settings(document: Document) -> Iterator[Fault]:
    """Yields a fault for each secret among what `--set` gives."""
    for address, node in document.settings:
        yield from _secrets(node, secret=any(map(secrets.is_secret, address.split("."))))


def _secrets(node: Node, *, secret: bool = False) -> Iterator[Fault]:
    """Yields a fault for each secret that is written out, and not read from the environment."""
    if type(node.value) in (dict, list):
        pairs = node.items() if node.is_mapping else (("", each) for each in node.value)
        for key, each in pairs:
            yield from _secrets(each, secret=secret or secrets.is_secret(str(key)))
        return
    plain = _LINK.sub("", node.value) if isinstance(node.value, str) else node.value
    is_told = secret and not isinstance(plain, bool) and plain not in (None, "") and not WHOLE.fullmatch(str(plain))
    in_urls = {text for text in secrets.collect(node.value) if _LINK.sub("", text)}
    if is_told or in_urls:
        told = "a secret stands here, and would be written into the export: take it from the environment, ${env:NAME}"
        yield node.place.fault(told)
