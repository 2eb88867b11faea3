"""Makes SQLAlchemy engines of URLs and of options as configuration files write them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlpipeline import errors
from mlpipeline.config_text import near_miss, near_or_known
from mlpipeline.data.dialects import postgres
from mlpipeline.errors import ConfigurationError

_INTEGERS = ("pool_size", "max_overflow", "pool_recycle", "pool_timeout", "insertmanyvalues_page_size", "label_length")
_BOOLEANS = ("echo", "echo_pool", "pool_pre_ping", "pool_use_lifo", "use_batch_mode")
_TEXTS = ("poolclass", "isolation_level", "logging_name", "pool_logging_name", "paramstyle")
_FILES = ("sqlite", "duckdb")
_EXTRAS = {
    **dict.fromkeys(("duckdb", "postgresql", "sqlite"), "sql"),
    **{name: name for name in ("bigquery", "databricks", "redshift", "snowflake")},
}


def read_options(items: Mapping[str, str], where: Mapping[str, str]) -> dict[str, Any]:
    """Reads options of a section as `create_engine` takes them.

    Args:
        items: text by key.
        where: file and line by key, for messages.

    Raises:
        ConfigurationError: when a key is not known or its value cannot be read.
    """
    known = (*_INTEGERS, *_BOOLEANS, *_TEXTS)
    options: dict[str, Any] = {}
    for key, text in items.items():
        try:
            if key in _INTEGERS:
                options[key] = int(text)
            elif key in _BOOLEANS:
                options[key] = boolean(text)
            elif key == "poolclass":
                options[key] = _pool(text)
            elif key in _TEXTS:
                options[key] = text
            else:
                raise ConfigurationError(f"{where[key]}: unknown key {key!r}.{near_or_known(key, known)}")
        except ValueError as error:
            raise ConfigurationError(f"{where[key]}: {key} = {text}: {error}") from error
    return options


def boolean(text: str) -> bool:
    """Reads yes or no.

    Raises:
        ValueError: when it is neither.
    """
    word = text.strip().lower()
    if word in ("true", "yes", "on", "1"):
        return True
    if word in ("false", "no", "off", "0"):
        return False
    raise ValueError("true or false is needed")


def _pool(name: str) -> Any:
    pool = errors.require("sqlalchemy.pool", extra="sql")
    known = [each for each in dir(pool) if each.endswith("Pool")]
    if name not in known:
        raise ValueError(f"is no pool of SQLAlchemy.{near_miss(name, known)} Known: {', '.join(known)}")
    return getattr(pool, name)


def make(url: Any, options: Mapping[str, Any], root: Path | None) -> Any:
    """Makes an engine. Nothing is connected yet; the path of an embedded database begins at `root`.

    Raises:
        MissingExtra: when the driver is not installed.
        ConfigurationError: when the engine does not take an option.
        DatabaseError: when the dialect finds no credentials.
    """
    sa = errors.require("sqlalchemy", extra="sql")
    url = _absolute(url, root)
    try:
        dialect = url.get_dialect()
        pool = options.get("poolclass") or dialect.get_pool_class(url)
        # Each thread holds a connection: a limit would make the sixteenth wait for ever.
        limits = {"max_overflow": -1} if issubclass(pool, sa.pool.QueuePool) else {}
        driver = postgres.connect_args() if url.drivername == "postgresql+psycopg" else {}
        driver = driver | dict(options.get("connect_args", {}))
        return sa.create_engine(
            url,
            **{"isolation_level": "AUTOCOMMIT", **limits, **options, "connect_args": driver, "hide_parameters": True},
        )
    except sa.exc.NoSuchModuleError as error:
        raise errors.MissingExtra(f"{url.drivername}: no dialect of this name is installed: {_advice(url)}") from error
    except ModuleNotFoundError as error:
        raise errors.MissingExtra(f"{url.drivername}: {error.name} is not installed: {_advice(url)}") from error
    except (sa.exc.ArgumentError, TypeError) as error:
        raise ConfigurationError(f"{url.drivername}: {str(error).partition(' using')[0]}: mend the options") from None
    except Exception as error:  # some dialects look for credentials here, and raise what their own libraries do
        said = (str(error).splitlines() or [type(error).__name__])[0]
        raise errors.DatabaseError(f"{url.drivername}: {said}: mend the URL, or the credentials") from error


def _advice(url: Any) -> str:
    backend = url.drivername.partition("+")[0]
    if extra := _EXTRAS.get(backend):
        return f"pip install 'mlpipeline[{extra}]'"
    return f"install the package that brings it; mlpipeline brings those of {', '.join(_EXTRAS)}"


def _absolute(url: Any, root: Path | None) -> Any:
    path = url.database
    if root is None or url.drivername.partition("+")[0] not in _FILES or not path or path == ":memory:":
        return url
    return url if path.startswith(("file:", "md:")) else url.set(database=str(root / path))
