"""A template: a directory of files with `{{ variables }}` in their names and contents."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from mlpipeline import errors
from mlpipeline.config_text import near_miss
from mlpipeline.errors import MlpipelineError

SUFFIX = ".jinja"
"""Files that end so are rendered, and lose the ending; all others are copied as they are."""
_COPIER = ("copier.yml", "copier.yaml")
_VARIABLE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_STATEMENT = re.compile(r"\{[%#]")
_LEFT_OUT = frozenset((".git", "__pycache__", *_COPIER))


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A directory of files to be, found under a name.

    It is a template of copier's as well: with a `copier.yml` it may use all of Jinja, ask for answers, and is rendered
    by that library; without one, `{{ variable }}` is all there is, and no library is needed.

    Attributes:
        where: it comes from, for a person.
        fault: why it cannot be used; None where it can.
    """

    name: str
    directory: Path
    where: str
    fault: str | None = None

    def render(self, values: Mapping[str, str]) -> dict[str, bytes]:
        """Returns contents by path, in POSIX spelling.

        Raises:
            MlpipelineError: a file uses a variable that there is not; the message names file and line.
            MissingExtra: it has a `copier.yml`, and copier is not installed.
        """
        if self.fault is not None:
            raise MlpipelineError(f"template {self.name} ({self.where}) cannot be used: {self.fault}")
        if any((self.directory / each).is_file() for each in _COPIER):
            return self._rendered_by_copier(values)
        found = {}
        for path in template_files(self.directory):
            name = path.relative_to(self.directory).as_posix()
            target = self._filled(name.removesuffix(SUFFIX), values, name)
            content = path.read_bytes()
            found[target] = self._content(content, values, name) if name.endswith(SUFFIX) else content
        if not found:
            raise MlpipelineError(f"template {self.name} ({self.where}) has no files: put some into {self.directory}")
        return found

    def _content(self, content: bytes, values: Mapping[str, str], name: str) -> bytes:
        text = content.decode("utf-8")
        found = _STATEMENT.search(text)
        if found is not None:
            line = text.count("\n", 0, found.start()) + 1
            raise MlpipelineError(
                f"template {self.name}: {name}:{line}: {found[0]} is Jinja's: add a copier.yml to "
                f"{self.directory}, and copier renders it; or drop the ending {SUFFIX}, and the file is copied as it is"
            )
        return self._filled(text, values, name).encode()

    def _filled(self, text: str, values: Mapping[str, str], name: str) -> str:
        def value(found: re.Match[str]) -> str:
            if found[1] not in values:
                line = found.string.count("\n", 0, found.start()) + 1
                raise MlpipelineError(
                    f"template {self.name}: {name}:{line}: there is no variable {found[1]!r}."
                    f"{near_miss(found[1], values)} There are {', '.join(sorted(values))}"
                )
            return values[found[1]]

        return _VARIABLE.sub(value, text)

    def _rendered_by_copier(self, values: Mapping[str, str]) -> dict[str, bytes]:
        copier = errors.require("copier", extra="templates")
        with tempfile.TemporaryDirectory(prefix="mlpipeline-template-") as place:
            try:
                # A template's tasks are programs of a stranger: they are never run.
                copier.run_copy(
                    str(self.directory), place, data=dict(values), defaults=True, quiet=True, skip_tasks=True,
                    vcs_ref="HEAD",
                )  # fmt: skip
            except Exception as error:  # whatever Jinja, YAML and copier raise is a fault of the template
                raise MlpipelineError(f"template {self.name}: {type(error).__name__}: {error}") from error
            return {path.relative_to(place).as_posix(): path.read_bytes() for path in template_files(Path(place))}


def template_files(directory: Path) -> Iterator[Path]:
    """Yields the files that a template is made of, in the order of their names."""
    for path in sorted(directory.rglob("*")):
        if path.is_file() and _LEFT_OUT.isdisjoint(path.relative_to(directory).parts):
            yield path
