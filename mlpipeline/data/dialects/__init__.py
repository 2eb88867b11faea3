"""What differs between databases: one module for each."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from mlpipeline.data.dialects.dialect import Dialect

_HOMES = {
    "duckdb": "duck:DuckDialect",
    "postgresql": "postgres:PostgresDialect",
    "redshift": "redshift:RedshiftDialect",
    "snowflake": "snowflake:SnowflakeDialect",
    "sqlite": "sqlite:SqliteDialect",
}


def of(engine: Any) -> Dialect:
    """Returns what knows the ways of an engine's database; for one that is not known, what any driver can."""
    home = _HOMES.get(engine.url.get_backend_name())
    if engine.url.get_backend_name() == "postgresql" and engine.dialect.driver != "psycopg":
        home = None  # COPY is spoken through psycopg 3 alone
    if home is None:
        return Dialect(engine)
    module, name = home.split(":")
    made: Dialect = getattr(import_module(f"{__name__}.{module}"), name)(engine)
    return made
