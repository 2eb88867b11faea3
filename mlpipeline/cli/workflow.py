"""Commands about workflows: run, test, validate, show-config, list."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mlpipeline.cli.setup import Setup, draw, say, shared

if TYPE_CHECKING:
    from mlpipeline.workflow.document import Document
    from mlpipeline.workflow.planned import Plan
    from mlpipeline.workflow.runner import Runner

_Function = TypeVar("_Function", bound=Callable[..., Any])
_KINDS = ("components", "pipelines", "runners", "workflows")
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def configured(function: _Function) -> _Function:
    """Adds the options that every command about a workflow has."""
    files = click.option(
        *("-c", "--config-file", "files"),
        multiple=True,
        type=_FILE,
        help="A workflow file; may be given again: each lies over those before it.",
    )
    settings = click.option(
        "--set", "settings", multiple=True, metavar="PART.KEY=VALUE", help="Change a value; may be given again."
    )
    version = click.option("--version", metavar="NAME", help="Use the parameters of one of its versions.")
    return files(settings(version(function)))


@click.group()
@shared
def run() -> None:
    """Run a workflow here and now.

    \b
    mlpipeline run workflow MyRunner --config-file dev.yaml
    """


@run.command()
@click.argument("runner")
@configured
@click.option("-b", "--build-method", "method", default="main", show_default=True, help="The runner's method to call.")
@shared
@click.pass_obj
def workflow(
    setup: Setup, runner: str, files: tuple[Path, ...], settings: tuple[str, ...], version: str | None, method: str
) -> None:
    """Run a workflow here and now, and print its metrics. The queue does not know of it.

    RUNNER is the runner's class; `Runner` where its file is all there is of it.

    \b
    mlpipeline run workflow MyRunner --config-file dev.yaml
    mlpipeline run workflow MyRunner -c base.yaml -c dev.yaml --set train.epochs=3 --version deep
    """
    found = _runner(setup, runner, files, settings, version)
    _log_to_stderr(setup)
    returned = _call(found, method)
    _show_metrics(setup, found, returned)


@click.group()
@shared
def test() -> None:
    """Run a workflow's own checks.

    \b
    mlpipeline test workflow MyRunner tests.yaml --config-file dev.yaml
    """


@test.command("workflow")
@click.argument("runner")
@click.argument("tests", type=_FILE)
@configured
@click.option("-b", "--build-method", "method", default="main", show_default=True, help="The runner's method to call.")
@click.option("--junit", type=click.Path(dir_okay=False, path_type=Path), help="Write a JUnit report as well.")
@shared
@click.pass_obj
def test_workflow(
    setup: Setup,
    runner: str,
    tests: Path,
    files: tuple[Path, ...],
    settings: tuple[str, ...],
    version: str | None,
    method: str,
    junit: Path | None,
) -> None:
    """Run a workflow with its checks, carry all of them out, and report them.

    TESTS lies over the files of --config-file, and may hold the whole configuration itself. Exit status 1 where a
    check failed, raised, or none was carried out.

    \b
    mlpipeline test workflow MyRunner tests.yaml --config-file dev.yaml --junit report.xml
    """
    from mlpipeline.workflow import report

    found = _runner(setup, runner, (*files, tests), settings, version, collect_checks=True)
    _log_to_stderr(setup)
    error: Exception | None = None
    try:
        _call(found, method)
    except Exception as raised:  # the checks so far are reported before it is told
        error = raised
    results = found.check_results
    if junit is not None:
        report.write_junit(results, junit, runner)
    if setup.json:
        setup.emit(report.to_json(results))
    else:
        for line in report.lines(results):
            say(line)
    if error is not None:
        raise error
    if not report.is_good(results):
        raise click.exceptions.Exit(1)


@click.command()
@click.argument("files", nargs=-1, required=True, type=_FILE)
@click.option("--set", "settings", multiple=True, metavar="PART.KEY=VALUE", help="Change a value; may be given again.")
@shared
@click.pass_obj
def validate(setup: Setup, files: tuple[Path, ...], settings: tuple[str, ...]) -> None:
    """Check a workflow file with all its versions; several files lie over one another. Nothing is built or run.

    \b
    mlpipeline validate models/churn.yaml
    mlpipeline validate base.yaml dev.yaml --set train.epochs=3
    """
    from mlpipeline.errors import ConfigurationError
    from mlpipeline.workflow import runner as runners

    try:
        found = runners.load(_document(setup, files, settings), lazy=True)
        found.verify_versions()
    except ConfigurationError as error:
        if not setup.json:
            raise
        faults = [
            {"file": each.file, "line": each.line, "column": each.column, "message": each.message}
            for each in error.faults
        ]
        setup.emit({"format": 1, "good": False, "faults": faults})
        raise click.exceptions.Exit(error.exit_status) from error
    parts = list(found.plan.root.walk())
    if setup.json:
        setup.emit(
            {"format": 1, "good": True, "faults": [], "parts": len(parts), "versions": list(found.versions.versions)}
        )
        return
    say(f"{type(found).__name__}: {len(parts)} parts, {len(found.versions)} versions, no fault.")


@click.command("show-config")
@click.argument("files", nargs=-1, required=True, type=_FILE)
@click.option("--origins", is_flag=True, help="Say where each value comes from.")
@click.option("--set", "settings", multiple=True, metavar="PART.KEY=VALUE", help="Change a value; may be given again.")
@click.option("--version", metavar="NAME", help="Use the parameters of one of its versions.")
@shared
@click.pass_obj
def show_config(
    setup: Setup, files: tuple[Path, ...], origins: bool, settings: tuple[str, ...], version: str | None
) -> None:
    """Show every part of a workflow with the values that it will have. Secrets are shown as stars.

    \b
    mlpipeline show-config dev.yaml --origins
    mlpipeline show-config base.yaml dev.yaml --version deep
    """
    from mlpipeline.observe.table import Table
    from mlpipeline.workflow import runner as runners

    found = runners.load(_document(setup, files, settings), version=version, lazy=True)
    rows = list(_values(found.plan))
    if setup.json:
        keys = ("address", "value", "origin")
        setup.emit({"format": 1, "values": [dict(zip(keys, row, strict=True)) for row in rows]})
        return
    columns = ("value of", "is", "from") if origins else ("value of", "is")
    shown = tuple((address, str(value), *([origin] if origins else [])) for address, value, origin in rows)
    draw(Table(columns=columns, rows=shown))


def _values(plan: Plan) -> Iterator[tuple[str, Any, str]]:
    for part in plan.root.walk():
        address = ".".join(part.address)
        if part.kind is not None:
            yield address or part.level.name, part.kind.__name__, str(part.place)
        for key, found in part.values.items():
            for path, value, origin in found.leaves():
                yield ".".join((*part.address, key, *path)), value, origin


@click.command("list")
@click.argument("kind", required=False, type=click.Choice(_KINDS))
@shared
@click.pass_obj
def list_(setup: Setup, kind: str | None) -> None:
    """List what a workflow can name: the project's own classes, built-in and installed ones; and the workflow files.

    Nothing is imported. A class of the project's own is listed where its file lies: pipelines/ or runners/, else it is
    taken for a component.

    \b
    mlpipeline list
    mlpipeline list components
    """
    from mlpipeline import plugins
    from mlpipeline.observe.table import Table

    project = setup.project()
    rows: list[tuple[str, str, str]] = []
    for level in ("component", "pipeline", "runner"):
        rows += [(f"{level}s", name, where) for name, where in _own(project.root, level)]
        rows += [(f"{level}s", name, "built in or installed") for name in plugins.names(level)]
    files = [each for each in sorted(project.models_dir.rglob("*.yaml")) if project.outputs_dir not in each.parents]
    rows += [("workflows", str(each.relative_to(project.models_dir)), project.relative(each)) for each in files]
    rows = [row for row in rows if kind is None or row[0] == kind]
    if setup.json:
        setup.emit({"format": 1, "parts": [{"kind": row[0], "name": row[1], "where": row[2]} for row in rows]})
        return
    draw(Table(columns=("kind", "name", "where"), rows=tuple(rows)))


def _own(root: Path, level: str) -> Iterator[tuple[str, str]]:
    from mlpipeline.workflow.classes import Classes
    from mlpipeline.workflow.sources import Sources

    place = root / f"{level}s"
    if place.is_dir():
        sources = Sources(root)
        for name, files in sorted(Classes(sources, [place], []).defined().items()):
            yield name, ", ".join(sources.relative(each) for each in files)


def _document(setup: Setup, files: tuple[Path, ...], settings: tuple[str, ...], runner: str | None = None) -> Document:
    from mlpipeline.workflow import document
    from mlpipeline.workflow.sources import Sources

    sources = Sources(Path(setup.project_dir)) if setup.project_dir else None
    layers: list[Any] = [*files, *([{"runner": runner}] if runner not in (None, "Runner") else [])]
    if sources is None and not files:
        sources = Sources.beside(None)
    return document.load(layers, settings=settings, sources=sources)


def _runner(
    setup: Setup,
    name: str,
    files: tuple[Path, ...],
    settings: tuple[str, ...],
    version: str | None,
    **options: Any,
) -> Runner:
    from mlpipeline.workflow import runner as runners

    return runners.load(_document(setup, files, settings, name), version=version, **options)


def _call(runner: Runner, method: str) -> Any:
    """Calls the method that was asked for.

    Raises:
        UsageError: there is none of that name.
    """
    from mlpipeline.errors import UsageError
    from mlpipeline.workflow import interface

    told = None if method == "main" else interface.method_faults(type(runner), method)
    if told is not None:
        raise UsageError(f"--build-method: {told}")
    return getattr(runner.build(), method)()


def _show_metrics(setup: Setup, runner: Runner, returned: Any) -> None:
    from mlpipeline.observe.table import Table
    from mlpipeline.workflow import runner as runners

    found = runners.metrics(returned)
    values = found if isinstance(found, dict) else {} if found is None else {"value": found}
    values = {name: float(value) for name, value in values.items()}
    if setup.json:
        timings = runner.timings.by_method.items()
        seconds = {name: {"calls": each.calls, "seconds": each.seconds} for name, each in timings}
        setup.emit({"format": 1, "runner": type(runner).__name__, "metrics": values, "methods": seconds})
    elif values:
        rows = tuple((name, f"{value:.6g}") for name, value in values.items())
        draw(Table(columns=("metric", "value"), rows=rows))
    else:
        say("The workflow ended, and returned no metrics.")


def _log_to_stderr(setup: Setup) -> None:
    """Shows what parts say while they work, where a person reads."""
    from mlpipeline.console import LOGGER

    log = logging.getLogger(LOGGER)
    if not log.hasHandlers():
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(message)s"))
        log.addHandler(handler)
        log.setLevel(logging.WARNING if setup.json else logging.INFO)
