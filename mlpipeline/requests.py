"""What people ask of the scheduler: one small durable file each, and its answer beside it."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from mlpipeline import wire
from mlpipeline.errors import NotWritable, RequestRefused
from mlpipeline.filesystems import remedy
from mlpipeline.project import Project

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's: no letters that are mistaken for digits
_TIME_DIGITS, _RANDOM_DIGITS = 10, 16
_ANSWER = ".answer.json"
_KEEP_ANSWERS = timedelta(days=30)
_POLL_SECONDS = 0.02


class Action(StrEnum):
    """What may be asked."""

    CANCEL = "cancel"
    RETRY = "retry"
    HOLD = "hold"
    RELEASE = "release"
    NOW = "now"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    NOTE = "note"
    TAG = "tag"
    RECORD = "record"
    IMPORT = "import"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One wish. Ids sort by the time of asking.

    Attributes:
        action: an Action's value, or what a newer client asks.
        target: a run id, `MODEL` or `MODEL:VERSION`, or empty where the whole queue is meant.
        key: chosen by who asks; of several requests with the same key only the first is carried out.
    """

    id: str
    action: str
    target: str
    options: Mapping[str, Any] = field(default_factory=dict)
    at: datetime
    by: str
    key: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Returns what the file holds."""
        content = {"format": 1, "id": self.id, "action": str(self.action), "target": self.target, "key": self.key}
        return content | {"options": dict(self.options), "at": self.at.isoformat(), "by": self.by}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Request:
        """Reads a file's content.

        Raises:
            KeyError, TypeError, ValueError: when it is not a request.
        """
        return cls(
            id=str(content["id"]),
            action=str(content["action"]),
            target=str(content["target"]),
            options=dict(content.get("options") or {}),
            at=datetime.fromisoformat(content["at"]),
            by=str(content.get("by", "")),
            key=None if content.get("key") is None else str(content["key"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of a request."""

    request: Request
    ok: bool
    message: str
    at: datetime


def new_id(milliseconds: int, randomness: bytes) -> str:
    """Returns a ULID in lower case: 10 digits of time, 16 of `randomness` (10 bytes)."""
    number = (milliseconds << 80) | int.from_bytes(randomness, "big")
    digits = []
    for _ in range(_TIME_DIGITS + _RANDOM_DIGITS):
        number, rest = divmod(number, 32)
        digits.append(_ALPHABET[rest])
    return "".join(reversed(digits))


def submit(
    project: Project,
    action: Action | str,
    target: str = "",
    options: Mapping[str, Any] | None = None,
    *,
    key: str | None = None,
) -> str:
    """Asks something of the scheduler and returns the request's id. It is on disk when this returns.

    Raises:
        RequestRefused: when the action is unknown.
        NotWritable: when the directory of requests cannot be written.
    """
    try:
        asked = Action(action)
    except ValueError as error:
        raise RequestRefused(f"'{action}' cannot be asked: choose one of {', '.join(Action)}") from error
    request = Request(
        id=new_id(time.time_ns() // 1_000_000, os.urandom(10)),
        action=asked,
        target=target,
        options=dict(options or {}),
        at=datetime.now(UTC),
        by=user(),
        key=key,
    )
    directory = project.requests_dir
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        wire.write_json(directory / f"{request.id}.json", request.to_json(), sync=True)
        wire.sync_directory(directory.parent)
    except OSError as error:
        raise NotWritable(f"{directory} cannot be written {remedy(error, directory)}") from error
    return request.id


def pending(project: Project) -> list[Request]:
    """Returns what has no answer yet, oldest first. Damaged and unknown files are passed over; changes nothing."""
    found = []
    for path in sorted(_files(project.requests_dir)):
        content = wire.read_json(path)
        if content is None or path.with_name(path.stem + _ANSWER).exists():
            continue
        with contextlib.suppress(KeyError, TypeError, ValueError):
            # The name is what was asked under: an id within could lead the answer to another place.
            found.append(replace(Request.from_json(content), id=path.stem))
    return found


def _files(directory: Path) -> list[Path]:
    try:
        names = os.listdir(directory)
    except OSError:
        return []
    length = _TIME_DIGITS + _RANDOM_DIGITS + len(".json")
    return [directory / name for name in names if len(name) == length and name.endswith(".json")]


def damaged(project: Project) -> list[Path]:
    """Returns the files of requests that cannot be read: not ours, since ours appear whole."""
    found = []
    for path in _files(project.requests_dir):
        try:
            Request.from_json(wire.read_json(path) or {})
        except (KeyError, TypeError, ValueError):
            if path.exists():
                found.append(path)
    return found


def answered(request: Request, ok: bool, message: str) -> dict[str, Any]:
    """Returns what is kept about a request that was carried out or refused just now."""
    now = datetime.now(UTC)
    return {"format": 1, "request": request.to_json(), "ok": ok, "message": message, "at": now.isoformat()}


def answer(project: Project, request: Request, content: Mapping[str, Any]) -> None:
    """Says what became of a request. Durable; the request's own file goes, its content is kept in the answer.

    Raises:
        OSError: it could not be written; the request is still pending.
    """
    directory = project.requests_dir
    wire.write_json(directory / f"{request.id}{_ANSWER}", dict(content), sync=True)
    # A crash between these two leaves an answered request, which `pending` passes over.
    (directory / f"{request.id}.json").unlink(missing_ok=True)


def read_answer(project: Project, request_id: str) -> Answer | None:
    """Returns the answer to a request, None while there is none."""
    content = wire.read_json(project.requests_dir / f"{request_id}{_ANSWER}")
    if content is None:
        return None
    return Answer(
        request=Request.from_json(content["request"]),
        ok=bool(content["ok"]),
        message=str(content["message"]),
        at=datetime.fromisoformat(content["at"]),
    )


def wait_answer(project: Project, request_id: str, timeout: float) -> Answer | None:
    """Waits for the answer to a request, at most `timeout` seconds. Returns None when none came."""
    deadline = time.monotonic() + timeout
    while (found := read_answer(project, request_id)) is None and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    return found


def old_answers(project: Project, now: datetime) -> list[Path]:
    """Returns the answers older than 30 days."""
    oldest = new_id(int((now - _KEEP_ANSWERS).timestamp() * 1000), bytes(10))
    try:
        names = os.listdir(project.requests_dir)
    except FileNotFoundError:
        return []
    return [project.requests_dir / name for name in sorted(names) if name.endswith(_ANSWER) and name < oldest]


def forget_old(project: Project, now: datetime) -> int:
    """Removes answers older than 30 days. Returns how many."""
    found = old_answers(project, now)
    for path in found:
        path.unlink(missing_ok=True)
    return len(found)


def user() -> str:
    """Returns who gives commands here: the name of the user, else the number."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return str(os.getuid())
