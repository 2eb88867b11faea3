"""What is wrong with a Ray cluster for a project's runs, in words: reachable, one file system, the same versions."""

from __future__ import annotations

import json
import select
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mlpipeline.execution import examination, ray_settings
from mlpipeline.execution.environment import PACKAGE_PARENT
from mlpipeline.execution.examination import NOTE, OK, PROBLEM
from mlpipeline.execution.ray_link import Link
from mlpipeline.execution.ray_node import LOOK, look
from mlpipeline.execution.ray_reasons import Cluster, shown
from mlpipeline.execution.ray_settings import RaySettings
from mlpipeline.project import Project

_CONNECT_SECONDS = 120.0
_PROBE_SECONDS = 60.0
_MOST_NODES = 100


def examine(project: Project) -> Iterator[tuple[str, str]]:
    """Yields findings, each with its weight. Changes nothing.

    Raises:
        ConfigurationError: `[RAY]` is faulty.
    """
    settings = ray_settings.read(project)
    link = Link(settings)
    try:
        yield from _cluster(project, settings, link)
    finally:
        link.close()


def _cluster(project: Project, settings: RaySettings, link: Link) -> Iterator[tuple[str, str]]:
    connected = _hear(link, "connected", 1, _CONNECT_SECONDS)
    if not connected:
        yield PROBLEM, link.fault or f"Ray at {settings.address} does not answer"
        return
    link.send("nodes")
    answers = _hear(link, "nodes", 1, _PROBE_SECONDS)
    if not answers:
        yield PROBLEM, link.fault or f"Ray at {settings.address} does not tell its nodes"
        return
    nodes = answers[0]["nodes"]
    total = {name: sum(each["has"].get(name, 0.0) for each in nodes) for name in ("CPU", "GPU", "memory")}
    has = ", ".join(shown(name, amount) for name, amount in total.items() if amount)
    yield OK, f"Ray {connected[0]['ray']} at {settings.address} answers: {len(nodes)} nodes with {has}"
    if settings.token_file is None:
        yield NOTE, "no token_file in [RAY]: without one, whoever reaches the cluster may run code on it"
    yield from _needs(settings, nodes)
    yield from _nodes(project, settings, link, nodes[:_MOST_NODES])


def _needs(settings: RaySettings, nodes: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    told = Cluster([each["has"] for each in nodes]).reason(settings.needs({}))
    if told.startswith("no node"):
        yield PROBLEM, told


def _nodes(
    project: Project, settings: RaySettings, link: Link, nodes: list[dict[str, Any]]
) -> Iterator[tuple[str, str]]:
    outputs = next(each for each in (project.outputs_dir, *project.outputs_dir.parents) if each.is_dir())
    places = [str(project.root), str(outputs)]
    asked = time.time()
    for each in nodes:
        link.send("probe", node=each["node"], command=[settings.python, "-I", "-c", LOOK, PACKAGE_PARENT, *places])
    here = look(*places)
    answers = {each["name"]: each for each in _hear(link, "probed", len(nodes), _PROBE_SECONDS)}
    for each in nodes:
        answer = answers.get(each["node"])
        if answer is None:
            yield PROBLEM, f"node {each['host']} does not answer within {_PROBE_SECONDS:g} s"
        elif answer["status"] != 0:
            yield PROBLEM, f"node {each['host']}: {unusable(str(answer['text']), settings)}"
        else:
            there = json.loads(answer["text"])
            yield from differences(here, there, outputs)
            yield from examination.compare(here, there, asked=asked, heard=time.time())


def unusable(text: str, settings: RaySettings) -> str:
    """Returns what is wrong with a node where the interpreter could not even look around."""
    words = (text.strip().splitlines() or ["no word"])[-1]
    told = f"{settings.python} cannot be used there ({words})"
    return f"{told}: set python in [RAY], and install mlpipeline where it is here ({PACKAGE_PARENT})"


def differences(here: Mapping[str, Any], there: Mapping[str, Any], outputs: Path) -> Iterator[tuple[str, str]]:
    """Yields what is other with the file system of a node than here.

    Args:
        here, there: what `ray_node.look` has found.
        outputs: what both have looked at.
    """
    share = "the project must lie on a file system that all nodes share"
    if there["directory"] is None:
        yield PROBLEM, f"{there['node']} does not see {outputs} ({there['error']}): {share}"
    elif list(there["directory"]) != list(here["directory"]):
        yield PROBLEM, f"{there['node']} sees another directory at {outputs}: {share}"
    elif not there["may_write"]:
        yield PROBLEM, f"{there['node']} may not write to {outputs}: start Ray there as the user who runs the queue"


def _hear(link: Link, what: str, count: int, seconds: float) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    end = time.monotonic() + seconds
    while len(found) < count and time.monotonic() < end:
        found += [each for each in link.hear() if each["say"] == what]
        if link.fault:
            break
        if link.descriptor >= 0 and len(found) < count:
            select.select([link.descriptor], [], [], 0.5)
    return found
