"""What feature transformers share: columns that must be there, and a frame of features under the rows' own index."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from mlpipeline.config_text import near_miss
from mlpipeline.errors import DataFault, NotFitted
from mlpipeline.workflow.part import Part


def check(where: str, data: pd.DataFrame, names: Iterable[str]) -> None:
    """Checks that columns are there.

    Raises:
        DataFault: one is not; the nearest is named.
    """
    for name in names:
        if name not in data.columns:
            near = near_miss(str(name), map(str, data.columns))
            raise DataFault(f"{where}: there is no column {name!r}.{near}")


def transformed(part: Part, data: pd.DataFrame) -> pd.DataFrame:
    """Returns what a part's fitted transformer of scikit-learn's kind makes of rows.

    Raises:
        NotFitted: it has learnt nothing yet.
        DataFault: the rows are not as those that it was fitted with.
    """
    where = part.address or type(part).__name__
    if "fitted" not in part.__dict__:
        raise NotFitted(f"{where}: it has learnt nothing yet: call fit first")
    check(where, data, getattr(part.fitted, "feature_names_in_", ()))
    try:
        made: Any = part.fitted.transform(data)
    except (ValueError, KeyError) as error:
        raise DataFault(f"{where}: {error}") from error
    return made if made.index is data.index else made.set_axis(data.index, axis=0)
