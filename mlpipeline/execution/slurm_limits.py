"""Limits of Slurm's accounts and qualities of service: what the names of them mean to who waits. Touches nothing.

Slurm makes the names of whose limit it is, of what, and for whom: `AssocGrpCpuLimit`, `QOSMaxWallDurationPerJobLimit`.
"""

from __future__ import annotations

import re

_NAME = re.compile(r"\b(Assoc|QOS)(Grp|Max|Min)([A-Za-z]+)\b")
_OF = {
    "Assoc": ("its account", "account"),
    "QOS": ("its quality of service", "qos"),
}
_SUBMITTED = ("submit",)
_JOBS = ("job",)
_AMOUNTS = (
    ("wall", "time", "time"),
    ("minutes", "time", "time"),
    ("cpu", "CPUs", "cpus"),
    ("mem", "memory", "memory"),
    ("gres", "generic resources", "gres"),
    ("node", "nodes", ""),
    ("billing", "what is billed", "cpus, memory, gres"),
)
"""What a name holds, what it means, and the key that asks for less of it, where there is one."""


def _whole(kind: str) -> str:
    """Returns of what a limit is: without for whom it is, and without the word itself."""
    return re.sub(r"Per(?:Job|User|Account|Node)|Limit|NotSatisfied", "", kind).lower()


def words(reason: str) -> str:
    """Says what a limit has a job wait for, and which key asks for less; empty where no limit is named."""
    match = _NAME.search(reason)
    if match is None:
        return ""
    whose, how, kind = match.groups()
    owner, key = _OF[whose]
    what = _whole(kind)
    if any(each in what for each in _SUBMITTED):
        return f"as many jobs are in the queue as {owner} may have ({_in_section(key)}): it is taken when one has ended"
    amount, keys = next(((told, keys) for sign, told, keys in _AMOUNTS if sign in what), ("", ""))
    if not amount and any(each in what for each in _JOBS):
        return f"as many jobs run as {owner} may have at a time ({_in_section(key)}): it starts when one ends"
    amount, keys = amount or "resources", keys or key
    if how == "Min":
        return f"{owner} wants jobs to ask for more {amount}: raise {_in_section(keys)}, or change {_key(key)}"
    if "PerJob" in kind or "PerNode" in kind:
        return f"{owner} gives a job less {amount} than it asks for: lower {_in_section(keys)}, or change {_key(key)}"
    sooner = f"one that asks for more than all together may have never does: lower {_in_section(keys)}"
    if what.endswith("minutes") or (how == "Grp" and what == "wall"):
        return f"{owner} has used up its {amount}: change {_in_section(key)}, or wait until it is given more"
    return f"the jobs of {owner} have all {amount} that they may have at a time: it starts when others end; {sooner}"


def is_of_submission(text: str) -> bool:
    """Whether what sbatch says is about how many jobs may be in the queue: that passes."""
    names = [_whole(match[3]) for match in _NAME.finditer(text)]
    return any(sign in name for name in names for sign in _SUBMITTED)


def _key(name: str) -> str:
    return ", ".join(f"`{each.strip()}`" for each in name.split(","))


def _in_section(names: str) -> str:
    return f"{_key(names)} in [SLURM]"
