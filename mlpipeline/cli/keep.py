"""Commands that keep house: get, mv, fsck."""

from __future__ import annotations

import os
import shutil
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlpipeline.cli.setup import Setup, check_is_there, find_run, model_names, now, say, shared

if TYPE_CHECKING:
    from mlpipeline.ledger import Ledger
    from mlpipeline.project import Project
    from mlpipeline.run import Attempt, Run

"""Says in a model directory whose weights lie in it."""


@click.command()
@click.argument("run", metavar="RUN")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@shared
@click.pass_obj
def get(setup: Setup, run: str, directory: Path) -> None:
    """Copy what a run left into DIR, which must not exist yet or be empty.

    DIR/model_dir holds its checkpoints and whatever else the model kept, DIR/records its parameters, metrics and
    output, DIR/sources the code that it ran. RUN is an id or the beginning of it, or MODEL:VERSION.

    \b
    mlpipeline get digits.py:wide best
    """
    from mlpipeline.errors import NotWritable, RequestRefused
    from mlpipeline.ledger import Ledger

    project = setup.project()
    with closing(Ledger.open_readonly(project.ledger_path)) as ledger:
        found, attempt = find_run(project, ledger, run)
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise RequestRefused(f"{directory} is there already and not empty: name a new directory")
    kept, note = _kept_by(project, found)
    beside = directory.absolute().with_name(f".{directory.absolute().name}.{os.getpid()}.part")
    try:
        copied = _copy(project, attempt, kept, beside)
        os.rename(beside, directory)
    except OSError as error:
        shutil.rmtree(beside, ignore_errors=True)
        raise NotWritable(f"{directory} cannot be written: {error}; choose another place or mend the disk") from error
    if setup.json:
        about = {"run": found.id, "attempt": attempt.number, "directory": str(directory.absolute())}
        setup.emit({"format": 1, "copied": copied, "note": note} | about)
        return
    say(f"{directory}: {', '.join(copied) or 'nothing was left'} of run {found.id}")
    if note:
        say(note)


def _kept_by(project: Project, run: Run) -> tuple[Path | None, str]:
    """Returns the directory that still holds what this run's fingerprint wrote, and what should be known of it."""
    from mlpipeline import wire
    from mlpipeline.checkpoint import OWNER

    mine = f"{run.code_digest}-{run.params_digest}"
    place = project.model_dirs / run.model_dir
    candidates = [place, *sorted(place.parent.glob(f"{_escaped(place.name)}.old-*"))]
    owners = {path: wire.read_json(path / OWNER) or {} for path in candidates if path.is_dir()}
    for path, owner in owners.items():
        if owner.get("run") == run.id:
            return path, ""
    for path, owner in owners.items():
        if owner.get("fingerprint") == mine and owner.get("seed") == run.seed:
            return path, f"Its model directory was continued by run {owner.get('run')}, of the same code and seed."
    return None, "What its model directory held was replaced by later runs, or it kept nothing."


def _escaped(name: str) -> str:
    import glob

    return glob.escape(name)


def _copy(project: Project, attempt: Attempt, kept: Path | None, target: Path) -> list[str]:
    target.mkdir(parents=True)
    source = project.root / attempt.directory
    copied = []
    if kept is not None:
        shutil.copytree(kept, target / "model_dir", symlinks=True)
        copied.append("model_dir")
    files = [each for each in sorted(source.iterdir()) if each.is_file()] if source.is_dir() else []
    if files:
        (target / "records").mkdir()
        for each in files:
            shutil.copy2(each, target / "records" / each.name)
        copied.append("records")
    if (source / "sources").is_dir():
        shutil.copytree(source / "sources", target / "sources")
        copied.append("sources")
    return copied


@click.command()
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@shared
@click.pass_obj
def mv(setup: Setup, old: str, new: str) -> None:
    """Rename a model or a version in the records, so that what is done stays done under the new name.

    The model's file, the name in its Versions and the line in models.config are yours to rename. The scheduler must
    not be running.

    \b
    mlpipeline mv digits.py net.py             a model
    mlpipeline mv digits.py:wide digits.py:w32   a version of it
    """
    from mlpipeline.ledger import Ledger
    from mlpipeline.lock import SchedulerLock

    project = setup.project()
    check_is_there(project)
    lock = SchedulerLock(project)
    lock.acquire()
    try:
        with closing(Ledger.open(project.ledger_path)) as ledger:
            renamed, before, after = _rename(project, ledger, old, new)
    finally:
        lock.release()
    if setup.json:
        setup.emit({"format": 1, "old": before, "new": after, "runs": renamed})
    else:
        from mlpipeline.observe.text import many

        say(f"{before} is {after} now: {many(renamed, 'run')}.")


