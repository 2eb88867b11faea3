"""What a person may ask from a page: requests to the scheduler, and the order of the list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlpipeline import requests
from mlpipeline.dashboard.refusal import Refusal
from mlpipeline.errors import MlpipelineError
from mlpipeline.observe import finding
from mlpipeline.project import Project
from mlpipeline.queue import reordering, revisions
from mlpipeline.requests import Action
from mlpipeline.rundir import fault_of_tag

ALLOWED = (
    *(Action.CANCEL, Action.RETRY, Action.HOLD, Action.RELEASE, Action.NOW, Action.PAUSE, Action.RESUME),
    *(Action.NOTE, Action.TAG),
)
WAIT_SECONDS = 5.0
_LONGEST = 10_000
_OF_QUEUE = (Action.PAUSE, Action.RESUME)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What became of it: `state` is done, refused, or accepted where nobody has answered yet."""

    state: str
    message: str

    def to_json(self) -> dict[str, str]:
        """Returns it for a page."""
        return {"state": self.state, "message": self.message}


def ask(project: Project, name: str, content: Mapping[str, Any]) -> Told:
    """Asks the scheduler, and waits a few seconds for its answer.

    Raises:
        Refusal: it is nothing that can be asked.
    """
    action = next((each for each in ALLOWED if each.value == name), None)
    if action is None:
        raise Refusal(404, f"'{name}' cannot be asked")
    target = content.get("target", "")
    if not isinstance(target, str) or len(target) > _LONGEST or not (target or action in _OF_QUEUE):
        raise Refusal(400, f"{name}: name a run or a model")
    options = _options(action, content)
    try:
        identity = requests.submit(project, action, target, options)
    except MlpipelineError as error:
        raise Refusal(409, str(error)) from error
    if not finding.scheduler_line(project).running:
        return Told(state="accepted", message=f"{name}: carried out when the scheduler runs; it is not running")
    answer = requests.wait_answer(project, identity, WAIT_SECONDS)
    if answer is None:
        return Told(state="accepted", message=f"{name}: accepted; the scheduler has not answered yet")
    return Told(state="done" if answer.ok else "refused", message=answer.message)


def _options(action: Action, content: Mapping[str, Any]) -> dict[str, Any]:
    if action is Action.NOTE:
        text = content.get("text")
        if not isinstance(text, str) or not text.strip() or len(text) > _LONGEST:
            raise Refusal(400, "note: write something")
        return {"text": text.strip()}
    if action is Action.TAG:
        added, removed = _words(content.get("add")), _words(content.get("remove"))
        for fault in filter(None, map(fault_of_tag, added)):
            raise Refusal(400, fault)
        return {"add": added, "remove": removed}
    return {}


def _words(value: Any) -> list[str]:
    if not isinstance(value, list | None) or not all(isinstance(each, str) for each in value or ()):
        raise Refusal(400, "tags are a list of words")
    return list(value or ())


def reorder(project: Project, content: Mapping[str, Any]) -> Told:
    """Writes the list of models in another order.

    Raises:
        Refusal: it is not the list that the page showed, or cannot be written.
    """
    order, digest = content.get("order"), content.get("digest")
    if not isinstance(order, list) or not all(isinstance(each, str) for each in order) or not isinstance(digest, str):
        raise Refusal(400, "an order is a list of models")
    try:
        moved = reordering.reorder(project, order, digest)
    except MlpipelineError as error:
        raise Refusal(409, str(error)) from error
    return Told(state="done", message="; ".join(moved) or "nothing moved")


def undo(project: Project) -> Told:
    """Brings the former list of models back.

    Raises:
        Refusal: there is none, or the file was edited meanwhile.
    """
    try:
        change = revisions.undo(project)
    except MlpipelineError as error:
        raise Refusal(409, str(error)) from error
    return Told(state="done", message="; ".join(change.differences) or "the same models, in the same order")
