"""Whether Slurm could run this project's attempts: asked of its programs, and of a short job on each of a few nodes."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from mlpipeline import wire
from mlpipeline.execution import examination, probe, slurm_batches, slurm_words
from mlpipeline.execution.environment import PACKAGE_PARENT
from mlpipeline.execution.examination import NOTE, OK, PROBLEM
from mlpipeline.execution.slurm import SlurmExecutor
from mlpipeline.execution.slurm_settings import SlurmSettings
from mlpipeline.project import Project

PATIENCE_SECONDS = 120.0
"""So long jobs may wait in Slurm's queue before they are taken back."""
_ANSWER_SECONDS = 30.0
_MOST_NODES = 8


def examine(project: Project) -> Iterator[tuple[str, str]]:
    """Yields findings, each with its weight.

    Raises:
        ConfigurationError: `[SLURM]` is faulty.
        UsageError: Slurm's programs are not on this machine.
    """
    executor = SlurmExecutor.for_project(project)
    ask = _Asker(executor.calls.variables)
    version = ask("sbatch", "--version")
    answer = ask("sinfo", "-h", "-N", "-o", "%N|%R|%t|%O")
    if answer.returncode:
        yield PROBLEM, f"Slurm does not answer: {_words(answer)}: is its controller up, and munge on this machine?"
        return
    yield OK, f"{version.stdout.strip()} answers"
    partition = executor.settings.partition
    nodes = _nodes(answer.stdout)
    if partition is not None and partition not in nodes:
        yield PROBLEM, f"there is no partition {partition} ([SLURM] partition): Slurm has {', '.join(sorted(nodes))}"
        return
    usable = sorted({node for name, found in nodes.items() if partition in (None, name) for node in found})
    if not usable:
        where = f"of partition {partition} " if partition else ""
        yield PROBLEM, f"no node {where}takes jobs now: see sinfo -R"
        return
    yield OK, f"{len(usable)} nodes take jobs"
    yield from _accounting(ask)
    yield from _probe(project, executor.settings, usable[:_MOST_NODES], ask)


class _Asker:
    def __init__(self, variables: Mapping[str, str]) -> None:
        self.variables = variables

    def __call__(self, *command: str, text: str = "") -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                command,
                input=text,
                capture_output=True,
                text=True,
                timeout=_ANSWER_SECONDS,
                env=dict(self.variables),
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return subprocess.CompletedProcess(command, 1, "", f"{command[0]}: {error}")


def _words(answer: subprocess.CompletedProcess[str]) -> str:
    return "; ".join((answer.stderr or answer.stdout).split("\n")).strip("; ")


def _nodes(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        node, partition, state, *_ = (*line.split("|"), "", "")
        names = found.setdefault(partition, [])
        if state.rstrip("*~#%$@+").startswith(("idle", "mix", "alloc")):
            names.append(node)
    return found


def _accounting(ask: _Asker) -> Iterator[tuple[str, str]]:
    answer = ask("scontrol", "show", "config")
    values = {line.partition("=")[0].strip(): line.partition("=")[2].strip() for line in answer.stdout.splitlines()}
    kind, enforced = values.get("AccountingStorageType", ""), values.get("AccountingStorageEnforce", "")
    told = "is not needed" if kind.endswith("none") else "is not asked"
    limits = "; limits of accounts hold" if "limits" in enforced else ""
    yield OK, f"accounting: {kind or 'not known'}, which {told}{limits}"


def _probe(project: Project, settings: SlurmSettings, nodes: list[str], ask: _Asker) -> Iterator[tuple[str, str]]:
    """Has a short job on each node write down what it is like there."""
    try:
        wire.make_directory(project.outputs_dir)
        place = Path(tempfile.mkdtemp(prefix="examination-", dir=project.outputs_dir))
    except OSError as error:
        yield PROBLEM, f"{project.outputs_dir}: cannot be written: {error.strerror}"
        return
    try:
        asked = time.time()
        jobs: dict[str, str] = {}
        for node in nodes:
            answer = ask(*_command(settings, place, node), text=_script(project, settings, place, node))
            if answer.returncode:
                refusal = slurm_words.rejection(_words(answer)) or f"Slurm takes no jobs now: {_words(answer)}"
                yield PROBLEM, f"{node}: {refusal}"
            else:
                jobs[node] = answer.stdout.strip().partition(";")[0]
        yield from _compared(project, place, jobs, asked, ask)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _command(settings: SlurmSettings, place: Path, node: str) -> list[str]:
    limits = [each for each in settings.flags({}) if not each.startswith(("--time", "--signal"))]
    output = str(place / f"{node}.log").replace("%", "%%")
    name = f"--job-name={slurm_batches.PREFIX}examination"
    return ["sbatch", "--parsable", name, f"--output={output}", "--chdir=/", *limits, "--time=2", f"--nodelist={node}"]


def _script(project: Project, settings: SlurmSettings, place: Path, node: str) -> str:
    python = project.settings.python or settings.python or sys.executable
    command = [python, "-c", probe.COMMAND, PACKAGE_PARENT, str(place), node, str(project.root)]
    return f"#!/bin/bash\n{settings.setup}\nexec {shlex.join(command)}\n"


def _compared(
    project: Project, place: Path, jobs: dict[str, str], asked: float, ask: _Asker
) -> Iterator[tuple[str, str]]:
    here = probe.facts(str(project.root))
    end = time.monotonic() + PATIENCE_SECONDS
    states: dict[str, list[str]] = {}
    while jobs and time.monotonic() < end:
        listed = ask("squeue", "-h", "-t", "all", "-j", ",".join(jobs.values()), "-o", "%A|%T|%r").stdout
        states = {line.split("|")[0]: line.split("|")[1:] for line in listed.splitlines() if line.count("|") == 2}
        for node, job in list(jobs.items()):
            told = wire.read_json(place / f"{node}.json")
            if told is not None:
                yield from examination.compare(here, told, asked=asked, heard=time.time())
                del jobs[node]
            elif (states.get(job) or ["PENDING"])[0] in slurm_words.ENDED:
                yield PROBLEM, f"{node}: {_silent(place, node, states[job][0])}"
                del jobs[node]
        time.sleep(0.2)
    for node, job in jobs.items():
        ask("scancel", job)
        state, why = states.get(job, ["PENDING", ""])
        waits = slurm_words.reason(slurm_words.Row(job, state, why, "", node))
        yield NOTE, f"{node} has not come to a short job within {PATIENCE_SECONDS:g} s: it was taken back ({waits})"


def _silent(place: Path, node: str, state: str) -> str:
    log = place / f"{node}.log"
    said = " ".join(log.read_text("utf-8", "replace").split())[-400:] if log.exists() else ""
    unseen = f"it does not see {place}, which must lie on a file system that all machines share, or may not write there"
    return f"its job ended as {state.lower()}: {said or unseen}"
