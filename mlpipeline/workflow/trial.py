"""Which run what is fitted belongs to: the trial of a tuner, else the run of the workflow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from mlpipeline.context import RunContext
from mlpipeline.workflow.part import Part

_current: ContextVar[RunContext | None] = ContextVar("mlpipeline_trial", default=None)


@contextmanager
def within(run: RunContext) -> Iterator[None]:
    """Has whatever is fitted meanwhile, in this thread, belong to a run of its own."""
    token = _current.set(run)
    try:
        yield
    finally:
        _current.reset(token)


def run_of(part: Part, seed: int) -> RunContext:
    """Returns where the progress and the metrics of a fit go.

    It has no checkpoints: several fits of one workflow would take one another's. What a workflow repeats after a kill
    are its steps.

    Args:
        part: that fits.
        seed: of the fit.
    """
    trial = _current.get()
    if trial is not None:
        trial.seed = seed
        return trial
    outer = part.run
    return RunContext(
        model=outer.model,
        version=outer.version,
        directory=outer.directory,
        seed=seed,
        replicate=outer.replicate,
        attempt=outer.attempt,
        run_id=outer.run_id,
        params=outer.params,
        nan_guard=outer.nan_guard,
    )
