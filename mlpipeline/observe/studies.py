"""Searches as their trials on disk tell them: by which metric they are compared, and which versions belong to them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from mlpipeline import searches, wire
from mlpipeline.errors import UsageError
from mlpipeline.observe.comparison_rows import Study
from mlpipeline.project import Project

_SHOWN = 10


def studies_of(project: Project, models: Iterable[str]) -> list[Study]:
    """Returns the searches of models; looks at no model's directory where none was ever searched."""
    if not project.studies_dir.is_dir():
        return []
    return [study for model in models for study in read_studies(project.study_dir(model), model)]


def read_studies(directory: Path, model: str) -> list[Study]:
    """Returns the studies of a model, that one first whose last trial is the newest. What is no trial is passed over.

    Args:
        directory: where the model's trials lie; there may be none.
        model: its name.
    """
    try:
        names = os.listdir(directory)
    except (FileNotFoundError, NotADirectoryError):
        return []
    numbers: dict[str, list[int]] = {}
    told: dict[str, tuple[str, str]] = {}
    for number in sorted(int(name[:-5]) for name in names if name.endswith(".json") and name[:-5].isdigit()):
        content = wire.read_json(directory / f"{number}.json")
        if content is None or searches.fault_of_trial(content):
            continue
        metric = str(content.get("metric", ""))
        direction = content.get("direction")
        if direction in searches.DIRECTIONS:
            told[content["study"]] = metric, str(direction)
            numbers.setdefault(content["study"], []).append(number)
    newest_first = sorted(numbers, key=lambda name: -numbers[name][-1])
    return [
        Study(
            name=name,
            model=model,
            metric=told[name][0],
            direction=told[name][1],
            trials=frozenset(f"trial-{number}" for number in numbers[name]),
        )
        for name in newest_first
    ]


def find_study(studies: list[Study], name: str) -> Study:
    """Returns the study that a name, the beginning of one, or `last` means.

    Raises:
        UsageError: there is none, or there are several.
    """
    found = [each for each in studies if each.name.startswith(name)]
    if name == "last":  # of each model
        found = list({each.model: each for each in reversed(studies)}.values())
    if len(found) == 1:
        return found[0]
    known = ", ".join(f"{each.name} ({each.model}, {each.metric})" for each in studies[:_SHOWN])
    if not found:
        told = f"Known: {known}" if known else "No model among these has been searched: see mlpipeline tune"
        raise UsageError(f"there is no study '{name}'. {told}")
    if name == "last":
        raise UsageError(
            f"several models have been searched: name one of them, {', '.join(each.model for each in found)}"
        )
    raise UsageError(f"several studies begin with '{name}': give more of it. Known: {known}")
