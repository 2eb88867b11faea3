"""Settings of the documentation's build: `make docs`."""

from __future__ import annotations

from mlpipeline import __version__

project = "mlpipeline"
author = "the mlpipeline authors"
project_copyright = "2026, the mlpipeline authors"
version = release = __version__

# Docstrings are Google's style; their types are those of the signatures.
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
autodoc_default_options = {"member-order": "bysource"}
autodoc_typehints = "signature"
# An attribute that a docstring lists is no second object beside the class's own.
napoleon_use_ivar = True
autodoc_typehints_format = "short"
python_maximum_signature_line_length = 100
# Whatever a page points at must be there. Types in signatures are no pointers: their libraries have no pages here.
nitpicky = True
nitpick_ignore_regex = [("py:.*", ".*")]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3

# `make docs-links` asks the network; what is asked of this machine by examples is none of its business.
linkcheck_ignore = [r"http://127\.0\.0\.1", r"http://localhost"]
linkcheck_timeout = 20
linkcheck_retries = 2

html_theme = "furo"
html_title = f"mlpipeline {release}"
# Nothing is fetched from elsewhere when a page is read, and no page shows how it was written.
html_copy_source = False
html_show_sourcelink = False
