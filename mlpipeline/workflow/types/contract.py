"""What parts of standard workflows hand to one another: splits, reports of checks, resources and their lineage."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import pandas as pd

TRAIN, VALIDATION, TEST = "train", "validation", "test"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Splits:
    """Rows of one dataset, told apart: what is learnt from, what selects, what reports.

    Attributes:
        target: the column that is to be predicted; each frame has it.
        train, validation, test: frames of shape (rows, columns) with the same columns; no row is in two of them. None
            where there is no such part.
        time_index: the column that orders the rows of a time series; else None.
    """

    target: str
    train: pd.DataFrame
    validation: pd.DataFrame | None = None
    test: pd.DataFrame | None = None
    time_index: str | None = None

    def parts(self) -> Iterator[tuple[str, pd.DataFrame]]:
        """Yields the names and frames of the parts that there are: train, validation, test."""
        for name in (TRAIN, VALIDATION, TEST):
            frame = getattr(self, name)
            if frame is not None:
                yield name, frame

    def features(self, part: str = TRAIN) -> pd.DataFrame:
        """Returns a part without its target."""
        found: pd.DataFrame = getattr(self, part).drop(columns=self.target)
        return found

    def truth(self, part: str = TRAIN) -> pd.Series:
        """Returns the target of a part, of shape (rows,)."""
        found: pd.Series = getattr(self, part)[self.target]
        return found

    def together(self) -> pd.DataFrame:
        """Returns the rows of all parts, in the order of their index."""
        import pandas as pd

        found: pd.DataFrame = pd.concat([frame for _, frame in self.parts()]).sort_index(kind="stable")
        return found


class Status(enum.StrEnum):
    """How a check ended, from best to worst."""

    PASS = "PASS"
    WARN = "WARN"
    ERROR = "ERROR"

    @property
    def rank(self) -> int:
        """0 for PASS, 1 for WARN, 2 for ERROR."""
        return list(Status).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of a report: what was looked at, how that ended, what was measured, and a sentence for a person."""

    name: str
    status: Status = Status.PASS
    value: float | str | None = None
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a checker or profiler found.

    Attributes:
        name: of the report, e.g. `data_check`.
        findings: line by line.
        path: of the page or picture for people; None where there is none.
    """

    name: str
    findings: tuple[Finding, ...] = ()
    path: str | None = None

    @property
    def status(self) -> Status:
        """The worst status of all findings."""
        return max((each.status for each in self.findings), key=lambda each: each.rank, default=Status.PASS)


class Kind(enum.StrEnum):
    """What a resource is."""

    DATASET = "dataset"
    MODEL = "model"
    PREDICTIONS = "predictions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A version of something that a workflow read or made: never changed, told apart by its content.

    Attributes:
        id: `<kind>-<name>-<n>`, unique in the project; a name may hold dots, slashes and apostrophes.
        kind: dataset, model or predictions.
        name: of the dataset or model, the same for all its versions.
        digest: SHA-256 of its content, hex.
        parents: ids of the resources that it was made from: predictions <- model <- dataset.
        run_id: of the run that made it; None where no run is recorded.
        created_at: UTC, ISO 8601.
        place: file, directory or URL of its content; None where only the digest is kept.
        facts: flat names -> numbers or text: parameters, metrics (`test.f1`), rows, versions of libraries.
    """

    id: str
    kind: Kind
    name: str
    digest: str
    parents: tuple[str, ...] = ()
    run_id: str | None = None
    created_at: str
    place: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
