"""The reference is whole: every public name, every key, every option, and every link leads somewhere."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path

import click
import pytest

from mlpipeline import settings
from mlpipeline.cli.commands import COMMANDS
from tests.docs.blocks import ROOT, Page, pages
from tests.extras import need

API = (ROOT / "docs" / "reference" / "api.md").read_text("utf-8")
CLI = (ROOT / "docs" / "reference" / "cli.md").read_text("utf-8")
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text("utf-8")
MODULES = re.findall(r"automodule:: (\S+)", API)
# Said once, for all commands.
SHARED = {"--project", "--host", "--json", "--help"}
LINK = re.compile(r"(?<!`)\[[^\]\n]*\]\((?P<target>[^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_has_a_docstring_and_stands_in_the_reference(module: str) -> None:
    need("pandas", "data")
    need("sklearn", "sklearn")
    found = importlib.import_module(module)
    names = getattr(found, "__all__", None) or [
        name for name, each in vars(found).items() if getattr(each, "__module__", "") == module and name[0] != "_"
    ]
    for name in names:
        each = getattr(found, name)
        if inspect.isclass(each) or inspect.isroutine(each):
            assert inspect.getdoc(each), f"{module}.{name} has no docstring, so that no page tells of it"


def test_the_packages_with_public_names_are_in_the_reference() -> None:
    lists = {path.parent for path in (ROOT / "mlpipeline").rglob("__init__.py") if "__all__" in path.read_text("utf-8")}
    packages = {path.relative_to(ROOT).as_posix().replace("/", ".") for path in lists}
    inner = {"mlpipeline.learning.explain", "mlpipeline.learning.serving", "mlpipeline.workflow.types"}
    assert {each for each in packages if each.count(".") < 3 and ".cli" not in each} <= set(MODULES) | inner


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


def test_pictures_of_everyare_there() -> None:
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
