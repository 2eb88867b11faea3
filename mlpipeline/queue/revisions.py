"""Keeps every accepted revision of the models config."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

from mlpipeline.project import Project

_KEEP_REVISIONS = 200


def save_revision(project: Project, data: bytes) -> Path | None:
    """Keeps an accepted revision; None when it is the newest one already. The oldest of too many go."""
    directory = project.revisions_dir
    directory.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256(data).hexdigest()[:8]
    kept = sorted(directory.glob("*.config"))
    if kept and kept[-1].stem.endswith(digest):
        return None
    path = directory / f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{digest}.config"
    beside = path.with_suffix(".part")
    beside.write_bytes(data)
    beside.rename(path)
    for old in kept[: max(0, len(kept) + 1 - _KEEP_REVISIONS)]:
        old.unlink(missing_ok=True)
    return path
