"""Keeps the templates of projects as this release has them, for upgrades to come: `python tools/templates.py`.

Part of every release. The next one reads the file when a project that was made by this one is upgraded. The same
templates give the same bytes.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

from mlpipeline import __version__
from mlpipeline.scaffold.template import template_files
from mlpipeline.scaffold.upgrading import RELEASED, TEMPLATES

ROWS = "__tables__"
"""Rows are the project's from the beginning: an upgrade leaves them alone."""


def keep(version: str, source: Path, target: Path) -> Path:
    """Writes the templates below a directory as those of a version, and returns the file."""
    target.mkdir(exist_ok=True)
    path = target / f"{version}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for each in template_files(source):
            name = each.relative_to(source)
            if name.parts[0] != ROWS:
                info = zipfile.ZipInfo(name.as_posix())  # of 1980: the time of a checkout says nothing
                info.compress_type = zipfile.ZIP_DEFLATED
                file.writestr(info, each.read_bytes())
    return path


if __name__ == "__main__":
    print(keep(__version__, TEMPLATES, RELEASED))
