"""The command that runs the project's own tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mlpipeline.cli.setup import Setup, shared
from mlpipeline.cli.shells import ENVIRONMENT, attended, environment_of, has, python_of

NOTHING = 5
"""The exit status of pytest, and of unittest since Python 3.12, where there was no test."""

# A module that skips itself leaves pytest without a test, as an empty directory does: it is asked what it skipped.
# It runs in the project's interpreter, which need not have mlpipeline.
_PYTEST = f"""
import sys, pytest
class Seen:
    skipped = deselected = 0
    def pytest_collectreport(self, report): self.skipped += report.skipped
    def pytest_deselected(self, items): self.deselected += len(items)
seen = Seen()
sys.argv[0] = "pytest"
status = pytest.main(sys.argv[1:], plugins=[seen])
if status == {NOTHING} and seen.skipped and not seen.deselected:
    print("All tests were skipped: mlpipeline test -rs says why.", flush=True)
    status = 0
sys.exit(status)
"""
# `python -m unittest` of Python 3.11 calls it good where there was no test.
_UNITTEST = f"""
import sys, unittest
sys.argv[0] = "python -m unittest"
found = unittest.main(module=None, exit=False).result
sys.exit({NOTHING} if not found.testsRun and not found.skipped and found.wasSuccessful() else not found.wasSuccessful())
"""


class _Tests(click.Command):
    """The project's own tests; after the word `workflow`, a workflow's checks: a command of its own."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        if args[:1] != ["workflow"]:
            return super().make_context(info_name, args, parent, **extra)
        from mlpipeline.cli.workflow import test_workflow

        return test_workflow.make_context(f"{info_name} workflow", args[1:], parent, **extra)


@click.command(cls=_Tests, context_settings={"ignore_unknown_options": True})
@click.argument("words", metavar="[PATH]... [PYTEST OPTIONS]...", nargs=-1, type=click.UNPROCESSED)
@click.option("--unittest", is_flag=True, help="Use unittest, also where pytest is installed.")
@shared
@click.pass_context
def test(context: click.Context, words: tuple[str, ...], unittest: bool) -> None:
    """Run the project's own tests: by pytest, or by unittest where that is not installed. MLP_ENV is test meanwhile.

    What they fit or run by hand is no run of the history. The exit status is theirs; 0 where modules skipped themselves
    and nothing else was there, 5 where there was no test. `mlpipeline test workflow RUNNER
    TESTS` carries out a workflow's checks instead; a path called so is ./workflow.

    \b
    mlpipeline test
    mlpipeline test tests/test_digits.py -x -k shapes
    """
    setup: Setup = context.find_root().obj
    project = setup.project()
    python = python_of(project)
    variables = environment_of(project) | {ENVIRONMENT: "test"}
    if unittest or not has(python, "pytest"):
        command = [python, "-c", _UNITTEST, *(() if words else _discover(project.root)), *words]
    else:
        place = ["tests"] if not _paths(words) and (project.root / "tests").is_dir() else []
        command = [python, "-c", _PYTEST, *place, *words]
    status = attended(command, project, variables)
    if status == NOTHING:
        click.echo(_said_of_nothing(words, project.root), err=True)
    context.exit(status)


def _said_of_nothing(words: tuple[str, ...], root: Path) -> str:
    if all(each.startswith("-") for each in words):
        return f"{root} has no tests: write the first one, tests/test_models.py, with a function test_…."
    return f"No test was chosen by {' '.join(words)}: name others."


def _discover(root: Path) -> list[str]:
    if not (root / "tests").is_dir():
        return ["discover"]
    top = ["-t", "."] if (root / "tests" / "__init__.py").is_file() else []
    return ["discover", "-s", "tests", *top]


def _paths(words: tuple[str, ...]) -> bool:
    """Whether one of the words may be a path: an option's value is a word too, so that these count as well."""
    return any(not each.startswith("-") and ("/" in each or each.endswith(".py") or "::" in each) for each in words)
