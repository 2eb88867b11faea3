"""The projects that `mlpipeline init` makes: what each template is about, which files it has, and its table of rows."""

from __future__ import annotations

import csv
import sqlite3
import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from mlpipeline import plugins
from mlpipeline.errors import UsageError
from mlpipeline.scaffold.template import Template

DATA = {
    "none": "rows of a CSV file",
    "sqlite": "rows of a SQLite database, which is made with the project",
    "postgres": "rows of a PostgreSQL server of yours",
}
ANSWERS = ".copier-answers.yml"
_SHARED, _DATABASE, _TABLES = "__shared__", "__database__", "__tables__"
_LEARNING = ("sklearn", "pandas", "pyarrow")
_SQL = ("sqlalchemy", "psycopg", "pandas", "pyarrow")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What a built-in template is about.

    Attributes:
        told: what it makes, for a person.
        model: the file of its model.
        table: of the rows that it learns from.
        extras: of mlpipeline that it needs, and some modules that these bring.
    """

    told: str
    model: str
    table: str
    extras: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()


KINDS = {
    "queue": Kind(told="A model of your own mathematics, in NumPy.", model="line.py", table="points"),
    "estimator": Kind(
        told="Rows with encoders, and an estimator that learns from them.",
        model="flats.py", table="flats", extras=("learning",), modules=_LEARNING,
    ),
    "workflow": Kind(
        told="Components and a pipeline that a YAML file puts together, with a check.",
        model="flow.yaml", table="points", extras=("workflow",), modules=("yaml", "joblib"),
    ),
    "torch": Kind(
        told="A network in PyTorch, with checkpoints that resume exactly.",
        model="moons.py", table="moons", extras=("torch",), modules=("torch",),
    ),
    "tensorflow": Kind(
        told="A network in Keras on TensorFlow, built of the encoders of its rows.",
        model="flowers.py", table="flowers", extras=("learning", "tensorflow-cpu"), modules=(*_LEARNING, "tensorflow"),
    ),
    "sklearn": Kind(
        told="A pipeline of scikit-learn, and its parameters as versions.",
        model="flowers.py", table="flowers", extras=("learning",), modules=_LEARNING,
    ),
}  # fmt: skip


def is_built_in(template: Template) -> bool:
    """Whether a template is one of those here, and none of that name of somebody else."""
    return template.where == plugins.BUILT_IN and template.name in KINDS


def files(template: Template, data: str, names: Mapping[str, str]) -> dict[str, bytes]:
    """Returns the files of a new project, by path.

    Args:
        data: where its rows come from, a key of DATA.
        names: of the project, and the versions.

    Raises:
        UsageError: somebody else's template knows nothing of `data`.
    """
    if not is_built_in(template):
        if data != "none":
            raise UsageError(f"--data {data} goes with the templates {', '.join(KINDS)}: leave it out")
        return template.render(names)
    kind = KINDS[template.name]
    rows = (_place(template) / _TABLES / f"{kind.table}.csv").read_bytes()
    found = layered(template, data).render(values(template.name, data, names, rows))
    found[f"data/{kind.table}.csv"] = rows
    if data == "sqlite":
        found[f"data/{kind.table}.db"] = database(kind.table, rows)
    return found


def layered(template: Template, data: str) -> Template:
    """Returns a built-in template with what it has in common with the others."""
    names = (_SHARED,) if data == "none" else (_SHARED, _DATABASE)
    return replace(template, layers=tuple(_place(template) / each for each in names))


def _place(template: Template) -> Path:
    return template.directory.parent


def values(name: str, data: str, names: Mapping[str, str], rows: bytes) -> dict[str, str]:
    """Returns the variables of a built-in template."""
    kind = KINDS[name]
    return {
        **names,
        "template": name,
        "data": data,
        "told": kind.told,
        "model_file": kind.model,
        "model_name": Path(kind.model).stem,
        "table": kind.table,
        "columns": ", ".join(rows.decode().splitlines()[0].split(",")),
        "requirement": requirement(name, data),
    }


def requirement(name: str, data: str) -> str:
    """Returns what a project of a template needs, as pip takes it."""
    extras = (*KINDS[name].extras, *(() if data == "none" else ("sql",)))
    return f"mlpipeline[{','.join(extras)}]" if extras else "mlpipeline"


def lacking(name: str, data: str) -> list[str]:
    """Returns the modules that a project of a template needs, and that are not installed."""
    needed = (*KINDS[name].modules, *(() if data == "none" else _SQL))
    return [each for each in dict.fromkeys(needed) if find_spec(each) is None]


def database(table: str, rows: bytes) -> bytes:
    """Returns a SQLite database with one table: numbers where all of a column are, else text."""
    head, *body = csv.reader(rows.decode().splitlines())
    columns = [_column([row[place] for row in body]) for place in range(len(head))]
    declared = ", ".join(f"{name} {kind}" for name, (kind, _) in zip(head, columns, strict=True))
    with closing(sqlite3.connect(":memory:")) as made:
        made.execute(f"CREATE TABLE {table} ({declared})")
        marks = ", ".join("?" * len(head))
        made.executemany(f"INSERT INTO {table} VALUES ({marks})", zip(*(cells for _, cells in columns), strict=True))
        made.commit()
        return made.serialize()


def _column(cells: list[str]) -> tuple[str, list[float] | list[int] | list[str]]:
    try:
        return "INTEGER", [int(each) for each in cells]
    except ValueError:
        try:
            return "REAL", [float(each) for each in cells]
        except ValueError:
            return "TEXT", cells


def versions() -> dict[str, str]:
    """Returns the versions that every template is given."""
    from mlpipeline import __version__

    return {"mlpipeline_version": __version__, "python_version": f"{sys.version_info[0]}.{sys.version_info[1]}"}
