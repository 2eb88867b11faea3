"""Features by mlpipeline's own encoders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

import pandas as pd

from mlpipeline import plugins
from mlpipeline.config_text import near_or_known
from mlpipeline.data.encoding import Encoding
from mlpipeline.errors import ConfigurationError, NotFitted
from mlpipeline.workflow.components.feature_transformers import columns, specified
from mlpipeline.workflow.types.data import FeatureTransformer


class EncoderFeatureTransformer(FeatureTransformer):
    """Encodes columns: what was not seen, is missing or out of range has a code of its own.

    Attributes:
        encoders: `[{encoder: Norm, column: age}, {encoder: Unique, column: town, minimum_occurrences: 3}]`; keys beside
            `encoder` are the encoder's own arguments.
        remainder: columns that no encoder reads are handed on as they are; with `drop` they are not.
    """

    encoders: list[dict[str, Any]]
    remainder: Literal["passthrough", "drop"] = "drop"

    def __init__(self) -> None:
        self.encoding = Encoding([_made(entry) for entry in self.encoders], None)

    @classmethod
    def value_faults(cls, values: Mapping[str, Any]) -> Mapping[str, str]:
        """Returns which encoders cannot be made."""
        return specified.faults("encoders", values.get("encoders"), _made)

    def fit(self, data: pd.DataFrame, target: pd.Series | None = None) -> Self:
        """Learns from features of shape (rows, columns), and the target of shape (rows,)."""
        wanted = self.encoding.fit_inputs
        missing = [name for name in wanted if name not in data.columns]
        named = target is not None and missing == [target.name]
        rows = data.assign(**{str(target.name): target}) if named and target is not None else data
        columns.check(self.address or type(self).__name__, rows, wanted)
        self.encoding.fit(lambda names: rows[list(names)])
        self.is_fitted = True
        return self

    def transform(self, data: pd.DataFrame) -> pd.DataFrame:
        """Returns features under the same index, of shape (rows, features)."""
        where = self.address or type(self).__name__
        if "is_fitted" not in self.__dict__:
            raise NotFitted(f"{where}: it has learnt nothing yet: call fit first")
        columns.check(where, data, self.encoding.inputs)
        features = self.encoding.encode_x(data).set_axis(data.index, axis=0)
        if self.remainder == "drop":
            return features
        read = set(self.encoding.inputs)
        return pd.concat([features, data[[name for name in data.columns if name not in read]]], axis=1)


def _made(entry: Any) -> Any:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("encoder"), str):
        raise ConfigurationError(f"is {entry!r}: write {{encoder: Norm, column: age}}")
    name, keywords = entry["encoder"], {key: value for key, value in entry.items() if key != "encoder"}
    known = plugins.names("encoder")
    if name not in known:
        raise ConfigurationError(f"there is no encoder {name!r}.{near_or_known(name, known)}")
    try:
        return plugins.load("encoder", name)(**keywords)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"{name} cannot be made: {error}") from error
