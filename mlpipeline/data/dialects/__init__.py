"""What differs between databases: one module for each."""

from __future__ import annotations

from typing import Any

from mlpipeline import plugins
from mlpipeline.data.dialects.dialect import Dialect


def of(engine: Any) -> Dialect:
    """Returns what knows the ways of an engine's database; for one that is not known, what any driver can.

    Installed packages may offer more of them, under `dialect`, by the name that begins a URL.
    """
    backend = engine.url.get_backend_name()
    if backend == "postgresql" and engine.dialect.driver != "psycopg":
        return Dialect(engine)  # COPY is spoken through psycopg 3 alone
    kind = Dialect if plugins.target("dialect", backend) is None else plugins.load("dialect", backend)
    made: Dialect = kind(engine)
    return made
