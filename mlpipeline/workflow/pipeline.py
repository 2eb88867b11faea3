"""A pipeline: a named part of a workflow that performs actions across components."""

from __future__ import annotations

from abc import ABC

from mlpipeline.workflow.part import Part


class Pipeline(Part, ABC):
    """Performs actions across components. Without code, it is a list of steps: see `steps`.

    Its public methods are its steps. Those that a runner calls are recorded: a run that was killed goes on at the one
    that was interrupted. `main` is what a runner calls that has none of its own.
    """

    _is_framework = True
