"""Parameters as JSON can hold them, and back: what JSON has no word for is tagged, what no file can hold is refused."""

from __future__ import annotations

import math
import re
from datetime import date
from pathlib import PurePath
from typing import Any

import numpy as np
import pandas as pd

from mlpipeline import errors


def dump(value: Any) -> Any:
    """Returns a value of JSON for a parameter: `load` makes an equal parameter of it.

    Raises:
        DataFault: when it is something that no file can hold, such as a function.
    """
    from mlpipeline.data.transformer import Transformer

    match value:
        case None | bool() | str():
            return value
        case np.datetime64() | date():
            return {"moment": pd.Timestamp(value).isoformat()}
        case np.generic():
            return dump(value.item())
        case int():
            return value
        case float():
            return value if math.isfinite(value) else {"float": str(value)}
        case list():
            return [dump(each) for each in value]
        case tuple():
            return {"tuple": [dump(each) for each in value]}
        case dict():
            return {"mapping": [[dump(key), dump(each)] for key, each in value.items()]}
        case Transformer():
            return {"transformer": value.state()}
        case PurePath():
            return {"path": str(value)}
        case re.Pattern():
            return {"regex": [value.pattern, value.flags]}
    raise errors.DataFault(f"{value!r} cannot be saved with a model: use numbers, text, dates, or a class of your own")


def load(value: Any) -> Any:
    """Returns the parameter that `dump` made this of.

    Raises:
        DataFault: when it bears a tag that is not known.
    """
    if isinstance(value, list):
        return [load(each) for each in value]
    if not isinstance(value, dict):
        return value
    ((tag, content),) = value.items()
    return _tagged(tag, content)


def _tagged(tag: str, content: Any) -> Any:
    from mlpipeline.data.transformer import Transformer

    match tag:
        case "moment":
            return pd.Timestamp(content)
        case "float":
            return float(content)
        case "tuple":
            return tuple(load(each) for each in content)
        case "mapping":
            return {load(key): load(each) for key, each in content}
        case "transformer":
            return Transformer.from_state(content)
        case "path":
            return PurePath(content)
        case "regex":
            return re.compile(*content)
    raise errors.DataFault(f"there is no parameter of the kind '{tag}': load it with the release that saved it")
