"""A run as it travels between tools: what was asked, what came of it, what it recorded; nothing of how it is kept."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlpipeline import wire
from mlpipeline.observe.exchange.long_rows import OfRun, Spooled
from mlpipeline.run import IMPORTED, Cause, Run, State
from mlpipeline.rundir import read_notes, read_tags

FORMAT = 1
_ASIDE = ("recorded", "sources")
_TIMES = ("created_at", "started_at", "ended_at")
_ORIGIN = re.compile(r"imported from .*?(: |$)")
_TEXTS = ("id", "tool", "foreign", "store", "message", "commit", "code_digest")
_GROUPS = {"val": "validation", "valid": "validation", "training": "train", "testing": "test"}
_KNOWN = ("train", "validation", "test", *_GROUPS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Portable:
    """One run.

    Attributes:
        id: of ours; empty where it has none yet.
        tool: whose it is, `guild`, say; empty: this project's own.
        foreign: its id there.
        store: where it lay there, for people.
        metrics: results, some in groups: `{"test": {"accuracy": 0.9}}`; JSON-like, NaN as text.
        recorded: rows as `metrics.jsonl` has them: `t`, `step`, `values`; there may be a million.
        attempts: how often it was tried.
        summaries: what the model and its data loader said of themselves.
        sources: its code, by path, where the tool kept it.
    """

    id: str = ""
    tool: str = ""
    foreign: str = ""
    store: str = ""
    model: str
    version: str
    replicate: int = 0
    seed: int = 0
    params: Mapping[str, Any] = field(default_factory=dict)
    state: State
    cause: Cause = Cause.NONE
    message: str = ""
    created_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    metrics: Mapping[str, Any] = field(default_factory=dict)
    steps: int | None = None
    attempts: int = 1
    commit: str = ""
    code_digest: str = ""
    tags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    summaries: tuple[str, str] = ("", "")
    recorded: Iterable[Mapping[str, Any]] = ()
    sources: Mapping[str, bytes] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Returns what a line of JSON holds but for the rows that it recorded; of the code its digest alone."""
        content = {each.name: getattr(self, each.name) for each in fields(self) if each.name not in _ASIDE}
        times = {name: None if content[name] is None else content[name].isoformat() for name in _TIMES}
        return {"format": FORMAT, **content, **times, "state": self.state.value, "cause": self.cause.value}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Portable:
        """Reads what `to_json` returned, with rows or without, by this release or another.

        Raises:
            ValueError, TypeError, KeyError: it is no run; the message says why.
        """
        if content.get("format") != FORMAT:
            raise ValueError(
                f"has format {content.get('format')!r}, and {FORMAT} is known: is it a run of `export runs`?"
            )
        names = {each.name for each in fields(cls)} - {"sources"}
        values = {name: value for name, value in content.items() if name in names}
        for name in _TIMES:
            values[name] = None if values.get(name) is None else aware(datetime.fromisoformat(str(values[name])))
        if values["created_at"] is None:
            raise ValueError("created_at is missing")
        for name in _TEXTS:
            values[name] = str(values.get(name) or "")
        for name in ("model", "version"):
            values[name] = safe(str(values[name]))
        values["state"], values["cause"] = State(values["state"]), Cause(values.get("cause", ""))
        _check(values)
        return cls(**values)


def _check(values: dict[str, Any]) -> None:
    """Refuses what a file may hold that is none of ours, and makes tuples of lists."""
    for name in ("params", "metrics"):
        if not isinstance(values.get(name, {}), dict):
            raise TypeError(f"{name} is no object")
    for name in ("replicate", "seed", "attempts", "steps"):
        if not _is_count(values.get(name, 0), may_be_none=name == "steps"):
            raise TypeError(f"{name} is no whole number of 64 bits")
    lists: list[tuple[str, type]] = [("tags", str), ("notes", str), ("summaries", str)]
    if not isinstance(values.get("recorded"), Spooled):  # those were looked at one by one
        lists.append(("recorded", dict))
    for name, kind in lists:
        told = values.get(name) or (("", "") if name == "summaries" else ())
        if not isinstance(told, list | tuple) or not all(isinstance(each, kind) for each in told):
            raise TypeError(f"{name} is no list of {'objects' if kind is dict else 'texts'}")
        values[name] = tuple(told)
    if len(values["summaries"]) != 2:
        raise TypeError("summaries are not two")


