"""The settings of mlp.config: their names, their values, and every fault of the file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mlpipeline.config_text import ConfigText, Fault, Item, near_miss, near_or_known, parse, shown, unknown_names
from mlpipeline.errors import ConfigurationError
from mlpipeline.policy import Policies, Policy
from mlpipeline.values import POLICY_READERS, devices, integer, one_of, optional, seconds, size, text, variables

CONFIG = "mlp.config"
OWNED = ("DATA", "SLURM", "RAY", "TRACKING", "NOTIFY", "DASHBOARD", "PACKAGE")
"""Sections that belong to other parts; their keys are kept as text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(Policies):
    """The keys of `[MLP]`. Sizes are bytes, durations seconds; None means no limit or the default named in the docs."""

    models_dir: str = "models"
    outputs_dir: str | None = None
    host: str | None = None
    executor: str = "local"
    slots: int = 1
    threads: int | None = None
    gpus: str = "auto"
    preload: str = "auto"
    idle_release_seconds: float = 600.0
    max_attempts: int = 3
    timeout_seconds: float | None = None
    memory_limit: int | None = None
    describe_timeout_seconds: float = 60.0
    grace_seconds: float = 30.0
    rerun_on: str = "code"
    python: str | None = None
    env: dict[str, str] = field(default_factory=dict)
    keep_runs: int | None = None
    keep_checkpoints: int | None = None
    keep_logs_mb: float | None = None
    min_free_disk: int | None = None
    output_limit: int = 10**9
    memory_limit_by: str = "auto"
    on_killed: Policy | None = None
    on_oom: Policy | None = None
    on_exception: Policy | None = None
    on_timeout: Policy | None = None
    on_disk_full: Policy | None = None
    on_nan: Policy | None = None
    sections: dict[str, dict[str, str]] = field(default_factory=dict)
    given: frozenset[str] = frozenset()
    """The keys that stand in the file, whatever their values are."""


_READERS: dict[str, Callable[[str], Any]] = {
    "models_dir": text,
    "outputs_dir": text,
    "host": text,
    "executor": text,
    "slots": integer(1, 100_000),
    "threads": integer(1, 1024),
    "gpus": devices,
    "preload": text,
    "idle_release_seconds": seconds,
    "max_attempts": integer(1),
    "timeout_seconds": optional(seconds),
    "memory_limit": optional(size),
    "describe_timeout_seconds": seconds,
    "grace_seconds": seconds,
    "rerun_on": one_of("code", "params", "never"),
    "python": text,
    "env": variables,
    "keep_runs": optional(integer(1)),
    "keep_checkpoints": optional(integer(1)),
    "keep_logs_mb": optional(integer(1)),
    "min_free_disk": optional(size),
    "output_limit": size,
    "memory_limit_by": one_of("auto", "cgroup", "sum", "address_space"),
    **POLICY_READERS,
}
"""How each key of `[MLP]` is read. A reader raises ValueError with what is needed."""

KEYS = tuple(_READERS)


def read_settings(data: bytes) -> Settings:
    """Reads the content of `mlp.config`.

    Raises:
        ConfigurationError: with every fault.
    """
    written = parse(data, file=CONFIG)
    faults = [*written.faults, *written.line_faults]
    values: dict[str, Any] = {}
    if "MLP" in written.sections:
        items = written.sections["MLP"].items
        faults += unknown_names(items, KEYS, CONFIG, "key")
        values = _values(items, faults)
    faults += _unknown_sections(written)
    if faults:
        raise ConfigurationError(faults=sorted(faults, key=lambda fault: fault.line or 0))
    owned = {
        name: {item.key: item.value or "" for item in section.items}
        for name, section in written.sections.items()
        if name in OWNED
    }
    return Settings(**values, sections=owned, given=frozenset(values))


def values_of(settings: Settings, section: str, readers: Mapping[str, Callable[[str], Any]]) -> dict[str, Any]:
    """Reads a section that somebody else owns: the values of the keys that it has.

    Args:
        settings: of the project.
        section: its name.
        readers: of its keys; each raises ValueError or OSError with what is wrong.

    Raises:
        ConfigurationError: a key is not known, or its value cannot be read.
    """
    values: dict[str, Any] = {}
    for key, told in settings.sections.get(section, {}).items():
        if key not in readers:
            raise ConfigurationError(f"{CONFIG}: [{section}] has an unknown key {key!r}.{near_or_known(key, readers)}")
        try:
            values[key] = readers[key](told)
        except (ValueError, OSError) as error:
            raise ConfigurationError(f"{CONFIG}: [{section}] {key} = {shown(told)}: {error}") from error
    return values


def _unknown_sections(written: ConfigText) -> list[Fault]:
    known = ("MLP", *OWNED)
    return [
        Fault(CONFIG, section.line, f"unknown section [{shown(name)}].{near_miss(name, known)}")
        for name, section in written.sections.items()
        if name not in known
    ]


def _values(items: tuple[Item, ...], faults: list[Fault]) -> dict[str, Any]:
    values = {}
    for item in items:
        if item.key not in KEYS:
            continue
        try:
            values[item.key] = _READERS[item.key](item.value or "")
        except ValueError as error:
            faults.append(Fault(CONFIG, item.line, f"{item.key} = {shown(item.value or '')}: {error}"))
    return values
