"""The tuner that tries every combination of values."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from mlpipeline.errors import VersionsError
from mlpipeline.searches import Between, Choice
from mlpipeline.workflow.components.hyperparameter_tuners.search import Draws, SearchTuner, Spaces
from mlpipeline.workflow.components.hyperparameter_tuners.trials import Done, Trial

_MOST = 100_000


class GridTuner(SearchTuner):
    """Tries every combination of the values of `search_space`, or of each space of `trainers`."""

    @classmethod
    def check_spaces(cls, spaces: Spaces) -> None:
        """Refuses ranges that have no cells, and grids of more than 100,000."""
        for space in spaces.values():
            cells = 1
            for name, each in space.items():
                if isinstance(each, Between) and not each.is_whole:
                    told = f"a grid has no cells between {each.low} and {each.high}: list values, or take OptunaTuner"
                    raise VersionsError(f"{name}: {told}")
                cells *= len(each.values) if isinstance(each, Choice) else int(each.high - each.low) + 1
            if cells > _MOST:
                raise VersionsError(f"the grid has {cells:,} cells: give fewer values, or take OptunaTuner")

    def draws(self, spaces: Spaces, direction: str, known: list[Done]) -> Draws:
        """Returns the combinations that were not tried yet."""
        return _Cells(spaces, {done.trial.number for done in known})


class _Cells(Draws):
    def __init__(self, spaces: Spaces, known: set[int]) -> None:
        self._trials = (each for each in _cells(spaces) if each.number not in known)

    def propose(self) -> Trial | None:
        return next(self._trials, None)


def _cells(spaces: Spaces) -> Iterator[Trial]:
    numbers = itertools.count(1)
    for trainer, space in spaces.items():
        values = [each.values if isinstance(each, Choice) else _whole(each) for each in space.values()]
        for row in itertools.product(*values):
            parameters = dict(zip(space, row, strict=True))
            yield Trial(number=next(numbers), trainer=trainer, parameters=parameters, drawn={})


def _whole(space: Between) -> range:
    return range(int(space.low), int(space.high) + 1)
