"""What differs between databases: one module for each."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from mlpipeline import plugins
from mlpipeline.data.dialects.dialect import Dialect

_HOMES = {
    "bigquery": "warehouse:WarehouseDialect",
    "databricks": "warehouse:WarehouseDialect",
    "duckdb": "duck:DuckDialect",
    "postgresql": "postgres:PostgresDialect",
    "redshift": "redshift:RedshiftDialect",
    "snowflake": "snowflake:SnowflakeDialect",
    "sqlite": "sqlite:SqliteDialect",
}


def of(engine: Any) -> Dialect:
    """Returns what knows the ways of an engine's database; for one that is not known, what any driver can.

    Installed packages may offer more of them, under `dialect`, by the name that begins a URL.
    """
    backend = engine.url.get_backend_name()
    if backend == "postgresql" and engine.dialect.driver != "psycopg":
        return Dialect(engine)  # COPY is spoken through psycopg 3 alone
    if backend in _HOMES:
        module, name = _HOMES[backend].split(":")
        kind = getattr(import_module(f"{__name__}.{module}"), name)
    else:
        kind = plugins.load("dialect", backend) if backend in plugins.names("dialect") else Dialect
    made: Dialect = kind(engine)
    return made
