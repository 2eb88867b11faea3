"""What a package is called: `[PACKAGE]` of mlp.config, and what the command line says instead."""

from __future__ import annotations

import keyword
import re
import sys
from dataclasses import dataclass

from mlpipeline.config_text import shown
from mlpipeline.errors import UsageError
from mlpipeline.project import Project
from mlpipeline.settings import values_of

SECTION = "PACKAGE"
_READERS = dict.fromkeys(("name", "version", "description", "requires"), str)
# By the specifications "Names and normalization" and "Version specifiers" of Python's packaging.
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_VERSION = re.compile(r"\d+(\.\d+)*((a|b|rc)\d+)?(\.post\d+)?(\.dev\d+)?(\+[a-z0-9]+(\.[a-z0-9]+)*)?")
_VERSION_AT_FIRST = "0.1.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageSettings:
    """The values in force.

    Attributes:
        name: of the distribution, `my-parts`.
        module: what it is imported as, `my_parts`.
        requires: what it needs beside mlpipeline, as pip takes it.
    """

    name: str
    module: str
    version: str
    description: str
    requires: tuple[str, ...]


def read(project: Project, *, name: str | None = None, version: str | None = None) -> PackageSettings:
    """Returns a project's settings.

    Args:
        name, version: instead of those of mlp.config; without any, the directory's name and 0.1.0.

    Raises:
        ConfigurationError: a key of `[PACKAGE]` is not known.
        UsageError: the name or version is none that pip takes.
    """
    section = values_of(project.settings, SECTION, _READERS)
    given = name or section.get("name") or re.sub(r"[^A-Za-z0-9]+", "-", project.root.name).strip("-")
    number = version or section.get("version") or _VERSION_AT_FIRST
    if not _NAME.fullmatch(given):
        raise UsageError(f"{shown(given)!r} is no name of a package: letters, digits, - and _; set --name")
    if not _VERSION.fullmatch(number):
        raise UsageError(f"{shown(number)!r} is no version of a package: write one like 1.2.0; set --version")
    normal = re.sub(r"[-_.]+", "-", given).lower()
    return PackageSettings(
        name=normal,
        module=_module(normal),
        version=number,
        description=section.get("description") or f"Parts of mlpipeline workflows: {project.root.name}.",
        requires=tuple(each.strip() for each in section.get("requires", "").split(",") if each.strip()),
    )


def _module(name: str) -> str:
    module = name.replace("-", "_")
    if not module.isidentifier() or keyword.iskeyword(module):
        raise UsageError(f"'{module}' is no name of a module: begin with a letter; set --name")
    if module in sys.stdlib_module_names or module == "mlpipeline":
        raise UsageError(f"'{module}' is a module already, which the package would hide: set --name")
    return module
