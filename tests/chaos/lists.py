"""What a simulated project wants: its list, its models as they are described, its slots. Values, never changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from mlpipeline.ledger import Key
from mlpipeline.model_options import ModelOptions
from mlpipeline.queue.plan import Wanted

MODELS = ("a.py", "b.py", "c.py")
# The versions of c.py share one model directory; b.py has one version only.
VERSIONS: Mapping[str, tuple[str, ...]] = {"a.py": ("one", "two"), "b.py": ("one",), "c.py": ("one", "two")}
OPTIONS = (
    *(ModelOptions() for _ in range(6)),
    ModelOptions(hold=True),
    ModelOptions(priority=1),
    ModelOptions(priority=-1),
    ModelOptions(priority=1, replicates=2),
    ModelOptions(replicates=2),
    ModelOptions(max_attempts=1),
    ModelOptions(max_attempts=2),
    ModelOptions(after=("a.py",)),
    ModelOptions(after=("b.py",), priority=1),
    ModelOptions(after=("b.py", "c.py")),
    ModelOptions(only=("one",)),
    ModelOptions(not_before=22 * 60, not_after=8 * 60),
    ModelOptions(not_before=5 * 60),
    ModelOptions(not_after=4 * 60),
)


@lru_cache(100_000)
def wish(model: str, version: str, replicate: int, code: int, options: ModelOptions, position: int) -> Wanted:
    """Returns a wish; a model's code decides the parameters of every second revision too."""
    shared = "shared" if model == "c.py" else version
    return Wanted(
        model=model,
        version=version,
        replicate=replicate,
        seed=replicate,
        key=Key(model, version, replicate, f"p{code // 2}", f"c{code}"),
        options=options,
        position=position,
        rank=VERSIONS[model].index(version),
        model_dir=f"{model}-{shared}-s{replicate}",
    )


@dataclass(frozen=True, slots=True)
class Wishes:
    """One state of the list and of everything that decides beside it.

    Attributes:
        entries: the listed models with their options, in order.
        code: the revision of each model's code.
        describing: models whose description is under way.
        faulty: models that cannot run: b.py cannot be imported, of the others a version is listed that they lack.
    """

    entries: tuple[tuple[str, ModelOptions], ...]
    code: Mapping[str, int]
    describing: frozenset[str] = frozenset()
    faulty: frozenset[str] = frozenset()
    slots: int = 1
    wanted: tuple[Wanted, ...] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "wanted", tuple(self._wanted()))

    def _wanted(self) -> list[Wanted]:
        return [
            wish(model, version, replicate, self.code[model], options, position)
            for position, (model, options) in enumerate(self.entries)
            if model not in self.describing and not (model == "b.py" and model in self.faulty)
            for replicate in range(options.replicates)
            for version in VERSIONS[model]
            if not options.only or version in options.only
        ]

    def places(self) -> dict[str, tuple[int, int]]:
        """Returns the models that are being described, as `plan` wants them."""
        return {
            model: (-options.priority, position)
            for position, (model, options) in enumerate(self.entries)
            if model in self.describing
        }
