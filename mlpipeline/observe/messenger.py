"""Sends notifications: to a webhook by the standard library, to everything else by apprise."""

from __future__ import annotations

import json
import os
import re
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from mlpipeline.config_text import Fault, Item, parse, unknown_names
from mlpipeline.errors import ConfigurationError, require
from mlpipeline.observe.notices import KINDS
from mlpipeline.project import CONFIG, Project
from mlpipeline.values import seconds

_KEYS = ("webhook", "urls", "on", "every")
_TIMEOUT_SECONDS = 10.0
_EVERY_SECONDS = 60.0


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


def send(wishes: Wanted, message: Mapping[str, Any], *, timeout: float = _TIMEOUT_SECONDS) -> list[str]:
    """Sends a message to all that are wanted, and returns what went wrong, without the secrets of any URL.

    Raises:
        MissingExtra: apprise is needed and not installed.
    """
    failures = list(_post(wishes.webhook, message, timeout)) if wishes.webhook else []
    if wishes.urls:
        failures += _by_apprise(wishes.urls, message)
    return failures


def _post(url: str, message: Mapping[str, Any], timeout: float) -> Iterable[str]:
    data = json.dumps(message).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", "User-Agent": "mlpipeline"})
    host = urlsplit(url).hostname
    try:
        with urllib.request.urlopen(request, timeout=timeout):
            return
    except urllib.error.HTTPError as error:
        yield f"the webhook at {host} answered {error.code}"
    except (OSError, ValueError) as error:  # ValueError: http.client's of a URL that it cannot ask for
        yield f"the webhook at {host} cannot be reached: {getattr(error, 'reason', error)}"


def _by_apprise(urls: Iterable[str], message: Mapping[str, Any]) -> list[str]:
    apprise = require("apprise", extra="notify")
    failures = []
    for url in urls:
        # One by one, so that it can be said which of them did not take it.
        sender, kind = apprise.Apprise(), url.partition("://")[0]
        if not sender.add(url):
            failures.append(f"apprise does not know what a {kind}:// URL like this one means")
        elif not sender.notify(title=message["title"], body=message["body"]):
            failures.append(f"apprise could not send by {kind}://")
    return failures
