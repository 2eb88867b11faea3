"""What `doctor` looks at of where a project lies: synced folders, memory, owners, the clock, another Python."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mlpipeline.cli.findings import Finding, note, problem
from mlpipeline.errors import MlpipelineError
from mlpipeline.project import Project

_SYNCED = ("Dropbox", "OneDrive", "Google Drive", "GoogleDrive", "iCloud Drive", "Nextcloud", "ownCloud", "pCloud")
_MARKS = {".stfolder": "Syncthing", ".dropbox": "Dropbox", ".owncloudsync.log": "ownCloud"}
_IN_MEMORY = ("tmpfs", "ramfs")
_ODD_CLOCK = timedelta(minutes=2)


def place(found: Project) -> Iterator[Finding]:
    """Looks at what outputs lie on, and whose they are. Changes nothing."""
    from mlpipeline.filesystems import belongs, kind_of

    outputs = found.outputs_dir
    if syncs := _who_syncs(outputs):
        yield note(
            "Outputs",
            f"{outputs} lies in a folder of {syncs}, which copies files while they are written: set outputs_dir in "
            "mlp.config to a place outside of it",
        )
    if kind_of(outputs) in _IN_MEMORY:
        yield note("Outputs", f"{outputs} lies in memory ({kind_of(outputs)}): all records are gone with the next boot")
    for path in (found.ledger_path, found.lock_path, found.requests_dir, found.runs_dir, found.model_dirs):
        if path.exists() and not os.access(path, os.W_OK) and os.access(outputs, os.W_OK):
            yield problem("Outputs", f"{path} cannot be written{belongs(path)}: mend its owner or permissions")


def _who_syncs(outputs: Path) -> str:
    for each in (outputs, *outputs.parents):
        name = next((known for known in _SYNCED if each.name == known or each.name.startswith(f"{known} ")), "")
        mark = next((known for known in _MARKS if (each / known).exists()), "")
        if name or mark:
            return name or _MARKS[mark]
    return ""


def records(found: Project) -> Iterator[Finding]:
    """Looks at the newest run: whether it is of the future, or of another Python."""
    from mlpipeline import wire
    from mlpipeline.ledger import Ledger

    try:
        with closing(Ledger.open_readonly(found.ledger_path)) as ledger:
            newest = ledger.runs(limit=1)
    except MlpipelineError:
        return  # whoever looks at the ledger says so
    for run in newest:
        now = datetime.now(UTC)
        if run.created_at > now + _ODD_CLOCK:
            yield problem(
                "Machine",
                f"the clock says {now:%Y-%m-%d %H:%M} UTC, and run {run.id} began at {run.created_at:%Y-%m-%d %H:%M}: "
                "set the clock",
            )
        told = wire.read_json(found.root / run.last.directory / wire.ENVIRONMENT) or {}
        was = ".".join(str(told.get("python") or "").split(" ")[0].split(".")[:2])
        here = f"{sys.version_info.major}.{sys.version_info.minor}"
        if was and was != here and not found.settings.python:
            yield note("Python", f"the newest run, {run.id}, was of Python {was}, and this is {here}: is that meant?")


def environment(root: Path) -> Iterator[Finding]:
    """Looks at whether another Python is meant: a virtual environment that is active, or lies in the project."""
    active = os.environ.get("VIRTUAL_ENV")
    if active and Path(active).resolve() != Path(sys.prefix).resolve():
        yield note(
            "Python",
            f"the virtual environment {active} is active, and this is {sys.executable}: install mlpipeline there, or "
            "deactivate it",
        )
    elif not active and sys.prefix == sys.base_prefix:
        own = next((root / name for name in (".venv", "venv", "env") if (root / name / "pyvenv.cfg").is_file()), None)
        if own is not None:
            yield note(
                "Python",
                f"the project has the virtual environment {own.name}, which is not active: . {own}/bin/activate",
            )
