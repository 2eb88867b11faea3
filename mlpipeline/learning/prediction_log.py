"""Writes down what a model predicted: for each row its key, features, prediction, run and time."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from mlpipeline import errors, wire
from mlpipeline.project import Project

LINES, PARQUET = ".jsonl", ".parquet"


def place_of(log: bool | str | os.PathLike[str], directory: Path | None, model: str) -> Path:
    """Returns where predictions are written.

    Args:
        log: a path; True for `predictions.jsonl` in the directory of the run, or in the project's outputs.
        directory: of the run that made the model; None where there is none.
        model: its name.

    Raises:
        DataFault: (a ValueError) there is neither a run nor a project, or the path ends in neither suffix.
    """
    if not isinstance(log, bool):
        path = Path(log)
        if path.suffix not in (LINES, PARQUET):
            raise errors.DataFault(f"log={str(path)!r}: end it in {LINES}, or in {PARQUET} for a directory of files")
        return path
    if directory is not None:
        return directory / f"predictions{LINES}"
    project = Project.load()
    if not project.config_found:
        raise errors.DataFault(
            "log=True: there is neither a run nor a project here: name a file, log='predictions.jsonl'"
        )
    return project.outputs_dir / "predictions" / f"{Path(model).stem}{LINES}"


def check_keys(frame: pd.DataFrame, keys: Sequence[str]) -> list[str]:
    """Returns the columns that tell rows apart.

    Raises:
        DataFault: (a ValueError) none are named, one is not there, or a row has none.
    """
    named = [keys] if isinstance(keys, str) else list(keys)
    if not named:
        raise errors.DataFault(
            "log needs keys, the columns that tell rows apart: predict(frame, log=True, keys=['id'])"
        )
    if absent := [name for name in named if name not in frame.columns]:
        raise errors.DataFault(
            f"keys: there is no column {', '.join(map(repr, absent))} in the frame: name others, or add it"
        )
    missing = frame[named].isna().any(axis=1)
    if missing.any():
        raise errors.DataFault(f"keys: {int(missing.sum()):,} of {len(frame):,} rows have none: fill them")
    return named


def write(
    path: Path, frame: pd.DataFrame, predicted: pd.Series, keys: Sequence[str], features: Iterable[str], run: str | None
) -> None:
    """Adds a row for each prediction, all of them or none.

    Args:
        path: a file of JSON lines, which is added to; or a directory of Parquet files, which gets another one.
        frame: what was predicted for.
        predicted: decoded.
        keys: columns that tell rows apart.
        features: columns that were read.
        run: the id of the run that made the model.

    Raises:
        NotWritable: nothing was added.
    """
    at = wire.utc_now()
    key_texts, feature_texts = _texts(frame, keys), _texts(frame, features)
    try:
        wire.make_directory(path.parent if path.suffix == LINES else path)
        if path.suffix == LINES:
            _add_lines(path, key_texts, feature_texts, predicted, run, at)
        else:
            _add_file(path, key_texts, feature_texts, predicted, run, at)
    except OSError as error:
        raise errors.NotWritable(
            f"{path}: predictions cannot be logged ({error.strerror}): name another place"
        ) from error


def _texts(frame: pd.DataFrame, names: Iterable[str]) -> list[str]:
    """Returns the columns that are named as a JSON object for each row."""
    picked = frame[list(names)].reset_index(drop=True)
    if not len(picked):
        return []
    text = picked.to_json(orient="records", lines=True, date_format="iso", double_precision=15, force_ascii=True)
    return str(text).splitlines()


def _add_lines(
    path: Path, keys: list[str], features: list[str], predicted: pd.Series, run: str | None, at: str
) -> None:
    values = _texts(predicted.rename("value").to_frame(), ["value"])
    rest = json.dumps({"run": run, "at": at})[1:]
    # One object for each row: what pandas wrote as JSON goes in as it is.
    lines = [
        f'{{"key": {key}, "features": {feature}, {value[1:-1]}, {rest}\n'
        for key, feature, value in zip(keys, features, values, strict=True)
    ]
    content = "".join(lines).encode("utf-8")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        if os.write(descriptor, content) < len(content):
            os.ftruncate(descriptor, size)
            raise OSError(28, "No space left on device")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _add_file(path: Path, keys: list[str], features: list[str], predicted: pd.Series, run: str | None, at: str) -> None:
    columns: dict[str, Any] = {"key": keys, "features": features, "value": predicted.to_numpy()}
    table = pd.DataFrame(columns).assign(run=run, at=at)
    name = f"{at[:19].replace(':', '')}-{secrets.token_hex(4)}{PARQUET}"
    beside = path / f".{name}.part"
    table.to_parquet(beside, index=False)
    wire.sync_file(beside)
    beside.rename(path / name)
    wire.sync_directory(path)