def _rename(project: Project, ledger: Ledger, old: str, new: str) -> tuple[int, str, str]:
    """Renames in the records; returns of how many runs, and what both names are in full."""
    from mlpipeline.errors import RequestRefused
    from mlpipeline.queue.study import number_of

    model, version = _recorded(project, ledger, old)
    target, new_version = _new_name(project, model, version, new)
    before = f"{model}:{version}" if version else model
    after = f"{target}:{new_version}" if new_version else target
    runs = ledger.runs(model=model, version=version or None)
    if any(not run.state.is_final for run in runs):
        raise RequestRefused(f"{before} is running: wait for its end, or cancel it")
    if ledger.runs(model=target, version=new_version or None, limit=1):
        raise RequestRefused(f"{after} has runs of its own: two histories cannot be made one, choose another name")
    if version and (number_of(version) or number_of(new_version)):
        raise RequestRefused(f"{before}: a trial is called by its number: leave its name")
    _write_down(project, {"kind": "version" if version else "model", "old": before, "new": after, "at": now()})
    if not version:
        _rename_trials(project.study_dir(model), project.study_dir(target))
    ledger.rename((model, version or None), (target, new_version or None))
    return len(runs), before, after


def _new_name(project: Project, model: str, version: str, new: str) -> tuple[str, str]:
    """Returns the new model and version, of which only one is another than before.

    Raises:
        RequestRefused: a model would become a version, or a version one of another model.
    """
    from mlpipeline.errors import RequestRefused

    target, _, new_version = new.removeprefix("./").partition(":")
    if bool(version) != bool(new_version) or (version and target not in model_names(project, model)):
        example = f"{model}:NEW" if version else "other.py"
        raise RequestRefused(f"'{new}': rename a model to a model, or a version within its model (e.g. {example})")
    if version:
        return model, new_version
    suffix = Path(model).suffix
    return (target if Path(target).suffix == suffix else target + suffix), ""


def _rename_trials(old: Path, new: Path) -> None:
    """Lets the trials of a search follow their model; done before the ledger says so, and again where that failed."""
    from mlpipeline import wire

    if old.is_dir() and not new.exists():
        old.rename(new)
        wire.sync_directory(old.parent)


def _recorded(project: Project, ledger: Ledger, old: str) -> tuple[str, str]:
    """Returns model and version as the ledger calls what a person typed."""
    from mlpipeline.errors import RunNotFound

    name, _, version = old.partition(":")
    for model in model_names(project, name):
        if ledger.runs(model=model, version=version or None, limit=1):
            return model, version
    raise RunNotFound(f"no run of {old} is recorded: see mlpipeline history")


def _write_down(project: Project, renaming: dict[str, Any]) -> None:
    """Adds the renaming to the list that a rebuilt ledger follows; on disk before the ledger says so."""
    from mlpipeline import wire
    from mlpipeline.jsonable import jsonable

    wire.append_json(project.renames_path, jsonable(renaming))


@click.command()
@click.option("--rebuild", is_flag=True, help="Make a new ledger from the run directories; the old one is kept.")
@shared
@click.pass_context
def fsck(context: click.Context, rebuild: bool) -> None:
    """Prove that the ledger and the run directories agree, or make the ledger anew from them.

    Without --rebuild nothing is changed; every violated invariant is one line, and the exit status is 1. With --rebuild
    the scheduler must not be running, and the old ledger is kept beside the new one.

    \b
    mlpipeline fsck
    mlpipeline fsck --rebuild
    """
    from mlpipeline.lock import SchedulerLock
    from mlpipeline.queue import fsck as checks

    setup: Setup = context.find_root().obj
    project = setup.project()
    rebuilt = None
    if rebuild:
        check_is_there(project)
        lock = SchedulerLock(project)
        lock.acquire()
        try:
            rebuilt = checks.rebuild(project, project.ledger_path)
        finally:
            lock.release()
    violations = checks.check(project)
    if setup.json:
        setup.emit({"format": 1, "violations": violations, "rebuilt_runs": rebuilt})
    else:
        if rebuilt is not None:
            say(f"{project.ledger_path}: made anew, runs: {rebuilt}.")
        for each in violations:
            say(each)
        say(f"Faults: {len(violations)}. {_advice(rebuilt)}" if violations else "All well.")
    context.exit(1 if violations else 0)


def _advice(rebuilt: int | None) -> str:
    if rebuilt is None:
        return "Make the ledger anew: mlpipeline fsck --rebuild (it forgets runs whose directories are gone)"
    return "A new ledger does not mend them: what is missing comes back from a backup alone."
