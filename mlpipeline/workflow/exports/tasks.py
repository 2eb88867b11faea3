"""What a workflow is cut into where another tool runs it: one task for each step, as far as these can be told apart."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from mlpipeline.errors import UsageError
from mlpipeline.workflow import steps
from mlpipeline.workflow.planned import Plan
from mlpipeline.workflow.runner import Runner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LONGEST = 36
_MAIN: tuple[tuple[str, ...], str] = ((), "main")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One task.

    Attributes:
        number: from 1.
        call: what is called, e.g. `train.model_trainer.fit`; `main` where all is one task.
    """

    number: int
    call: str

    @property
    def name(self) -> str:
        """Returns a name of letters, digits and underscores that no other task of the workflow has."""
        folded = re.sub(r"[^A-Za-z0-9]+", "_", self.call).strip("_")
        return f"step_{self.number}_{folded[-_LONGEST:].strip('_')}"


def tasks(plan: Plan) -> tuple[Task, ...]:
    """Returns the tasks of a workflow, in order.

    These are the steps of a runner that is a list of them; of one that has no `main` of its own, its pipelines. All
    else is one task: the code of a runner's `main`, and one with checks or a cache around it.
    """
    root = plan.root
    around = [(check.address, check.method) for check in plan.checks]
    is_plain = root.kind is None or getattr(root.kind, "main", None) is Runner.main
    if not is_plain or _MAIN in (*around, *plan.cached):
        return (Task(number=1, call="main"),)
    if root.steps is not None:
        calls = [str(step) for step in root.steps]
    else:
        calls = [f"{part.address[-1]}.main" for part in root.parts() if part.level.name != "component"]
    return tuple(Task(number=number, call=call) for number, call in enumerate(calls or ["main"], 1))


def run(runner: Runner, directory: Path | None, until: int | None = None) -> Any:
    """Runs a workflow up to one of its tasks, and returns what its `main` would return then.

    Args:
        directory: keeps the result of each step, and what the parts have become by it; none whose result is there is
            repeated. So each run of all tasks wants a directory of its own. None keeps nothing.
        until: the number of the last task; by default all are done.

    Raises:
        UsageError: there is no such task.
    """
    found = tasks(runner.plan)
    if until is not None and not 1 <= until <= len(found):
        listed = ", ".join(f"{each.number} ({each.call})" for each in found)
        raise UsageError(f"there is no step {until}: the steps of this workflow are {listed}")
    if directory is not None:
        runner.keep_steps(directory)
    if until is None or until == len(found):
        return runner.main()
    if runner.plan.root.steps is not None:
        return steps.run(runner, {}, until)
    names = [each.call.partition(".")[0] for each in found[:until]]
    return {name: getattr(runner, name).main() for name in names}
