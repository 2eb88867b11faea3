"""The command that predicts rows of a file."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO

import click

from mlpipeline.cli.setup import Setup, shared

if TYPE_CHECKING:
    import pandas as pd

    from mlpipeline.learning.saved import Saved, Shelf

_KINDS = click.Choice(["csv", "json", "jsonl", "parquet"])


@click.command()
@click.argument("model")
@click.argument("file", required=False, default="-", type=click.Path(dir_okay=False, allow_dash=True))
@click.option("--proba", is_flag=True, help="Probabilities: a column for each class.")
@click.option(
    "--run", "which", default="best", metavar="WHICH", help="Whose model: best (default), latest, or a run's id."
)
@click.option("--url", metavar="PLACE", help="The directory or URL of a saved model, instead of one of the project.")
@click.option("--format", "kind", type=_KINDS, help="What FILE is. Default: as its name ends; csv of stdin.")
@click.option("-o", "--output", metavar="PATH", help="Where predictions go, as .csv, .json or .jsonl. Default: stdout.")
@shared
@click.pass_obj
def predict(
    setup: Setup, model: str, file: str, proba: bool, which: str, url: str | None, kind: str | None, output: str | None
) -> None:
    """Predict the rows of FILE (CSV, JSON, JSON lines, Parquet; - is stdin) with a saved model.

    \b
    mlpipeline predict subscribers new.csv
    mlpipeline predict subscribers new.parquet --proba -o predictions.csv
    cat rows.json | mlpipeline predict subscribers --format json --json
    """
    from mlpipeline.learning import tables

    read_as = kind or "csv" if file == "-" else tables.kind_of(file, kind)
    write_as = "json" if setup.json else "csv" if output is None else tables.kind_of(output, None)
    if write_as == "parquet":
        raise click.UsageError(f"{output}: predictions are written as .csv, .json or .jsonl")
    loaded = load(setup, model, which, url)
    with opened(file) as source:
        whose = "stdin" if file == "-" else file
        columns = [loaded.encoding.schema[name] for name in loaded.encoding.inputs]
        rows = tables.read(source, read_as, columns, whose)
    found = predicted(loaded, rows, proba)
    with written(output) as out:
        tables.write(found, out, write_as)


def load(setup: Setup, name: str, which: str, url: str | None) -> Any:
    """Returns a saved model; where the best or the latest is damaged, the next one, and says so."""
    from mlpipeline.errors import ArtefactDamaged
    from mlpipeline.learning import saved, serializers

    if url is not None:
        return serializers.load(url)
    shelf, damaged = saved.Shelf(setup.project()), set[str]()
    while True:
        chosen = shelf.choose(name, which, without=damaged)
        try:
            return serializers.load(chosen.path)
        except ArtefactDamaged as error:
            if which not in (saved.BEST, saved.LATEST):
                raise
            if not _has_other(shelf, chosen, damaged):
                raise ArtefactDamaged(f"no saved model of {name} is whole: {error}") from None
            click.echo(f"mlpipeline: warning: the {which} model is left out, the next one is taken: {error}", err=True)


def _has_other(shelf: Shelf, chosen: Saved, damaged: set[str]) -> bool:
    damaged.add(chosen.digest)
    return any(each.digest not in damaged for each in shelf.models(chosen.name))


def predicted(model: Any, rows: pd.DataFrame, proba: bool) -> pd.DataFrame:
    """Returns a column of predictions, or one for each class."""
    if proba:
        found: pd.DataFrame = model.predict_proba(rows)
        return found.set_axis([str(each) for each in found.columns], axis=1)
    names = model.encoding.output_inputs
    return model.predict(rows).to_frame(names[0] if len(names) == 1 else "prediction")


@contextlib.contextmanager
def opened(file: str) -> Iterator[BinaryIO]:
    """Opens a file to be read; - is stdin."""
    if file == "-":
        yield sys.stdin.buffer
        return
    try:
        source = open(file, "rb")  # noqa: SIM115 - closed below
    except OSError as error:
        from pathlib import Path

        from mlpipeline.errors import UsageError
        from mlpipeline.filesystems import remedy

        raise UsageError(f"{file}: cannot be read {remedy(error, Path(file))}") from None
    with source:
        yield source


@contextlib.contextmanager
def written(path: str | None) -> Iterator[TextIO]:
    """Opens where predictions go; a file appears whole."""
    if path is None:
        yield sys.stdout
        return
    import io
    from pathlib import Path

    from mlpipeline.errors import NotWritable

    text, target = io.StringIO(), Path(path)
    yield text
    # Beside it and renamed, so that nobody reads half of it; a pipe or a terminal stays what it is.
    beside = target if target.exists() and not target.is_file() else target.with_name(f".{target.name}.part")
    try:
        beside.write_text(text.getvalue(), "utf-8")
        if beside is not target:
            beside.replace(target)
    except OSError as error:
        raise NotWritable(f"{path}: cannot be written ({error.strerror}): name another place") from error
