"""The reference is whole: every public name, every key, every option, and every link leads somewhere."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import click
import pytest

from mlpipeline import settings, wiring
from mlpipeline.cli.commands import COMMANDS
from tests.docs.blocks import ROOT, Page, pages
from tests.extras import need

CLI = (ROOT / "docs" / "reference" / "cli.md").read_text("utf-8")
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text("utf-8")
# Said once, for all commands.
SHARED = {"--project", "--host", "--json", "--help"}
_OPTION = re.compile(r"^ +:([\w-]+):((?:.*\n)(?: +[^:\s].*\n)*)", re.MULTILINE)
LINK = re.compile(r"(?<!`)\[[^\]\n]*\]\((?P<target>[^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Directive:
    """A directive of autodoc: what it documents.

    Attributes:
        kind: module, class, function or data.
        target: `package.module`, or a name within one.
        options: `members`, `exclude-members`, each with what follows it.
    """

    kind: str
    target: str
    options: dict[str, str]

    @property
    def names(self) -> list[str]:
        """The full names of all that it puts on the page."""
        if self.kind != "module":
            return [self.target]
        if "members" not in self.options:
            return []
        excluded = _words(self.options.get("exclude-members", ""))
        listed = _words(self.options["members"]) or public(self.target)
        # autodoc leaves out private names, such as __version__, and what has no docstring.
        return [f"{self.target}.{each}" for each in listed if each not in excluded and each[0] != "_"]


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def public(module: str) -> list[str]:
    """The names that a module offers: those of its `__all__`, else those that it defines."""
    found = importlib.import_module(module)
    own = [name for name, each in vars(found).items() if getattr(each, "__module__", "") == module and name[0] != "_"]
    return list(getattr(found, "__all__", own))


def resolve(name: str) -> Any:
    """The object of that full name."""
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute)


def directives() -> list[Directive]:
    """All that the pages of Python's names say."""
    text = "\n".join(path.read_text("utf-8") for path in sorted((ROOT / "docs" / "reference").glob("api*.md")))
    found = re.finditer(r"^\.\. auto(\w+):: (\S+)\n((?: +\S.*\n)*)", text, re.MULTILINE)
    return [Directive(each[1], each[2], dict(_OPTION.findall(each[3]))) for each in found]


@cache
def documented() -> dict[int, str]:
    """What stands in the reference, by identity: a name may be offered by several modules."""
    return {id(resolve(name)): name for each in directives() for name in each.names}


def told(name: str) -> bool:
    """Whether the object of that name is in the reference; a module counts where a directive names it."""
    each = resolve(name)
    if inspect.ismodule(each):
        return name in {directive.target for directive in directives()}
    return id(each) in documented() or name in documented().values()


@pytest.fixture(autouse=True, scope="module")
def _libraries() -> None:
    for module, extra in (("pandas", "data"), ("sklearn", "sklearn"), ("yaml", "workflow"), ("sqlalchemy", "sql")):
        need(module, extra)


@pytest.mark.parametrize("directive", directives(), ids=lambda each: each.target)
def test_what_the_reference_names_is_there_and_has_a_docstring(directive: Directive) -> None:
    assert inspect.getdoc(importlib.import_module(directive.target)) if directive.kind == "module" else True
    for name in directive.names:
        each = resolve(name)
        if inspect.isclass(each) or inspect.isroutine(each):
            assert inspect.getdoc(each), f"{name} has no docstring, so that no page tells of it"
        if inspect.isclass(each):
            for member, value in vars(each).items():
                # The name of a test is its sentence.
                if not member.startswith(("_", "test_")) and (inspect.isroutine(value) or isinstance(value, property)):
                    assert inspect.getdoc(getattr(each, member)), f"{name}.{member} has no docstring"


def test_methods_are_told_where_they_are_defined() -> None:
    missing = set()
    for each in [resolve(name) for directive in directives() for name in directive.names]:
        for base in each.__mro__[1:] if inspect.isclass(each) else ():
            own = base.__module__.startswith("mlpipeline") and base.__name__[0] != "_"
            if own and any(name[0] != "_" and callable(value) for name, value in vars(base).items()):
                missing |= {f"{base.__module__}.{base.__name__}"} if id(base) not in documented() else set()
    assert sorted(missing) == []


def test_every_public_name_of_every_package_is_in_the_reference() -> None:
    found = [path for path in (ROOT / "mlpipeline").rglob("__init__.py") if "__all__" in path.read_text("utf-8")]
    names = [path.parent.relative_to(ROOT).as_posix().replace("/", ".") for path in found]
    assert len(names) > 10
    missing = [f"{each}.{name}" for each in names for name in public(each) if not told(f"{each}.{name}")]
    assert missing == []


