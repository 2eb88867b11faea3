"""What transformers share: a source's rows, or those of several by name."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from mlpipeline.errors import DataFault, UsageError
from mlpipeline.workflow.part import Part
from mlpipeline.workflow.types.data import DataConnector


def rows(
    part: Part, connector: DataConnector | None, source: str | Mapping[str, str] | pd.DataFrame
) -> pd.DataFrame | dict[str, pd.DataFrame]:
    """Returns rows that were read already, those of a source, or of several by name.

    Raises:
        UsageError: something must be read, and there is no connector.
        DataFault: there is no source.
    """
    if isinstance(source, pd.DataFrame):
        return source
    read = required(part, connector)
    if isinstance(source, str):
        return read.get_data(source)
    if not source:
        raise DataFault(f"{part.address or type(part).__name__}: there is no source: name one")
    return {name: read.get_data(each) for name, each in source.items()}


def required(part: Part, connector: DataConnector | None) -> DataConnector:
    """Returns a connector that is needed.

    Raises:
        UsageError: there is none.
    """
    if connector is None:
        told = "declare data_connector, e.g. `component: {data_connector: LocalDataConnector}`"
        raise UsageError(f"{part.address or type(part).__name__}: nothing reads its source: {told}")
    return connector
