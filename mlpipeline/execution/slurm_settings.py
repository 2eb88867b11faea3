"""The section `[SLURM]` of mlp.config, and the options of sbatch that follow from it and from an attempt."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from mlpipeline.config_text import Fault, near_miss
from mlpipeline.errors import ConfigurationError
from mlpipeline.execution.remote import Patience, silence
from mlpipeline.settings import CONFIG
from mlpipeline.values import integer, seconds, size, text

_MINUTE = 60.0
OWN_BYTES = 64 * 2**20
"""What a supervisor and Slurm's own shepherd need of a job's memory."""
_CLEARING_SECONDS = 60.0
"""So much longer than a run may take is its job's limit: ours comes first, since it tells more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlurmSettings:
    """The keys of `[SLURM]`; None leaves a matter to the cluster. Sizes are bytes, durations seconds.

    Attributes:
        gres: generic resources as sbatch takes them, `gpu:a100:1`; `gpus=N` of a model asks for `gpu:N` instead.
        setup: a line of shell before each run: `module load python && source env/bin/activate`.
        extra: further options of sbatch.
        python: the interpreter on the nodes; by default the one that runs the queue.
        notice_seconds: so long before the time limit a run is asked for a checkpoint, and makes room.
        array: the most tasks of one job array; by default what the cluster allows.
    """

    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    gres: str | None = None
    memory: int | None = None
    time: float | None = None
    constraint: str | None = None
    cpus: int = 1
    setup: str = ""
    extra: str = ""
    python: str | None = None
    notice_seconds: float = 60.0
    array: int = 1000
    poll_seconds: float = 5.0
    unknown_seconds: float = 60.0
    lease_seconds: float = 30.0
    answer_seconds: float = 60.0

    @property
    def patience(self) -> Patience:
        """How long things may take."""
        linger = min(5.0, self.unknown_seconds / 2)
        return Patience(poll=self.poll_seconds, unknown=self.unknown_seconds, lease=self.lease_seconds, linger=linger)

    def flags(self, spec: Mapping[str, Any]) -> tuple[str, ...]:
        """Returns the options of sbatch for an attempt; attempts with the same ones share an array."""
        gres = f"gpu:{spec['gpus']}" if spec.get("gpus") else None if spec.get("gpus") == 0 else self.gres
        stated = spec.get("memory_limit")
        memory = int(stated) + OWN_BYTES if stated else self.memory
        limit = self.limit(spec)
        options = {
            "partition": self.partition,
            "account": self.account,
            "qos": self.qos,
            "gres": gres,
            "constraint": self.constraint,
            "cpus-per-task": max(self.cpus, int(spec.get("threads") or 1)),
            "mem": None if memory is None else f"{math.ceil(memory / 2**20)}M",
            "time": None if limit is None else math.ceil(limit / _MINUTE),
        }
        found = [f"--{name}={value}" for name, value in options.items() if value is not None]
        return (*found, f"--signal=B:USR1@{math.ceil(self.notice_seconds)}", *shlex.split(self.extra))

    def limit(self, spec: Mapping[str, Any]) -> float | None:
        """Returns how long Slurm lets an attempt's job run, in seconds; None where the partition decides."""
        if self.time is not None:
            return math.ceil(self.time / _MINUTE) * _MINUTE
        if not spec.get("timeout_seconds"):
            return None
        whole = float(spec["timeout_seconds"]) + float(spec.get("grace_seconds") or 0) + _CLEARING_SECONDS
        return math.ceil(whole / _MINUTE) * _MINUTE + self.notice_seconds


def _time(value: str) -> float:
    """A duration as Slurm writes it, `1-12:00:00`, `12:00:00`, `30:00`, or as mlp.config does: `90 min`, `1.5h`."""
    match = re.fullmatch(r"(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?", value)
    if match is None or (match[1] is None and match[3] is None):
        return seconds(value)
    days, parts = int(match[1] or 0), [int(each) for each in match.groups()[1:] if each is not None]
    if match[1] is not None:  # days-hours[:minutes[:seconds]]
        hours, minutes, rest = (*parts, 0, 0)[:3]
    else:
        hours, minutes, rest = (0, *parts) if len(parts) == 2 else tuple(parts)
    return float(((days * 24 + hours) * 60 + minutes) * 60 + rest)


def _options(value: str) -> str:
    try:
        shlex.split(value)
    except ValueError as error:
        raise ValueError(f"cannot be split as a shell would: {error}") from error
    return value


_READERS: Mapping[str, Callable[[str], Any]] = {
    **dict.fromkeys(("partition", "account", "qos", "gres", "constraint", "setup", "python"), text),
    "memory": size,
    "time": _time,
    "cpus": integer(1, 100_000),
    "array": integer(1, 1_000_000),
    "extra": _options,
    **dict.fromkeys(("notice_seconds", "poll_seconds", "unknown_seconds", "answer_seconds"), seconds),
    "lease_seconds": seconds,
}
KEYS = tuple(each.name for each in fields(SlurmSettings))


def read(section: Mapping[str, str]) -> SlurmSettings:
    """Reads the section.

    Raises:
        ConfigurationError: with every fault.
    """
    faults, values = [], {}
    for key, value in section.items():
        if key not in _READERS:
            faults.append(f"unknown key '{key}' in [SLURM].{near_miss(key, KEYS)}")
            continue
        try:
            values[key] = _READERS[key](value)
        except ValueError as error:
            faults.append(f"[SLURM] {key} = {value}: {error}")
    if values.get("lease_seconds", silence()) < silence():
        faults.append(f"[SLURM] lease_seconds: must be {silence():g} or more: supervisors beat every few seconds")
    if faults:
        raise ConfigurationError(faults=[Fault(CONFIG, None, each) for each in faults])
    return SlurmSettings(**values)
