"""Tables as files that give back exactly what was kept, and digests of what is in them."""

from __future__ import annotations

import hashlib
import itertools
import json
import warnings
from collections.abc import Iterator
from pathlib import Path

from mlpipeline import errors
from mlpipeline.errors import DataFault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import pandas as pd

FILE = "frame.arrow"
_OBJECT = "object"


def digest(frame: pd.DataFrame) -> str:
    """Returns the SHA-256 of a table's values, dtypes, names, order and index: the same in every process.

    Raises:
        DataFault: (a ValueError) a column holds objects that cannot be compared, lists say.
    """
    from pandas.util import hash_array

    total = hashlib.sha256(json.dumps(["frame", *_described(frame)]).encode())
    for name, values in _arrays(frame):
        try:
            total.update(hash_array(values).tobytes())
        except TypeError as error:
            told = f"column {name!r} holds values without content ({error})"
            raise DataFault(f"{told}: make it numbers or text") from error
    return total.hexdigest()


def _described(frame: pd.DataFrame) -> list[Any]:
    columns = [[type(name).__name__, str(name)] for name in frame.columns]
    names = [[type(name).__name__, str(name)] for name in [*frame.columns.names, *frame.index.names]]
    return [frame.shape, columns, names, [_dtype(values.dtype) for _, values in _arrays(frame)]]


def _dtype(dtype: Any) -> list[str]:
    categories = getattr(dtype, "categories", None)
    if categories is None:
        return [str(dtype)]
    return [str(dtype.ordered), str(categories.dtype), *(repr(each) for each in categories)]


def _arrays(frame: pd.DataFrame) -> Iterator[tuple[Any, Any]]:
    """Yields the names and values of all columns, then of all levels of the index."""
    import numpy as np

    columns = ((name, frame.iloc[:, place]) for place, name in enumerate(frame.columns))
    levels = ((name, frame.index.get_level_values(place)) for place, name in enumerate(frame.index.names))
    for name, values in itertools.chain(columns, levels):
        yield name, values.to_numpy() if isinstance(values.dtype, np.dtype) else values.array


def write(frame: pd.DataFrame, directory: Path) -> None:
    """Writes a table into a directory.

    Raises:
        DataFault: (a ValueError) it cannot be kept as it is; the message names the column.
    """
    pyarrow = errors.require("pyarrow", extra="data")
    ipc = errors.require("pyarrow.ipc", extra="data")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of names that come back as others: that is seen below
            table = pyarrow.Table.from_pandas(frame)
            # A table without rows has no batch, and only batches carry the categories.
            batches = table.to_batches() if len(frame) else [pyarrow.RecordBatch.from_pandas(frame)]
    except (pyarrow.ArrowException, ValueError, TypeError) as error:
        told = "; ".join(str(each) for each in error.args)
        hint = "give each column values of one type, and a name of its own"
        raise DataFault(f"the rows cannot be kept: {told}: {hint}") from error
    with pyarrow.OSFile(str(directory / FILE), "wb") as sink, ipc.new_file(sink, table.schema) as file:
        for batch in batches:
            file.write_batch(batch)
    _check(frame, read(directory))


def _check(frame: pd.DataFrame, kept: pd.DataFrame) -> None:
    if digest(kept) == digest(frame):
        return
    if list(kept.columns) != list(frame.columns):
        raise DataFault(f"the rows cannot be kept: the names of their columns, {list(frame.columns)!r}, must be text")
    before, after = frame.reset_index(drop=True), kept.reset_index(drop=True)
    changed = [name for name in frame.columns if digest(before[[name]]) != digest(after[[name]])]
    what = f"column {changed[0]!r} ({frame[changed[0]].dtype})" if changed else "their index"
    raise DataFault(f"the rows cannot be kept as they are: {what} would change: convert it to another dtype")


def read(directory: Path) -> pd.DataFrame:
    """Reads a table as it was written.

    Raises:
        DataFault: (a ValueError) it is damaged.
    """
    pyarrow = errors.require("pyarrow", extra="data")
    ipc = errors.require("pyarrow.ipc", extra="data")
    try:
        with pyarrow.OSFile(str(directory / FILE), "rb") as source, ipc.open_file(source) as file:
            table = file.read_all()
        frame: pd.DataFrame = table.to_pandas()
        return _with_objects(frame, table)
    except (pyarrow.ArrowException, OSError, ValueError, KeyError) as error:
        raise DataFault(f"{directory / FILE} cannot be read: {error}") from error


def _with_objects(frame: pd.DataFrame, table: Any) -> pd.DataFrame:
    """Gives columns of Python objects back as such, where Arrow has made text of them."""
    import pandas as pd

    told = json.loads(table.schema.metadata[b"pandas"])["columns"]
    for each in told:
        if each["numpy_type"] != _OBJECT or each["name"] is None or each["name"] not in frame.columns:
            continue
        if str(frame[each["name"]].dtype) != _OBJECT:
            values = table.column(each["field_name"]).to_pylist()
            frame[each["name"]] = pd.Series(values, index=frame.index, dtype=_OBJECT)
    return frame
