"""Extracts: queries in files, `extracts/NAME.sql`, or `NAME.sql.j2` whose values Jinja binds and never writes in."""

from __future__ import annotations

import hashlib
import logging
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlpipeline import errors
from mlpipeline.config_text import near_miss
from mlpipeline.data import binds
from mlpipeline.data.binds import Kind, Token
from mlpipeline.errors import DataFault, ExtractNotFound, UsageError

DIRECTORY = "extracts"
_MARK = "bound_value_"
_IN_CODE = "SQL"
_log = logging.getLogger("mlpipeline.data")


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """SQL with the values of its parameters, read and checked.

    Attributes:
        source: what messages call it: the extract's file, or `SQL`.
        text: as it was written, or rendered.
        tokens: of all its statements.
        values: by parameter name.
        digest: SHA-256 of the extract's file and of those that it includes; empty without one.
        name: of the extract; empty without one.
    """

    source: str
    text: str
    tokens: tuple[Token, ...]
    values: Mapping[str, Any] = field(default_factory=dict)
    digest: str = ""
    name: str = ""

    @property
    def statements(self) -> list[tuple[Token, ...]]:
        """The statements in order."""
        return binds.split(iter(self.tokens))

    @property
    def used(self) -> dict[str, Any]:
        """The values that the text binds; a template may have asked for others."""
        return {name: self.values[name] for name in binds.names(self.tokens)}


def written(sql: str, values: Mapping[str, Any]) -> Query:
    """Reads SQL that stands in code.

    Raises:
        DataFault: when a parameter has no value, or a value no parameter.
    """
    found = tuple(binds.tokens(sql, file=_IN_CODE))
    binds.check(found, values, _IN_CODE, all_used=True)
    return Query(source=_IN_CODE, text=sql, tokens=found, values=dict(values))


def find(root: Path, name: str) -> Path:
    """Returns an extract's file. Where both forms are there, `.sql` counts, and that is said.

    Raises:
        ExtractNotFound: when neither is; the message names the nearest.
    """
    folder = root / DIRECTORY
    plain, template = folder / f"{name}.sql", folder / f"{name}.sql.j2"
    if not plain.resolve().is_relative_to(folder.resolve()):
        raise ExtractNotFound(f"the extract {name!r} lies outside {folder}: name a file below it")
    if plain.is_file():
        if template.is_file():
            _log.warning("%s is used, and %s is not: remove one of them", plain, template.name)
        return plain
    if template.is_file():
        return template
    known = listed(root)
    choices = ", ".join(known) or "none"
    raise ExtractNotFound(f"there is neither {plain} nor {template}.{near_miss(name, known)} Extracts: {choices}")


def listed(root: Path) -> list[str]:
    """Returns the names of all extracts of a project."""
    folder = root / DIRECTORY
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*.sql*") if path.is_file())
    return sorted(
        {name.removesuffix(".j2").removesuffix(".sql") for name in found if name.endswith((".sql", ".sql.j2"))}
    )


def read(root: Path, name: str, values: Mapping[str, Any], quote: Any = None) -> Query:
    """Reads an extract.

    Args:
        root: the project's directory.
        name: without suffix; may hold `/`.
        values: of its parameters.
        quote: quotes an identifier, for the filter `identifier` of templates.

    Raises:
        ExtractNotFound: when there is none.
        DataFault: when it cannot be read or rendered, a parameter has no value, or a value no parameter.
    """
    path = find(root, name.removesuffix(".j2").removesuffix(".sql"))
    source = path.relative_to(root).as_posix()
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataFault(f"{source}: cannot be read as UTF-8 text ({error}): mend or save it again") from error
    digest = hashlib.sha256(text.encode())
    values = dict(values)
    is_template = path.suffix == ".j2"
    if is_template:
        text, values = _rendered(root, path.name, path, values, quote, digest)
    found = tuple(binds.tokens(text, file=source))
    _check_marks(found, values, source)
    binds.check(found, values, source, all_used=not is_template)
    return Query(source=source, text=text, tokens=found, values=values, digest=digest.hexdigest(), name=name)


def _rendered(
    root: Path, name: str, path: Path, values: dict[str, Any], quote: Any, digest: Any
) -> tuple[str, dict[str, Any]]:
    """Renders a template. What it writes out becomes a parameter; only what stands in the template is SQL."""
    jinja2 = errors.require("jinja2", extra="sql")
    markup = errors.require("markupsafe", extra="sql").Markup
    folder = root / DIRECTORY
    bound: dict[str, Any] = {}

    @jinja2.pass_context  # type: ignore[untyped-decorator,unused-ignore]
    def bind(_: Any, value: Any) -> Any:
        if isinstance(value, markup):  # a macro's, a block's: SQL of the template itself
            return value
        if isinstance(value, jinja2.Undefined):
            str(value)  # raises, and says what is missing
        key = f"{_MARK}{len(bound)}"
        bound[key] = value
        return markup(f":{key}")

    class Loader(jinja2.FileSystemLoader):  # type: ignore[misc,name-defined,unused-ignore]
        def get_source(self, environment: Any, template: str) -> Any:
            found = super().get_source(environment, template)
            digest.update(b"\0" + template.encode() + b"\0" + found[0].encode())
            return found

    environment = jinja2.Environment(
        loader=Loader(str(folder)), autoescape=True, finalize=bind, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    environment.filters["identifier"] = lambda value: markup((quote or _standard_quote)(str(value)))
    environment.filters["safe"] = _refuse_safe
    given = {key: str(value) if isinstance(value, markup) else value for key, value in values.items()}
    try:
        text = environment.get_template(path.relative_to(folder).as_posix()).render(given)
    except jinja2.TemplateNotFound as error:
        raise DataFault(f"{DIRECTORY}/{name} includes {error.name}, which is not in {folder}") from error
    except jinja2.TemplateSyntaxError as error:
        file = error.name or name
        raise DataFault(f"{DIRECTORY}/{file}:{error.lineno}: {error.message}") from error
    except (jinja2.TemplateError, UsageError, TypeError, ValueError, ArithmeticError, LookupError) as error:
        raise DataFault(f"{_place(folder, name)}: {error}. It was given: {', '.join(values) or 'nothing'}") from error
    return str(text), values | bound


def _place(folder: Path, name: str) -> str:
    """Returns where in a template the exception in flight arose: Jinja puts the template's lines into tracebacks."""
    trace, place = sys.exc_info()[2], f"{DIRECTORY}/{name}"
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file.startswith(str(folder)):
            place = f"{DIRECTORY}/{Path(file).relative_to(folder).as_posix()}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def _refuse_safe(_: Any) -> Any:
    raise UsageError(
        "`safe` would write a value into the SQL: use `identifier` for names; values are bound as they are"
    )


def _standard_quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _check_marks(found: tuple[Token, ...], values: Mapping[str, Any], source: str) -> None:
    """Refuses a template that writes a value within quotes: there it would be text, and not the value."""
    for token in found:
        if token.kind is Kind.QUOTED and f":{_MARK}" in token.text:
            raise DataFault(f"{source}: rendered line {token.line}: a value stands within quotes: remove the quotes")
    if unread := [key for key in values if key.startswith(_MARK) and key not in binds.names(found)]:
        _log.debug("%s: %d values stand in comments", source, len(unread))
