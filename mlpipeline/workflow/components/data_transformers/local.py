"""Transforms rows by a function of the user's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from mlpipeline.errors import DataFault, WrongType
from mlpipeline.workflow.components import user_code
from mlpipeline.workflow.components.data_transformers import reading
from mlpipeline.workflow.types.data import DataConnector, DataTransformer


class LocalDataTransformer(DataTransformer):
    """Calls `transform(data, **transformer_kwargs)` of a Python file. `data` is a frame; of several sources by name, a
    mapping of frames by these names. What it returns are the rows; without a file, the rows stay as they are.

    Attributes:
        data_connector: reads sources.
        transformer_path: of the file.
        transformer_func: what the function is called.
        transformer_kwargs: further arguments.
    """

    data_connector: DataConnector | None
    transformer_path: str | None = None
    transformer_func: str = "transform"
    transformer_kwargs: Mapping[str, Any] | None = None

    def transform(self, source: str | Mapping[str, str] | pd.DataFrame) -> pd.DataFrame:
        """Returns transformed rows of a source, of several by name, or of rows that were read already."""
        rows = reading.rows(self, self.data_connector, source)
        where = self.address or type(self).__name__
        if self.transformer_path is None:
            if isinstance(rows, pd.DataFrame):
                return rows
            raise DataFault(f"{where}: {len(rows)} sources become one by a function only: set transformer_path")
        function = user_code.find(self.transformer_path, self.transformer_func, where)
        made = function(rows, **(self.transformer_kwargs or {}))
        if not isinstance(made, pd.DataFrame):
            told = f"{self.transformer_func} of {self.transformer_path} returned {type(made).__name__}"
            raise WrongType(f"{where}: {told}: return a pandas DataFrame")
        return made
