"""One attempt's directory, typed: what was asked for, how far it is, how it ended.

For readers: the supervisor and the worker, who pay for every import, use the plain dictionaries of `wire`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from os import PathLike
from pathlib import Path
from typing import Any, Self, get_type_hints

from mlpipeline import wire
from mlpipeline.events import Ended
from mlpipeline.run import Cause, State

FORMAT = 1
LONGEST_TAG = 60


class _Record:
    """A dataclass that stands in a JSON file."""

    __slots__ = ()

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Makes the record of a file's content. Keys that it does not know are left out: a newer writer's, say.

        Raises:
            ValueError: when something necessary is missing or no date, state or cause.
        """
        hints = get_type_hints(cls)
        known = {each.name for each in fields(cls)}  # type: ignore[arg-type]
        try:
            return cls(**{name: _typed(hints[name], value) for name, value in content.items() if name in known})
        except TypeError as error:
            raise ValueError(f"{cls.__name__.lower()}.json: {error}") from error

    def to_json(self) -> dict[str, Any]:
        """Returns what is written to the file."""
        content = asdict(self)  # type: ignore[call-overload]
        return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in content.items()}


def _typed(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    if hint in (State, Cause):
        return hint(value)
    return datetime.fromisoformat(value) if hint in (datetime, datetime | None) else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec(_Record):
    """What an attempt is asked to do. Paths are relative, so that a project can be moved.

    Attributes:
        sources: digest of the copied sources; `sources_path` leads to them from the attempt's directory.
        root: the project's root, from the attempt's directory.
        model_dir: from the project's root.
        changes: parameters whose values differ from the version's, by a policy.
        fresh: train from scratch, unless the model directory belongs to this very run.
        devices: that it has, each with its uuid; None where it may take what it finds.
        cores: that all runs of the machine together may use.
        memory_need: how much memory it was reckoned to need, in bytes.
        gpus: how many it asks an engine for; None where nothing was said.
        gpu_memory: how much of each it said it needs; it shares them then.
        trial: of a search: its number, the metric that it is compared by, and what was drawn for it.
        drill: in a drill, how many steps to train, and where to save and to be killed.
    """

    format: int = FORMAT
    run_id: str
    attempt: int
    token: str
    model: str
    version: str
    mode: str = "execution"
    replicate: int
    seed: int
    sources: str
    sources_path: str
    python_path: list[str] = field(default_factory=list)
    root: str
    models_dir: str
    model_dir: str
    params: dict[str, Any]
    params_digest: str
    code_digest: str
    invocation: str
    created_at: datetime
    fresh: bool = False
    rerun_on: str = "code"
    threads: int | None = None
    cores: int | None = None
    timeout_seconds: float | None = None
    grace_seconds: float = 0.0
    python: str | None = None
    variables: list[str] = field(default_factory=list)
    devices: list[Any] | None = None
    gpus: int | None = None
    gpu_memory: int | str | None = None
    drill: dict[str, int] = field(default_factory=dict)
    trial: dict[str, Any] | None = None
    executor: str
    submitted_at: datetime
    changes: dict[str, Any] = field(default_factory=dict)
    memory_need: int | None = None
    memory_limit: int | None = None
    memory_limit_by: str = "auto"
    output_limit: int | None = None
    nan_guard: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome(_Record):
    """How an attempt ended: the supervisor's last word."""

    token: str
    state: State
    cause: Cause = Cause.NONE
    message: str = ""
    exit_code: int | None = None
    signal: int | None = None
    started_at: datetime | None = None
    ended_at: datetime
    peak_memory_bytes: int | None = None
    peak_gpu_memory_bytes: int | None = None
    cpu_seconds: float | None = None
    steps: int | None = None
    metrics: dict[str, Any] = field(default_factory=dict)
    checkpoint_step: int | None = None
    warnings: list[str] = field(default_factory=list)

    def event(self, run_id: str, number: int) -> Ended:
        """Returns what the ledger records of it."""
        both = {each.name for each in fields(Ended)} & {each.name for each in fields(self)}
        values = {name: getattr(self, name) for name in both}
        return Ended(run_id=run_id, number=number, at=self.ended_at, **values)


@dataclass(frozen=True, slots=True)
class AttemptDir:
    """The files of one attempt, read on every access. What is absent or torn is None."""

    path: Path

    @property
    def spec(self) -> Spec | None:
        """What is asked for.

        Raises:
            ValueError: it is whole, but not what this release understands.
        """
        content = wire.read_json(self.path / wire.SPEC)
        return None if content is None else Spec.from_json(content)

    @property
    def outcome(self) -> Outcome | None:
        """How it ended; None before.

        Raises:
            ValueError: it is whole, but not what this release understands.
        """
        content = wire.read_json(self.path / wire.OUTCOME)
        return None if content is None else Outcome.from_json(content)

    @property
    def started(self) -> dict[str, Any] | None:
        """Who supervises it, since when."""
        return wire.read_json(self.path / wire.STARTED)

    @property
    def progress(self) -> dict[str, Any] | None:
        """How far the training is."""
        return wire.read_json(self.path / wire.PROGRESS)

    @property
    def result(self) -> dict[str, Any] | None:
        """How the code ended, in the worker's words."""
        return wire.read_json(self.path / wire.RESULT)

    @property
    def control(self) -> dict[str, Any] | None:
        """What the run was asked for last."""
        return wire.read_json(self.path / wire.CONTROL)

    @property
    def output_log(self) -> Path:
        """Where all that the run printed stands."""
        return self.path / wire.OUTPUT

    @property
    def metrics(self) -> Path:
        """Where the recorded metrics stand, for `read_metrics`."""
        return self.path / wire.METRICS

    @property
    def messages(self) -> Path:
        """Where what the run said for the host's log stands."""
        return self.path / wire.MESSAGES

    @property
    def sources(self) -> Path:
        """The copied sources that it runs."""
        return self.path / wire.SOURCES

    def request(self, action: str) -> None:
        """Asks the run for a checkpoint, to yield, to stop or to be pruned; the newest request counts."""
        wire.write_json(self.path / wire.CONTROL, {"action": action, "at": wire.utc_now()})


def read_notes(run: Path) -> list[dict[str, Any]]:
    """Returns what people noted on a run, oldest first, each note once."""
    return list({str(row.get("id")): row for row in read_metrics(run / wire.NOTES)}.values())


def read_tags(run: Path) -> list[str]:
    """Returns the tags that people gave a run and did not take away, in alphabetical order."""
    found: set[str] = set()
    for row in read_metrics(run / wire.TAGS):
        added, removed = (row.get(name) for name in ("add", "remove"))
        found |= {str(each) for each in added} if isinstance(added, list) else set()
        found -= {str(each) for each in removed} if isinstance(removed, list) else set()
    return sorted(found)


def fault_of_tag(tag: str) -> str:
    """Returns what is wrong with a tag, nothing where it is good."""
    if 0 < len(tag) <= LONGEST_TAG and tag.isprintable() and not any(each.isspace() or each == "," for each in tag):
        return ""
    return f"{tag!r} is no tag: give a word without spaces and commas, of at most {LONGEST_TAG} letters"


def read_metrics(path: str | PathLike[str]) -> Iterator[dict[str, Any]]:
    """Yields the recorded metrics, oldest first. A line that is torn, as the last one may be, is left out."""
    try:
        file = open(path, encoding="utf-8", errors="replace")  # noqa: SIM115 - closed below, after a missing one is told
    except FileNotFoundError:
        return
    with file:
        for line in file:
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if isinstance(row, dict) and line.endswith("\n"):
                yield row
