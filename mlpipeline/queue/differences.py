"""What an edit of a models config changes, in words."""

from __future__ import annotations

import bisect
from dataclasses import fields

from mlpipeline.model_options import ModelOptions
from mlpipeline.selection import Selection


def differences(old: Selection, new: Selection) -> list[str]:
    """Says what an edit changes, a line for each model."""
    before = {each.model: each for each in old.models}
    after = {each.model: each for each in new.models}
    lines = [f"+ added {name}" for name in after if name not in before]
    lines += [f"- removed {name}" for name in before if name not in after]
    stayed = [name for name in before if name in after]
    moved = [name for name in after if name in before]
    lines += [f"↕ moved {name}" for name in _moved(stayed, moved)]
    for name in moved:
        changes = _changes(before[name].options, after[name].options)
        if changes:
            lines.append(f"~ options {name}: {', '.join(changes)}")
        if before[name].fault != after[name].fault:
            lines.append(f"~ {name}: {after[name].fault or 'its fault is mended'}")
    return lines


def _moved(before: list[str], after: list[str]) -> list[str]:
    """The names whose move explains the new order: those outside a longest increasing subsequence."""
    place = {name: index for index, name in enumerate(before)}
    ends: list[int] = []  # of the subsequences of each length, the one that ends lowest
    tails: list[int] = []
    former: list[int] = []
    for index, name in enumerate(after):
        length = bisect.bisect_left(ends, place[name])
        ends[length : length + 1] = [place[name]]
        tails[length : length + 1] = [index]
        former.append(tails[length - 1] if length else -1)
    kept = set()
    index = tails[-1] if tails else -1
    while index >= 0:
        kept.add(after[index])
        index = former[index]
    return [name for name in after if name not in kept]


def _changes(old: ModelOptions, new: ModelOptions) -> list[str]:
    found = []
    for each in fields(ModelOptions):
        was, is_now = getattr(old, each.name), getattr(new, each.name)
        if was != is_now:
            found.append(f"{each.name}: {_shown(was)} → {_shown(is_now)}")
    return found


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return " ".join(value) or "none"
    return "none" if value is None else str(value)
