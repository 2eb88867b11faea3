"""Commands that run workflows: `run workflow`, and what `test workflow` is."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mlpipeline.cli import workflow_files
from mlpipeline.cli.setup import Setup, draw, say, shared

if TYPE_CHECKING:
    from mlpipeline.workflow.runner import Runner

_Function = TypeVar("_Function", bound=Callable[..., Any])


def configured(function: _Function) -> _Function:
    """Adds the options that every command about a workflow has."""
    files = click.option(
        *("-c", "--config-file", "files"),
        multiple=True,
        type=workflow_files.FILE,
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
    """Run a workflow here and now, print its metrics, and keep it in the history as a run by hand.

    RUNNER is the runner's class; `Runner` where its file is all there is of it. In a project the run has a directory,
    and `mlpipeline history` and `show` tell of it, also where it failed.

    \b
    mlpipeline run workflow MyRunner --config-file dev.yaml
    mlpipeline run workflow MyRunner -c base.yaml -c dev.yaml --set train.epochs=3 --version deep
    """
    found = _runner(setup, runner, files, settings, version)
    _log_to_stderr(setup)
    returned = _call(found, method, plain=not setup.json)
    _show_metrics(setup, found, returned)


@click.command("workflow")
@click.argument("runner")
@click.argument("tests", type=workflow_files.FILE)
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
        _call(found, method, plain=not setup.json)
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


def _runner(
    setup: Setup,
    name: str,
    files: tuple[Path, ...],
    settings: tuple[str, ...],
    version: str | None,
    **options: Any,
) -> Runner:
    from mlpipeline.workflow import runner as runners

    found = workflow_files.document(setup, files, settings, name)
    return runners.load(found, version=version, lazy=True, **options)


def _call(runner: Runner, method: str, *, plain: bool) -> Any:
    """Calls the method that was asked for. Unless `plain`, what it prints goes beside the answer, which is JSON.

    Raises:
        UsageError: there is none of that name.
    """
    from mlpipeline.errors import UsageError
    from mlpipeline.workflow import interface

    told = None if method == "main" else interface.method_faults(type(runner), method)
    if told is not None:
        raise UsageError(f"--build-method: {told}")
    with runner.recording() as record, nullcontext() if plain else redirect_stdout(sys.stderr):
        record.returned = getattr(runner.build(), method)()
    return record.returned


def _show_metrics(setup: Setup, runner: Runner, returned: Any) -> None:
    from mlpipeline.observe.table import Table
    from mlpipeline.workflow.numbers import metrics

    found = metrics(returned)
    values = found if isinstance(found, dict) else {} if found is None else {"value": found}
    values = {name: float(value) for name, value in values.items()}
    if setup.json:
        timings = runner.timings.by_method.items()
        seconds = {name: {"calls": each.calls, "seconds": each.seconds} for name, each in timings}
        run = _run_of(runner)
        setup.emit({"format": 1, "runner": type(runner).__name__, "metrics": values, "methods": seconds, "run": run})
        return
    if values:
        rows = tuple((name, f"{value:.6g}") for name, value in values.items())
        draw(Table(columns=("metric", "value"), rows=rows))
    else:
        say("The workflow ended, and returned no metrics.")
    if (run := _run_of(runner)) is not None:
        say(f"run {run['id']}: {run['directory']}")


def _run_of(runner: Runner) -> dict[str, str] | None:
    """Returns which run it was, and where its files are; None where it was none."""
    found = runner.last_run
    return None if found is None else {"id": str(found.run_id), "directory": str(found.directory)}


def _log_to_stderr(setup: Setup) -> None:
    """Shows what parts say while they work, where a person reads."""
    from mlpipeline.console import LOGGER

    log = logging.getLogger(LOGGER)
    if not log.hasHandlers():
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(message)s"))
        log.addHandler(handler)
        log.setLevel(logging.WARNING if setup.json else logging.INFO)
