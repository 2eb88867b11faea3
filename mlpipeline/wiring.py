"""Fills the registry with every built-in part, as text, loaded on use; called by entry points, else by the registry."""

from __future__ import annotations

from collections.abc import Callable

from mlpipeline import plugins

BUILT_IN = (
    ("executor", "inline", "mlpipeline.execution.inline:InlineExecutor"),
    ("executor", "local", "mlpipeline.execution.local:LocalExecutor"),
    ("model_format", ".yaml", "mlpipeline.workflow.model_file:load"),
)


def wire(register: Callable[[str, str, str], None] = plugins.register) -> None:
    """Registers what the package brings along. Imports none of it; may be called again."""
    for kind, name, target in BUILT_IN:
        register(kind, name, target)
