"""Settings of the documentation's build: `make docs`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mlpipeline import __version__

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "mlpipeline"
author = "the mlpipeline authors"
project_copyright = "2026, the mlpipeline authors"
version = release = __version__

# Docstrings are Google's style; their types are those of the signatures.
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
autodoc_default_options = {"member-order": "bysource"}
# A method is described where it is defined first; a class that keeps to that description names its base.
autodoc_inherit_docstrings = False
# What stands between backticks in a docstring is code.
default_role = "code"
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

# `make docs-links` asks the network. A server that is slow, or asks for patience (429), is asked again. One that does
# not answer in time is told and fails nothing, since its page may be there: broken is what answers with an error, or
# whose name nobody knows. Addresses of this machine stand in examples: nothing listens there while links are checked.
linkcheck_ignore = [r"https?://(127\.0\.0\.1|localhost|\[::1\])([:/]|$)"]
linkcheck_timeout = 30
linkcheck_retries = 3
linkcheck_workers = 4
linkcheck_rate_limit_timeout = 60
linkcheck_report_timeouts_as_broken = False

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["style.css"]
html_title = f"mlpipeline {release}"
# Nothing is fetched from elsewhere when a page is read, and no page shows how it was written.
html_copy_source = False
html_show_sourcelink = False


def tell_defaults(app: Sphinx, what: str, name: str, of: Any, options: Any, lines: list[str]) -> None:
    """Says which value an attribute has where nobody says one: it stands in the class's body."""
    for place, line in enumerate(lines):
        described = re.match(r":ivar ((?:\w+, )*\w+): ", line) if what == "class" else None
        if described is None:
            continue
        # Sphinx takes what stands before a blank for the type: no blank stands between several names.
        field = f":ivar {described[1]}: ".replace(", ", ",\N{ZERO WIDTH SPACE}")
        value = vars(of).get(described[1])
        told = f"(default: ``{value!r}``) " if isinstance(value, bool | int | float | str | tuple | list) else ""
        lines[place] = field + told + line[described.end() :]


def setup(app: Sphinx) -> None:
    """Connects the hook, behind napoleon's, which makes fields of the sections of docstrings."""
    app.connect("autodoc-process-docstring", tell_defaults, priority=900)
