"""Compares a machine of an engine with this one, in words: what would make a run there another one than here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

OK, NOTE, PROBLEM = "ok", "note", "problem"
_SKEW_SECONDS = 2.0
_SHOWN = 5


def compare(
    here: Mapping[str, Any], there: Mapping[str, Any], *, asked: float, heard: float
) -> Iterator[tuple[str, str]]:
    """Yields findings, each with its weight.

    Args:
        here: what `probe.facts` says on this machine.
        there: what it says on the other one.
        asked: when that was asked for, and
        heard: when its answer was seen, by this machine's clock, in seconds since 1970.
    """
    node = there.get("node")
    found = list(_differences(here, there, asked, heard))
    yield from found
    if not any(weight == PROBLEM for weight, _ in found):
        yield OK, f"{node} sees the project, with Python {there.get('python')} at {there.get('executable')}"


def _differences(
    here: Mapping[str, Any], there: Mapping[str, Any], asked: float, heard: float
) -> Iterator[tuple[str, str]]:
    node = there.get("node")
    if not there.get("sees_project"):
        yield PROBLEM, f"{node} does not see the project: it must lie on a file system that all machines share"
    if _minor(there) != _minor(here):
        told = f"{node} has Python {there.get('python')}, and the queue {here.get('python')}: set `python`"
        yield PROBLEM, f"{told} to an interpreter that all machines have"
    if there.get("mlpipeline") != here.get("mlpipeline"):
        yield PROBLEM, f"{node} has mlpipeline {there.get('mlpipeline')}, and the queue {here.get('mlpipeline')}"
    yield from _packages(node, here.get("packages") or {}, there.get("packages") or {})
    if there.get("user") != here.get("user"):
        yield PROBLEM, f"runs on {node} are of user {there.get('user')}, and the queue of {here.get('user')}"
    skew = max(asked - float(there.get("time") or 0), float(there.get("time") or 0) - heard)
    if skew > _SKEW_SECONDS:
        yield NOTE, f"the clock of {node} is off by at least {skew:.0f} s: times of its runs are, too (NTP mends that)"


def _minor(facts: Mapping[str, Any]) -> list[str]:
    return str(facts.get("python", "")).split(".")[:2]


def _packages(node: Any, here: Mapping[str, str], there: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    absent = sorted(set(here) - set(there))
    other = sorted(name for name in set(here) & set(there) if here[name] != there[name])
    if other:
        told = ", ".join(f"{name} {there[name]} (here {here[name]})" for name in other[:_SHOWN])
        yield PROBLEM, f"{node} has other versions of {len(other)} packages: {told}{_more(other)}"
    if absent:
        yield PROBLEM, f"{node} lacks {len(absent)} packages: {', '.join(absent[:_SHOWN])}{_more(absent)}"


def _more(names: list[str]) -> str:
    return f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
