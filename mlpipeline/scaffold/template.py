"""A template: a directory of files with `{{ variables }}` in their names and contents."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from mlpipeline import errors
from mlpipeline.errors import MlpipelineError

SUFFIX = ".jinja"
"""Files that end so are rendered, and lose the ending; all others are copied as they are."""
_COPIER = ("copier.yml", "copier.yaml")
_LEFT_OUT = frozenset((".git", "__pycache__", *_COPIER))


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A directory of files to be, found under a name.

    Files and names are Jinja's. With a `copier.yml` it is a template of copier's, which may ask for answers, and is
    rendered by that library.

    Attributes:
        layers: directories whose files it has as well; where two have one of the same name, the template's own counts,
            then that of the later layer.
        where: it comes from, for a person.
        fault: why it cannot be used; None where it can.
    """

    name: str
    directory: Path
    where: str
    layers: tuple[Path, ...] = ()
    fault: str | None = None

    def files(self) -> dict[str, Path]:
        """Returns what it is made of, by the names that stand in its directories."""
        places = (*self.layers, self.directory)
        return {path.relative_to(place).as_posix(): path for place in places for path in template_files(place)}

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
        for name, path in self.files().items():
            target = self._filled(name.removesuffix(SUFFIX), values, name)
            content = path.read_bytes()
            if name.endswith(SUFFIX):
                content = self._filled(content.decode("utf-8"), values, name).encode()
            found[target] = content
        if not found:
            raise MlpipelineError(f"template {self.name} ({self.where}) has no files: put some into {self.directory}")
        return found

    def _filled(self, text: str, values: Mapping[str, str], name: str) -> str:
        if "{" not in text:  # Jinja takes a tenth of a second to import
            return text
        from mlpipeline.scaffold.rendering import filled

        return filled(text, values, f"template {self.name}: {name}")

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