def _is_count(value: Any, *, may_be_none: bool) -> bool:
    if value is None:
        return may_be_none
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 63


def of_run(root: Path, runs_dir: Path, run: Run, *, curves: bool = True) -> Portable:
    """Returns a run of the ledger, with what its directory still has.

    Args:
        root: of the project.
        runs_dir: where run directories lie; some may be gone.
        run: of the ledger.
        curves: whether what it recorded comes along, too.
    """
    last = run.last
    place = root / last.directory
    result, environment = wire.read_json(place / wire.RESULT) or {}, wire.read_json(place / wire.ENVIRONMENT) or {}
    origin = (wire.read_json(place / wire.ORIGIN) or {}) if last.executor == IMPORTED else {}
    git = environment.get("git")
    return Portable(
        id=run.id,
        tool=str(origin.get("tool", "")),
        foreign=str(origin.get("id", "")),
        store=str(origin.get("store", "")),
        model=run.model,
        version=run.version,
        replicate=run.replicate,
        seed=run.seed,
        params=run.params,
        state=run.state,
        cause=last.cause,
        message=_ORIGIN.sub("", last.message, count=1) if origin else last.message,
        created_at=run.created_at,
        started_at=last.started_at,
        ended_at=last.ended_at,
        metrics=last.metrics or {},
        steps=last.steps,
        attempts=len(run.attempts),
        commit=str(git.get("commit") or "") if isinstance(git, dict) else "",
        code_digest=run.code_digest,
        tags=tuple(read_tags(runs_dir / run.id)),
        notes=tuple(str(each.get("text") or "") for each in read_notes(runs_dir / run.id)),
        summaries=(str(result.get("model_summary") or ""), str(result.get("loader_summary") or "")),
        recorded=OfRun(root, run) if curves else (),
    )


def rows(points: Iterable[tuple[datetime, int, str, float]]) -> tuple[dict[str, Any], ...]:
    """Returns points of curves (time, step, name, value) as rows, those of one time and step in one row, by time."""
    found: dict[tuple[datetime, int], dict[str, Any]] = {}
    for at, step, name, value in points:
        found.setdefault((at, step), {})[name] = plain(value)
    return tuple(
        {"t": at.astimezone(UTC).isoformat(), "step": step, "values": values}
        for (at, step), values in sorted(found.items(), key=lambda item: item[0])
    )


def grouped(values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns results by groups, as an evaluation's are: `test/accuracy` and `test_accuracy` are of `test`."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        for mark in "/._ ":
            group, _, rest = name.partition(mark)
            if rest and group in _KNOWN:
                found.setdefault(_GROUPS.get(group, group), {})[rest] = plain(value)
                break
        else:
            found[name] = plain(value)
    return found


def plain(value: Any) -> Any:
    """Returns a value as JSON can hold it: what is no finite number as text."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def aware(moment: datetime) -> datetime:
    """Returns a time in UTC; one without a zone is taken as UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def safe(name: str) -> str:
    """Returns a name that can stand before or after the colon of MODEL:VERSION."""
    text = "".join(letter if letter.isprintable() else " " for letter in name).replace(":", "-").strip()
    return text[:200] or "unnamed"


def tag_words(words: Iterable[str]) -> Iterator[str]:
    """Yields tags of another tool as they can be here."""
    from mlpipeline.rundir import LONGEST_TAG

    for word in words:
        text = "-".join("".join(each if each.isprintable() else " " for each in word).replace(",", " ").split())
        if text:
            yield text[:LONGEST_TAG]
