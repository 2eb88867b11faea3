"""Commands that run workflows: `run workflow`, and what `test workflow` is."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, chdir, nullcontext, redirect_stdout
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
@click.option(
    "--records",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the result of each step in this directory, repeat none that is kept there, write metrics.json.",
)
@click.option("--until", type=click.IntRange(min=1), metavar="N", help="End after the Nth step, or pipeline, of main.")
@shared
@click.pass_obj
def workflow(
    setup: Setup,
    runner: str,
    files: tuple[Path, ...],
    settings: tuple[str, ...],
    version: str | None,
    method: str,
    records: Path | None,
    until: int | None,
) -> None:
    """Run a workflow here and now, print its metrics, and keep it in the history as a run by hand.

    RUNNER is the runner's class; `Runner` where its file is all there is of it. In a project the run has a directory,
    and `mlpipeline history` and `show` tell of it, also where it failed.

    \b
    mlpipeline run workflow MyRunner --config-file dev.yaml
    mlpipeline run workflow MyRunner -c base.yaml -c dev.yaml --set train.epochs=3 --version deep
    """
    from mlpipeline.errors import UsageError

    if until is not None and method != "main":
        raise UsageError("--until counts the steps of main: leave --build-method out")
    found = _runner(setup, runner, files, settings, version)
    _log_to_stderr(setup)
    returned = _call(found, method, plain=not setup.json, records=records, until=until)
    values = _metrics(returned)
    if records is not None:
        _write_metrics(records, values)
    _show_metrics(setup, found, values)


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


def _call(runner: Runner, method: str, *, plain: bool, records: Path | None = None, until: int | None = None) -> Any:
    """Calls the method that was asked for. Unless `plain`, what it prints goes beside the answer, which is JSON.

    Args:
        records: keeps the results of steps; None keeps nothing.
        until: the number of the last step of `main`.

    Raises:
        UsageError: there is none of that name.
    """
    from mlpipeline.errors import UsageError
    from mlpipeline.workflow import interface
    from mlpipeline.workflow.exports import tasks

    told = None if method == "main" else interface.method_faults(type(runner), method)
    if told is not None:
        raise UsageError(f"--build-method: {told}")
    records = None if records is None else records.resolve()
    # Beside the answer is where the record hears it: sys.stderr is asked for once that listens.
    with _in_its_project(runner), runner.recording() as record, nullcontext() if plain else redirect_stdout(sys.stderr):
        if method == "main":
            record.returned = tasks.run(runner.build(), records, until)
        else:
            kept = runner if records is None else runner.keep_steps(records)
            record.returned = getattr(kept.build(), method)()
    return record.returned


def _in_its_project(runner: Runner) -> AbstractContextManager[None]:
    """Enters the workflow's project: its paths are the same from wherever it is run, and in the queue."""
    from mlpipeline.settings import CONFIG

    root = runner.plan.sources.root
    return chdir(root) if (root / CONFIG).is_file() else nullcontext()


def _metrics(returned: Any) -> dict[str, float]:
    from mlpipeline.workflow.numbers import metrics

    found = metrics(returned)
    values = found if isinstance(found, dict) else {} if found is None else {"value": found}
    return {name: float(value) for name, value in values.items()}


def _write_metrics(records: Path, values: dict[str, float]) -> None:
    """Writes the metrics for the program that asked for the records."""
    from mlpipeline import wire
    from mlpipeline.jsonable import jsonable

    records.mkdir(parents=True, exist_ok=True)
    wire.write_json(records / "metrics.json", {"format": 1, "metrics": jsonable(values)})


def _show_metrics(setup: Setup, runner: Runner, values: dict[str, float]) -> None:
    from mlpipeline.observe.table import Table

    if setup.json:
        timings = runner.timings.by_method.items()
        seconds = {name: {"calls": each.calls, "seconds": each.seconds} for name, each in timings}
        run = _run_of(runner)
        setup.emit({"format": 1, "runner": type(runner).__name__, "metrics": values, "methods": seconds, "run": run})
        return
    if values and runner.has_told_metrics and _is_one_screen():
        pass  # the log has just shown them there
    elif values:
        rows = tuple((name, f"{value:.6g}") for name, value in values.items())
        draw(Table(columns=("metric", "value"), rows=rows))
    else:
        say("The workflow ended, and returned no metrics.")
    if (run := _run_of(runner)) is not None:
        say(f"run {run['id']}: {run['directory']}")


def _is_one_screen() -> bool:
    """Whether a person sees the log and the answer in one place."""
    return sys.stdout.isatty() and sys.stderr.isatty()


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
