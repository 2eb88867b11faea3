"""Knows which models challenge, and which one is the champion of its name: in files of the project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from mlpipeline import wire
from mlpipeline.errors import DataFault, UsageError
from mlpipeline.workflow import places
from mlpipeline.workflow.components import numbered, resources
from mlpipeline.workflow.part import side_effects
from mlpipeline.workflow.types.contract import Kind, Resource
from mlpipeline.workflow.types.record import ModelRepository

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

DIRECTORY = "champions"
REGISTERED, PROMOTED, APPROVED, FORMER = "registered", "promoted", "approved", "former"


class LocalModelRepository(ModelRepository):
    """Keeps what happened to the models of a name, one small file each, which are never changed."""

    @side_effects
    def register_model(self, model: Resource) -> None:
        """Makes a model a challenger; one that is known stays what it is.

        Raises:
            DataFault: (a ValueError) it is no model.
        """
        if model.kind is not Kind.MODEL:
            raise DataFault(f"{model.id} is no model: register what the trainer made")
        if model.id not in self._states(model.name):
            self._add(model, REGISTERED, resource=resources.to_json(model) | {"id": model.id})

    @side_effects
    def promote_model(self, model: Resource) -> None:
        """Proposes a challenger, or a former champion, as the champion of its name.

        Raises:
            UsageError: it is not registered.
        """
        state = self._states(model.name).get(model.id)
        if state is None:
            raise UsageError(f"{model.id} is not registered: call register_model first")
        if state in (REGISTERED, FORMER):
            self._add(model, PROMOTED)

    @side_effects
    def approve_model(self, model: Resource, by: str) -> None:
        """Approves a promoted model: it is the champion from now on, the former one is not.

        Args:
            model: which one.
            by: who approves; for the history.

        Raises:
            UsageError: it is not promoted, or nobody approves it.
        """
        state = self._states(model.name).get(model.id)
        if not by.strip():
            raise UsageError(f"{model.id}: say who approves it: approve_model(model, by=...)")
        if state is None or state in (REGISTERED, FORMER):
            raise UsageError(f"{model.id} is {state or 'not registered'}: call promote_model first")
        if state == PROMOTED:
            self._add(model, APPROVED, by=by)

    def check_approval(self, model: Resource) -> bool:
        """Returns whether a model is approved, and no other one was after it."""
        return self._states(model.name).get(model.id) == APPROVED

    def champion(self, name: str) -> Resource | None:
        """Returns the approved model of a name; None where there is none."""
        found = self._in_state(name, APPROVED)
        return found[0] if found else None

    def challengers(self, name: str) -> Sequence[Resource]:
        """Returns the models that are registered or promoted, the latest first."""
        return self._in_state(name, REGISTERED, PROMOTED)

    def history(self, name: str) -> Sequence[Mapping[str, Any]]:
        """Returns what happened, the first first: `what`, `model` (its id), `at`, `run_id`, and `by` whom."""
        kept = ("what", "model", "at", "run_id", "by")
        return [{key: each[key] for key in kept if key in each} for each in self._events(name)]

    def _in_state(self, name: str, *states: str) -> list[Resource]:
        known = {
            each["model"]: replace(resources.from_json(each["resource"], 0), id=each["model"])
            for each in self._events(name)
            if each["what"] == REGISTERED
        }
        wanted = [known[model] for model, state in self._states(name).items() if state in states]
        return wanted[::-1]

    def _states(self, name: str) -> dict[str, str]:
        """Returns how far each model of a name has come, in the order in which they were registered."""
        states: dict[str, str] = {}
        for each in self._events(name):
            if each["what"] == APPROVED:
                states = {model: FORMER if state == APPROVED else state for model, state in states.items()}
            if each["what"] != REGISTERED or each["model"] not in states:
                states[each["model"]] = each["what"]
        return states

    def _events(self, name: str) -> list[dict[str, Any]]:
        return numbered.read_all(self._home(name))

    def _add(self, model: Resource, what: str, **more: Any) -> None:
        told = {"format": 1, "what": what, "model": model.id, "at": wire.utc_now(), "run_id": self.run.run_id}
        numbered.add(self._home(model.name), told | more)

    def _home(self, name: str) -> Path:
        return places.outputs_of(self) / DIRECTORY / numbered.file_name(name)
