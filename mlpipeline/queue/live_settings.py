"""The settings in force: mlp.config is read again while the queue runs, and what can change live does."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

from mlpipeline.config_text import Fault
from mlpipeline.errors import ConfigurationError
from mlpipeline.policy import KINDS
from mlpipeline.project import Project
from mlpipeline.queue.settling import Settling
from mlpipeline.settings import CONFIG, Settings, read_settings

LIVE = frozenset(
    {
        "slots",
        "threads",
        "gpus",
        "max_attempts",
        "timeout_seconds",
        "grace_seconds",
        "memory_limit",
        "memory_limit_by",
        "output_limit",
        "min_free_disk",
        "describe_timeout_seconds",
        "keep_runs",
        "keep_checkpoints",
        "keep_logs_mb",
        *KINDS,
    }
)
"""The keys that take effect at once, for what starts from then on. The others wait for the next start."""


class LiveSettings:
    """Holds the last good settings.

    Args:
        project: as it was when the scheduler started.
        say: how a change or a fault is announced.
        slots: of the command line, which hold whatever the file says.
    """

    def __init__(self, project: Project, say: Callable[..., None], *, slots: int | None = None) -> None:
        self.project = project
        self.say = say
        self.slots = slots
        self.settling = Settling(project.config_path)
        self.faults: tuple[str, ...] = ()
        self._read = self._digest()[0]

    def _digest(self) -> tuple[str, bytes]:
        try:
            data = self.project.config_path.read_bytes()
        except OSError:  # gone or unreadable for the moment: what is in force stays
            return "", b""
        return hashlib.sha256(data).hexdigest(), data

    def read(self) -> Project:
        """Looks at the file again and returns the project with the settings that hold from now on."""
        read_at = time.time()
        digest, data = self._digest()
        if not digest or digest == self._read or not self.settling.is_settled(digest, read_at):
            self.settling.pending = self.settling.pending and digest != self._read
            return self.project
        self._read = digest
        try:
            if not data.strip():  # a writer may have emptied it to write it anew
                raise ConfigurationError(faults=[Fault(CONFIG, None, "is empty")])
            fresh = read_settings(data)
        except ConfigurationError as error:
            self.faults = tuple(map(str, error.faults))
            for fault in self.faults:
                self.say(f"fault: {fault}. The settings stay as they were", "ERROR")
            return self.project
        self.faults = ()
        self.project = replace(self.project, settings=self._merged(fresh))
        return self.project

    def _merged(self, fresh: Settings) -> Settings:
        now = self.project.settings
        changes: dict[str, Any] = {"given": fresh.given}
        for each in fields(Settings):
            was, is_now = getattr(now, each.name), getattr(fresh, each.name)
            if was == is_now or each.name == "given":
                continue
            if each.name == "slots" and self.slots is not None:
                told = f"mlp.config: ~ slots: {was} → {is_now}: not while -j {self.slots} holds, of the command line"
                changes[each.name] = is_now
                self.say(told, "WARNING")
            elif each.name in LIVE:
                changes[each.name] = is_now
                self.say(f"mlp.config: ~ {each.name}: {_shown(was)} → {_shown(is_now)}")
            else:
                told = f"mlp.config: ~ {_change(each.name, was, is_now)}"
                self.say(f"{told}: takes effect when the scheduler is started again", "WARNING")
        return replace(now, **changes)


def _change(name: str, was: Any, is_now: Any) -> str:
    if name == "env":  # its values, and those of sections, may be secrets
        return name
    if name == "sections":
        return ", ".join(f"[{each}]" for each in sorted({*was, *is_now}) if was.get(each) != is_now.get(each))
    return f"{name}: {_shown(was)} → {_shown(is_now)}"


def _shown(value: object) -> str:
    return "none" if value is None else str(value)
