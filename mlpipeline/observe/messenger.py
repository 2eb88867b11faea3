"""Sends notifications: to a webhook by the standard library, to everything else by apprise."""

from __future__ import annotations

import json
import os
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from mlpipeline.config_text import Fault, Item, parse, unknown_names
from mlpipeline.errors import ConfigurationError, MissingExtra, require
from mlpipeline.observe.notices import KINDS
from mlpipeline.project import Project
from mlpipeline.settings import CONFIG
from mlpipeline.values import seconds

_KEYS = ("webhook", "urls", "on", "every")
_TIMEOUT_SECONDS = 10.0
_LONGEST_SECONDS = 30.0
_EVERY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Place:
    """Somebody who is told. Its name holds no secret; its URL does."""

    name: str
    url: str = field(repr=False)
    by_apprise: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What `[NOTIFY]` says: where to, of what, and how often at most. URLs are secrets: `repr` must not show them."""

    webhook: str = ""
    urls: tuple[str, ...] = ()
    on: tuple[str, ...] = KINDS
    every: float = _EVERY_SECONDS

    def __repr__(self) -> str:
        return f"Wanted(webhook={bool(self.webhook)}, urls={len(self.urls)}, on={self.on}, every={self.every})"

    def __bool__(self) -> bool:
        return bool(self.webhook or self.urls)

    def places(self) -> tuple[Place, ...]:
        """Returns all that are told."""
        hook = [Place(f"the webhook at {urlsplit(self.webhook).hostname}", self.webhook)] if self.webhook else []
        kinds = [url.partition("://")[0] for url in self.urls]
        numbers = [f" (number {place} of urls)" if kinds.count(kind) > 1 else "" for place, kind in enumerate(kinds, 1)]
        named = zip(kinds, numbers, self.urls, strict=True)
        return (*hook, *(Place(f"{kind}://{number}", url, by_apprise=True) for kind, number, url in named))


def wanted(project: Project, environment: Mapping[str, str] = os.environ) -> Wanted:
    """Reads `[NOTIFY]`. `$NAME` in a URL stands for a variable of the environment, where secrets belong.

    Raises:
        ConfigurationError: with every fault of the section.
    """
    try:
        section = parse(project.config_path.read_bytes(), file=CONFIG).sections.get("NOTIFY")
    except OSError:  # without a file there is no section
        section = None
    items = section.items if section else ()
    faults, values = unknown_names(items, _KEYS, CONFIG, "key"), dict[str, Any]()
    for item in items:
        if item.key in _KEYS:
            try:
                values[item.key] = _READERS[item.key](_filled(item, environment))
            except ValueError as error:
                faults.append(Fault(CONFIG, item.line, f"{item.key}: {error}"))
    if faults:
        raise ConfigurationError(faults=faults)
    return Wanted(**values)


def _filled(item: Item, environment: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        name = found[1] or found[2]
        if name not in environment:
            raise ValueError(f"${name} is not set in the environment of the scheduler: set it, or leave the line out")
        return environment[name]

    return re.sub(r"\$(?:\{(\w+)\}|([A-Za-z_]\w*))", value, item.value or "").strip()


def _webhook(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be a URL that begins with https:// or http://")
    return value


def _urls(value: str) -> tuple[str, ...]:
    found = tuple(value.replace(",", " ").split())
    if wrong := [place for place, each in enumerate(found, 1) if "://" not in each]:
        raise ValueError(f"number {wrong[0]} is no URL; they are parted by spaces: mailto://…, slack://…, tgram://…")
    return found


def _kinds(value: str) -> tuple[str, ...]:
    found = tuple(value.replace(",", " ").split())
    if unknown := [each for each in found if each not in KINDS]:
        raise ValueError(f"{unknown[0]!r} is none of {', '.join(KINDS)}")
    return found


_READERS = {"webhook": _webhook, "urls": _urls, "on": _kinds, "every": seconds}


def check_apprise() -> None:
    """Makes sure that apprise is there.

    Raises:
        MissingExtra: it is not.
    """
    require("apprise", extra="notify")


def send(place: Place, message: Mapping[str, Any], *, longest: float = _LONGEST_SECONDS) -> str:
    """Sends a message, and returns why that place has not taken it, without any secret; nothing where it has.

    Args:
        place: who is told.
        message: what.
        longest: so many seconds are waited, however slowly a server answers.
    """
    found: list[str] = []
    # A thread of its own, as timeouts of sockets begin anew with every byte, and apprise's plugins have their own ways.
    way = _by_apprise if place.by_apprise else _post
    sending = threading.Thread(target=lambda: found.append(way(place, message)), daemon=True)
    sending.start()
    sending.join(longest)
    return found[0] if found else f"{place.name} did not answer within {longest:.0f} s"


class _Straight(urllib.request.HTTPRedirectHandler):
    """Follows nowhere: the content of a POST would be left behind."""

    def redirect_request(self, *_: Any) -> None:
        """Returns none: the answer stands for itself."""


def _post(place: Place, message: Mapping[str, Any]) -> str:
    data = json.dumps(message).encode()
    headers = {"Content-Type": "application/json", "User-Agent": "mlpipeline"}
    try:
        request = urllib.request.Request(place.url, data, headers)
        with urllib.request.build_opener(_Straight).open(request, timeout=_TIMEOUT_SECONDS):
            return ""
    except urllib.error.HTTPError as error:
        moved = ": it has moved, name the new URL" if error.code in range(300, 400) else ""
        return f"{place.name} answered {error.code}{moved}"
    except (OSError, ValueError, HTTPException) as error:  # ValueError: of a URL that cannot be asked for
        return f"{place.name} cannot be reached: {_plainly(error, place.url)}"


def _plainly(error: Exception, url: str) -> str:
    """Returns what an error says, unless it says the URL."""
    told = str(getattr(error, "reason", error)) or type(error).__name__
    secrets = [each for each in (url, *urlsplit(url)[2:]) if len(each) > 1]
    return type(error).__name__ if any(each in told for each in secrets) else told


def _by_apprise(place: Place, message: Mapping[str, Any]) -> str:
    try:
        apprise = require("apprise", extra="notify")
        sender = apprise.Apprise()
        if not sender.add(place.url):
            return f"apprise does not know what a {place.name} URL like this one means"
        if sender.notify(title=message["title"], body=message["body"]):
            return ""
    except MissingExtra as error:
        return str(error)
    except Exception as error:  # a plugin's: whatever it raises, its words may hold the URL
        return f"apprise could not send by {place.name}: {type(error).__name__}"
    return f"apprise could not send by {place.name}"
