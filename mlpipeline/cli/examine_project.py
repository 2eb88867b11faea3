"""What `doctor` looks at of the project: its files, its outputs, its lock, its ledger, its databases."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from mlpipeline.cli.findings import Finding, fine, note, problem
from mlpipeline.cli.setup import Setup
from mlpipeline.errors import ConfigurationError, MlpipelineError
from mlpipeline.project import Project

_LITTLE_BYTES = 1 << 30
_TOO_LITTLE_BYTES = 100 << 20


def project(setup: Setup, *, connect: bool) -> Iterator[Finding]:
    """Looks at everything of the project; a faulty file hides no other."""
    from mlpipeline.cli import examine_place, examine_settings

    try:
        found = Project.load(None if setup.project_dir is None else Path(setup.project_dir), host=setup.host)
    except ConfigurationError as error:
        yield problem("Project", str(error))
        return
    yield from _files(found)
    yield from examine_settings.files(found)
    if found.config_found:
        yield from examine_settings.settings(found)
    yield from examine_place.environment(found.root)
    yield from _outputs(found)
    yield from examine_place.place(found)
    yield from examine_place.records(found)
    yield from _lock(found)
    yield from _databases(found, connect=connect)


def _files(found: Project) -> Iterator[Finding]:
    area = "Project"
    if not found.config_found:
        nothing = "no mlp.config here or above: this is no project, or one with defaults (mlpipeline init makes one)"
        yield note(area, f"{found.root}: {nothing}")
        return
    yield fine(area, f"{found.root}, host {found.host}")
    from mlpipeline import selection
    from mlpipeline.cli import examine_models
    from mlpipeline.observe import text

    listed: set[str] = set()
    takes_all = False
    for test in (False, True):
        path = found.selection_path(test)
        if not path.exists():
            yield note(area, f"{path.name} is not there: nothing runs in {'test' if test else 'execution'} mode")
            continue
        read = selection.read(found, test=test)
        faults = [str(each) for each in read.faults] + [str(each.fault) for each in read.models if each.fault]
        for fault in faults:
            yield problem(area, fault)
        listed |= {each.model for each in read.models}
        takes_all |= read.use_blacklist
        if not faults:
            yield fine(area, f"{path.name} lists {text.many(len(read.models), 'model')}")
    yield from examine_models.models(found, listed, takes_all=takes_all)


def _outputs(found: Project) -> Iterator[Finding]:
    from mlpipeline.filesystems import is_network, kind_of
    from mlpipeline.observe import text

    area = "Outputs"
    path = found.outputs_dir
    there = next(each for each in (path, *path.parents) if each.exists())
    free = shutil.disk_usage(there).free
    said = f"{path}: {text.memory(free)} free, {kind_of(path) or 'file system unknown'}"
    least = found.settings.min_free_disk
    if free < (_TOO_LITTLE_BYTES if least is None else least):
        yield problem(area, f"{said}: free some space{'' if least is None else ', min_free_disk wants more'}")
    else:
        yield note(area, f"{said}: that is little") if free < _LITTLE_BYTES else fine(area, said)
    if is_network(path):
        yield note(area, f"a network's file system: the ledger lies in {found.ledger_path.parent}, and watching polls")
    files = os.statvfs(there)
    if files.f_files and files.f_favail < 1000:
        yield problem(area, f"{there}: only {files.f_favail} more files can be made there: remove some")
    if not (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
        yield problem(area, f"{there} cannot be written: mend its permissions, or set outputs_dir in mlp.config")
    yield from _records(found)


def _records(found: Project) -> Iterator[Finding]:
    from mlpipeline.ledger import Ledger
    from mlpipeline.lock import holder

    area = "Outputs"
    held = holder(found)
    yield fine(area, "no scheduler runs" if held is None else f"the scheduler runs: {held}")
    try:
        with closing(Ledger.open_readonly(found.ledger_path)) as ledger:
            count = sum(ledger.counts().values())
    except MlpipelineError as error:
        yield problem(area, str(error))
        return
    yield fine(area, f"the ledger has {count:,} runs" if found.ledger_path.exists() else "there is no ledger yet")


def _lock(found: Project) -> Iterator[Finding]:
    from mlpipeline.execution import env_lock

    area = "Lock"
    try:
        drift = env_lock.drift(found.root)
    except ConfigurationError as error:
        yield problem(area, str(error))
        return
    if drift is None:
        yield fine(area, f"there is no {env_lock.NAME}: mlpipeline env lock writes it")
        return
    for text in drift.faults:
        yield problem(area, f"{text}: pip install --no-deps -r {env_lock.NAME}, or mlpipeline env lock")
    if not drift.faults:
        yield fine(area, f"what is installed is what {env_lock.NAME} says")
    if drift.notes:
        yield note(area, f"{len(drift.notes)} differences that are no fault: see mlpipeline env check")


def _databases(found: Project, *, connect: bool) -> Iterator[Finding]:
    from mlpipeline.data import database_config

    area = "Databases"
    try:
        entries = database_config.read(found.root)
    except ConfigurationError as error:
        yield problem(area, str(error))
        return
    if not entries:
        yield fine(area, f"none are configured in config/{database_config.NAME}")
    for name in entries:
        yield _database(area, found, name, connect=connect)


def _database(area: str, found: Project, name: str, *, connect: bool) -> Finding:
    from mlpipeline.data.named import Connections

    made = Connections(found.root)
    try:
        connection = made[name]
        said = f"{name}: {connection!r}"
        if not connect:
            return fine(area, f"{said}, not asked (--connect asks)")
        connection.select("select 1")
        return fine(area, f"{said} answers")
    except MlpipelineError as error:
        return problem(area, f"{name}: {error}")
    finally:
        made.close()


def engine(setup: Setup, name: str) -> Iterator[Finding]:
    """Asks an engine whether attempts could run there as they run here."""
    from mlpipeline import plugins

    weights = {"ok": fine, "note": note, "problem": problem}
    try:
        found = Project.load(None if setup.project_dir is None else Path(setup.project_dir), host=setup.host)
        if name in plugins.names("executor") and name not in plugins.names("examination"):
            yield fine("Engine", f"executor {name} runs on this machine")
            return
        for weight, text in plugins.load("examination", name)(found):
            yield weights[weight]("Engine", text)
    except MlpipelineError as error:
        yield problem("Engine", str(error))
