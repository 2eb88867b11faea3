"""The kinds of columns, as JSON holds them."""

from __future__ import annotations

from mlpipeline.data.schema import Column
from mlpipeline.learning.serving.form import Form
from mlpipeline.learning.serving.forms.loose import Items, Scalar
from mlpipeline.learning.serving.forms.numbers import Duration, Number, Whole
from mlpipeline.learning.serving.forms.words import Binary, Flag, Text, Time


def form_of(column: Column) -> Form:
    """Returns how a column stands in JSON."""
    dtype = column.dtype.lower()
    if column.kind == "number":
        return Whole(dtype) if dtype.startswith(("int", "uint")) else Number()
    if column.kind == "time":
        return Time(dtype)
    by_kind: dict[str, type[Text | Flag | Duration | Binary | Items | Scalar]] = {
        "boolean": Flag,
        "text": Text,
        "duration": Duration,
        "bytes": Binary,
        "list": Items,
    }
    return by_kind.get(column.kind, Scalar)()
