"""Asks an endpoint that speaks OpenAI's protocol for texts about source code."""

from __future__ import annotations

import os
import re

from mlpipeline.config_text import near_miss, shown
from mlpipeline.errors import MlpipelineError, UsageError, require
from mlpipeline.workflow import secrets
from mlpipeline.workflow.types import TextGenerator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_PYTHON_ONLY = "Answer with Python code only: no explanation, no Markdown."
_TASKS = {
    "documentation": (
        "Write documentation of this Python class for its users, in Markdown: what it is for, what configures it, and "
        "each public method. Say nothing that the code does not say. Answer with the Markdown only."
    ),
    "docstrings": (
        "Return this Python class with docstrings in Google style for the class and all of its methods: one sentence, "
        f"then Args, Returns and Raises where there are any. Change nothing else. {_PYTHON_ONLY}"
    ),
    "tests": (
        "Write tests of this Python class as functions for pytest. The class is imported already, under its own name. "
        f"Import what else you use at the top. Use no network, and no files but in pytest's tmp_path. {_PYTHON_ONLY}"
    ),
}
_FENCED = re.compile(r"```[\w+-]*[^\S\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
_WHOLE = re.compile(r"\s*```[\w+-]*[^\S\n]*\n(.*)^```\s*", re.DOTALL | re.MULTILINE)
_LONGEST_FAULT = 500


class OpenAITextGenerator(TextGenerator):
    """Sends source code to an endpoint, and returns what its model writes about it.

    The code leaves this machine, as far as the endpoint does not run on it.

    Args:
        model: as the endpoint calls it; by default $OPENAI_MODEL.
        base_url: e.g. `http://127.0.0.1:8000/v1`; by default $OPENAI_BASE_URL, else that of the company itself.
        api_key: by default $OPENAI_API_KEY. Never printed; in a workflow file write `${env:NAME}`.
        timeout: for one request, in seconds.
        max_retries: how often a request is repeated that failed for a reason that may pass.
        temperature: of sampling, from 0 on.
    """

    def __init__(
        self,
        model: str | None = None,
        base_url: str | None = None,
        api_key: str | None = None,
        timeout: float = 120.0,
        max_retries: int = 2,
        temperature: float = 0.0,
    ) -> None:
        self.model = model
        self.base_url = base_url
        self.timeout = timeout
        self.max_retries = max_retries
        self.temperature = temperature
        self._api_key = api_key

    def generate(self, task: str, source: str) -> str:
        """Returns what the model writes; of an answer in Markdown's fences, what they hold.

        Args:
            task: documentation, docstrings or tests.
            source: Python.

        Raises:
            UsageError: the task is unknown, or model or key are not given.
            MlpipelineError: the endpoint cannot be reached, refuses, or answers nothing.
        """
        if task not in _TASKS:
            raise UsageError(f"there is no task {task!r}.{near_miss(task, _TASKS)} Known: {', '.join(_TASKS)}")
        answer = self._ask(_TASKS[task], source)
        found = (_WHOLE.fullmatch if task == "documentation" else _FENCED.search)(answer)
        text = (found[1] if found else answer).strip("\n")
        if not text.strip():
            raise MlpipelineError(f"{self._place()} answered nothing: try again, or use another model")
        return f"{text}\n"

    def _ask(self, order: str, source: str) -> str:
        openai = require("openai", extra="llm")
        key = self._api_key or os.environ.get("OPENAI_API_KEY")
        model = self.model or os.environ.get("OPENAI_MODEL")
        if not key:
            raise UsageError(
                "OPENAI_API_KEY is not set: set it; where an endpoint of your own asks for none, to any word"
            )
        if not model:
            raise UsageError("no model is named: set OPENAI_MODEL, or the key 'model'")
        messages = [{"role": "system", "content": order}, {"role": "user", "content": source}]
        try:
            with openai.OpenAI(
                api_key=key, base_url=self.base_url, timeout=self.timeout, max_retries=self.max_retries
            ) as client:
                done = client.chat.completions.create(model=model, messages=messages, temperature=self.temperature)
        except openai.OpenAIError as error:
            told = shown(secrets.clean(str(error), {key}), _LONGEST_FAULT)
            # not from it: its request holds the key
            raise MlpipelineError(f"{self._place()}: {type(error).__name__}: {told}") from None
        return str((done.choices[0].message.content if done.choices else None) or "")

    def _place(self) -> str:
        """Returns the endpoint as it may be shown."""
        found = self.base_url or os.environ.get("OPENAI_BASE_URL") or "the default endpoint"
        return str(secrets.shown(found))

    def __getstate__(self) -> dict[str, Any]:
        """Returns what is kept of the object: never the key."""
        return {name: value for name, value in super().__getstate__().items() if name != "_api_key"}

    def __repr__(self) -> str:
        return f"OpenAITextGenerator(model={self.model!r}, base_url={self._place()!r})"