@pytest.mark.parametrize("module", ["mlpipeline.helper", "mlpipeline.utils"])
def test_every_published_name_is_in_the_reference(module: str) -> None:
    assert [name for name in public(module) if not told(f"{module}.{name}")] == []


def test_every_built_in_part_that_can_be_named_is_in_the_reference() -> None:
    # Executors, dialects and formats are chosen by words and endings, and are nothing that a script imports.
    kinds = ("component", "pipeline", "runner", "encoder", "transformer", "estimator", "store")
    targets = {target.replace(":", ".") for kind, _, target in wiring.BUILT_IN if kind in kinds}
    assert len(targets) > 80
    assert sorted(target for target in targets if not told(target)) == []


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_what_a_page_imports_is_in_the_reference(page: Page) -> None:
    for block in page.blocks:
        if block.language == "python" and not block.left_out:
            for node in ast.walk(ast.parse(block.text)):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mlpipeline"):
                    for name in node.names:
                        full = f"{node.module}.{name.name}"
                        assert told(full), f"{page.name}:{block.line}: {full} is on no page of docs/reference"


@pytest.mark.parametrize("name", settings.KEYS)
def test_every_key_of_the_project_is_explained(name: str) -> None:
    assert f"`{name}`" in CONFIGURATION


def commands() -> list[tuple[str, click.Command]]:
    """Every command with its name, those within groups too."""
    found = []
    for name, entry in COMMANDS.items():
        module, _, attribute = entry.target.partition(":")
        command = getattr(importlib.import_module(f"mlpipeline.cli.{module}"), attribute)
        found.append((name, command))
        if isinstance(command, click.Group):
            found += [(f"{name} {inner}", each) for inner, each in command.commands.items()]
    return found


@pytest.mark.parametrize(("name", "command"), commands(), ids=lambda each: each if isinstance(each, str) else "")
def test_every_command_and_option_is_in_the_reference(name: str, command: click.Command) -> None:
    assert re.search(rf"[`|]{re.escape(name)}\b", CLI) or re.search(
        rf"`{name.split()[0]} [^`]*\b{name.split()[-1]}\b", CLI
    )
    for parameter in command.params:
        if isinstance(parameter, click.Option) and not parameter.hidden and not SHARED & set(parameter.opts):
            assert any(re.search(rf"(?<![\w-]){each}(?![\w-])", CLI) for each in parameter.opts), (
                f"{name} {parameter.opts[0]}"
            )


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_every_link_between_files_leads_somewhere(page: Page) -> None:
    text = re.sub(r"^ *```.*?^ *```$", "", page.source, flags=re.MULTILINE | re.DOTALL)
    for match in LINK.finditer(text):
        path, _, anchor = match["target"].partition("#")
        if "://" in path or path.startswith("mailto:"):
            continue
        target = page.path.parent / path if path else page.path
        assert target.exists(), f"{page.name}: {match['target']} is not there"
        if anchor and target.suffix == ".md":
            assert anchor in {slug(each) for each in HEADING.findall(target.read_text("utf-8"))}, match["target"]


def slug(heading: str) -> str:
    """How a heading is called in addresses, by GitHub and MyST alike."""
    bare = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    return re.sub(r"[^\w\- ]", "", bare.strip().lower()).replace(" ", "-")


def test_every_picture_is_there() -> None:
    for page in pages():
        for target in re.findall(r"!\[[^\]]*\]\(([^)\s]+)\)", page.source):
            assert Path(page.path.parent, target).is_file(), f"{page.name}: {target}"


def test_the_index_has_every_page_in_one_place() -> None:
    index = (ROOT / "docs" / "index.md").read_text("utf-8")
    trees = re.findall(r"^```\{toctree\}\n(.*?)^```$", index, re.MULTILINE | re.DOTALL)
    lines = [line for tree in trees for line in tree.splitlines() if line and line[0] != ":"]
    named = [each.with_suffix("") for line in lines for each in sorted((ROOT / "docs").glob(f"{line}.md"))]
    assert sorted(named) == sorted(set(named)), "a page stands in the index twice"
    every = {path.with_suffix("") for path in (ROOT / "docs").rglob("*.md") if "_build" not in path.parts}
    assert every - set(named) == {ROOT / "docs" / "index"}, "a page is in no part of the index"
    # Sphinx writes pages of its own at these places, without a warning, over ours.
    assert not every & {ROOT / "docs" / name for name in ("search", "genindex", "py-modindex")}
