"""Makes a model of a workflow file: what the queue describes and trains when a models config lists `churn.yaml`."""

from __future__ import annotations

import re
from types import ModuleType

from mlpipeline.workflow import document, levels
from mlpipeline.workflow import runner as runners
from mlpipeline.workflow.sources import CopiedSources

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlpipeline.execution.loader import SourcesFinder


def load(finder: SourcesFinder) -> ModuleType:
    """Returns a module whose MODEL is the runner; one without, where the file names neither a runner nor pipelines.

    Every version is planned while the model is described, so that a faulty one is known before anything is trained.

    Raises:
        ConfigurationError: with everything that is wrong.
    """
    main = finder.place.main
    found = document.load(main, sources=CopiedSources(finder))
    module = ModuleType(re.sub(r"\W", "_", main.stem))
    framework = levels.read(found.root.get(levels.FRAMEWORK), [])
    names = (framework.name, *(level.name for level in framework.inner if level.name != "component"))
    if not found.faults and all(found.root.get(name) is None for name in names):
        return module
    model = runners.load(found, lazy=True)
    if not finder.complete:
        model.verify_versions()
    module.__doc__ = model.plan.description or None
    module.__dict__["MODEL"] = model
    return module
