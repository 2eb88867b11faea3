"""Settings of the documentation's build: `make docs`."""

from __future__ import annotations

import configparser
from pathlib import Path

_packaging = configparser.ConfigParser(interpolation=None)
_packaging.read(Path(__file__).resolve().parent.parent / "setup.cfg", encoding="utf-8")

project = "mlpipeline"
author = "the mlpipeline authors"
project_copyright = "2026, the mlpipeline authors"
version = release = _packaging["metadata"]["version"]

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"mlpipeline {release}"
# Nothing is fetched from elsewhere when a page is read, and no page shows how it was written.
html_copy_source = False
html_show_sourcelink = False
