"""What Slurm's programs say, and what it means here. Decides, and touches nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from mlpipeline.execution import slurm_limits
from mlpipeline.execution.remote import Ending, Sight, Stage

QUEUE_FORMAT = "%F|%K|%T|%r|%S|%N|%j"
"""Job, tasks of its array, state, reason, start, nodes, name: the name may hold anything, so it comes last."""
LINE_FORMAT = "%F|%P"
"""Job and partition of everybody's jobs that wait; an array is one."""
_WAITING = {
    *(
        "PENDING",
        "CONFIGURING",
        "REQUEUED",
        "REQUEUE_HOLD",
        "REQUEUE_FED",
        "SPECIAL_EXIT",
        "RESV_DEL_HOLD",
        "SUSPENDED",
    ),
}
ENDED = {
    *("BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED"),
    *("REVOKED", "TIMEOUT"),
}
_LIVELIEST = (Stage.RUNNING, Stage.WAITING, Stage.ENDED)
_UNCERTAIN = {"NODE_FAIL", "BOOT_FAIL", "REVOKED"}
"""After these Slurm has not seen the job's processes end."""

_AGAIN = "tried again from its last checkpoint"
ENDINGS: Mapping[str, Ending] = {
    "TIMEOUT": Ending("failed", "time_limit", "ran into Slurm's time limit: raise `time` in [SLURM], or train less"),
    "DEADLINE": Ending("failed", "time_limit", "could not end before the job's deadline in Slurm"),
    "OUT_OF_MEMORY": Ending("failed", "memory_limit", "used more memory than Slurm gave it: raise `memory` in [SLURM]"),
    "NODE_FAIL": Ending("lost", "node_failed", f"its node failed; {_AGAIN}"),
    "BOOT_FAIL": Ending("lost", "node_failed", f"its node could not be started; {_AGAIN}"),
    "PREEMPTED": Ending("lost", "preempted", f"Slurm gave its place to another job; {_AGAIN}"),
    "REVOKED": Ending("lost", "lost_supervisor", f"another cluster took the job; {_AGAIN}"),
    # By a person, or by Slurm: a controller that hands numbers out again takes such a job for one that it has lost.
    "CANCELLED": Ending("lost", "killed", f"cancelled in Slurm, not by this queue; {_AGAIN}"),
}

_REASONS = {
    "Resources": "it is first in line, and waits for resources",
    "Priority": "jobs with a higher priority are before it",
    "Dependency": "it waits for another job",
    "JobHeldUser": "it is held: scontrol release",
    "JobHeldAdmin": "it is held by an administrator",
    "BeginTime": "its time has not come",
    "PartitionDown": "its partition is down: it waits until that is up, or change `partition` in [SLURM]",
    "PartitionInactive": "its partition takes no jobs now: it waits until it does, or change `partition` in [SLURM]",
    "PartitionTimeLimit": "it asks for more time than its partition gives: lower `time` in [SLURM]",
    "PartitionNodeLimit": "its partition has too few nodes for it: change `partition` in [SLURM]",
    "PartitionConfig": "no node of its partition could take it: change `partition`, `memory` or `gres` in [SLURM]",
    "BadConstraints": "no node fits: change `constraint`, `memory` or `gres` in [SLURM]",
    "ReqNodeNotAvail": "the nodes that it needs are not available",
    "Licenses": "it waits for a licence",
    "Reservation": "it waits for its reservation",
    "InvalidAccount": "its account is not valid: change `account` in [SLURM]",
    "InvalidQOS": "its quality of service is not valid: change `qos` in [SLURM]",
    "QOSNotAllowed": "its account or partition may not have this quality of service: change `qos` in [SLURM]",
    "AccountNotAllowed": "its account may not use this partition: change `account` or `partition` in [SLURM]",
}
_SENTENCES = (
    ("account not permitted", "AccountNotAllowed"),
    ("qos not permitted", "QOSNotAllowed"),
    ("not permitted to use this partition", "AccountNotAllowed"),
)
"""What some reasons begin with that Slurm says as a sentence, with names in it."""

_KEYS = (
    ("invalid account", "account, partition"),
    ("partition", "partition"),
    ("account", "account"),
    ("qos", "qos"),
    ("generic resource", "gres"),
    ("gres", "gres"),
    ("feature", "constraint"),
    ("memory", "memory"),
    ("time limit", "time"),
    ("--time", "time"),
    ("node configuration", "memory, gres, cpus, constraint"),
    ("cpu count", "cpus"),
    ("more processors", "cpus"),
    ("unrecognized option", "extra"),
    ("invalid option", "extra"),
)
_PASSING = (
    *("unable to contact slurm controller", "connection refused", "timed out", "time out", "did not answer"),
    *("socket", "try again", "temporarily", "communication", "zero bytes", "munge", "authentication", "no route"),
    *("slurm backup controller", "unable to resolve", "slurmctld", "protocol"),
)
_FULL = ("submit limit", "submitjob", "maxsubmit", "job count", "job limit", "jobs limit", "node count limit reached")
_ASKED = ("--partition", "--account", "--qos", "--gres", "--constraint", "--cpus-per-task", "--mem", "--time")


class Row(NamedTuple):
    """A job, or a task of an array, as squeue lists it."""

    job: str
    state: str
    reason: str
    start: str
    node: str

    @property
    def stage(self) -> Stage:
        """How far it is; a state of a newer Slurm counts as running, since it is in the queue."""
        if self.state in _WAITING:
            return Stage.WAITING
        return Stage.ENDED if self.state in ENDED else Stage.RUNNING


class Listed(NamedTuple):
    """The jobs of one name: tasks by their numbers, and what is said of all that are not listed singly."""

    tasks: dict[int, list[Row]]
    others: list[Row]

    @property
    def job(self) -> str:
        """The array's number."""
        rows = self.others or next(iter(self.tasks.values()), [])
        return rows[0].job if rows else ""


def read_queue(text: str, prefix: str) -> tuple[dict[str, Listed], list[str]]:
    """Reads what squeue says in `QUEUE_FORMAT`.

    Returns:
        the jobs whose names begin with the prefix, by what follows it; and lines that cannot be read.
    """
    found: dict[str, Listed] = {}
    odd = []
    for line in text.splitlines():
        fields = line.split("|", 6)
        if len(fields) < 7 or not fields[0].isdigit():
            odd += [line] if line.strip() else []
            continue
        job, tasks, state, reason, start, node, name = fields
        if not name.startswith(prefix):
            continue
        listed = found.setdefault(name[len(prefix) :], Listed({}, []))
        row = Row(job, state.strip().upper(), reason, start, node)
        if (numbers := task_numbers(tasks)) is None:
            listed.others.append(row)
        for number in numbers or ():
            listed.tasks.setdefault(number, []).append(row)
    return found, odd


def read_line(text: str) -> dict[str, str]:
    """Reads what squeue says in `LINE_FORMAT`, those first that are first in line.

    Returns:
        each job's place among those that wait in its partition, in words.
    """
    lines: dict[str, dict[str, int]] = {}
    for each in text.splitlines():
        job, _, partition = each.strip().partition("|")
        if job.isdigit():
            line = lines.setdefault(partition, {})
            line.setdefault(job, len(line) + 1)
    return {
        job: f"; {place} of {len(line)} in line for {partition}"
        for partition, line in lines.items()
        for job, place in line.items()
    }


def task_numbers(text: str) -> list[int] | None:
    """Reads `0-3,7,9-11:2%4`; None where there is no such list."""
    found: list[int] = []
    for part in text.partition("%")[0].strip("[] ").split(","):
        match = re.fullmatch(r"(\d+)(?:-(\d+)(?::(\d+))?)?", part)
        if match is None:
            return None
        first = int(match[1])
        found += range(first, int(match[2] or first) + 1, int(match[3] or 1))
    return found


def sight(listed: Listed | None, number: int, position: str = "") -> Sight:
    """Returns what the list says of one task.

    A job that was started twice counts by its liveliest self. A task that is not listed, of an array that is, has
    ended: Slurm keeps those that wait with their array.
    """
    if listed is None:
        return Sight(Stage.UNKNOWN)
    rows = listed.tasks.get(number) or listed.others
    if not rows:
        return Sight(Stage.ENDED, is_certain=True)
    row = rows[0] if len(rows) == 1 else min(rows, key=lambda each: _LIVELIEST.index(each.stage))
    if row.stage is Stage.WAITING:
        return Sight(Stage.WAITING, reason(row, position))
    if row.stage is Stage.RUNNING:
        return Sight(Stage.RUNNING)
    return Sight(Stage.ENDED, ending=ENDINGS.get(row.state), is_certain=row.state not in _UNCERTAIN)


def reason(row: Row, position: str = "") -> str:
    """Says why a job waits: in words, with Slurm's own."""
    told = _REASONS.get(row.reason, "") or slurm_limits.words(row.reason) or _sentence(row.reason)
    if row.state != "PENDING":
        return f"Slurm: {row.state.lower().replace('_', ' ')}"
    own = "" if row.reason in ("None", "") else f" ({row.reason})"
    if not told:
        told = "it waits" if own else "it is about to start"
    start = f", perhaps until {row.start}" if re.match(r"\d{4}-", row.start) else ""
    return f"Slurm: {told}{own}{start}{position}"


def _sentence(reason: str) -> str:
    small = reason.lower()
    return next((_REASONS[name] for sign, name in _SENTENCES if sign in small), "")


def rejection(words: str, flags: Sequence[str] = ()) -> str | None:
    """Returns what a person reads where sbatch refused a job; None where it may take it later.

    Args:
        words: what sbatch says.
        flags: the options of sbatch that it was called with.
    """
    small = words.lower()
    text = re.sub(r"sbatch: (error: )?", "", words)
    if is_full(words):
        return None
    asked = " ".join(each for each in flags if each.startswith(_ASKED))
    text = f"Slurm refused it: {text}{asked and f' (it asked for {asked})'}"
    if limit := slurm_limits.words(words):
        return f"{text}: {limit}"
    for sign, key in _KEYS:
        if sign in small:
            return f"{text}: see {_keys(key)} in [SLURM]"
    if any(each in small for each in _PASSING):
        return None
    return f"{text}: see [SLURM] in mlp.config"


def passing(words: str) -> str:
    """Returns what a person reads where sbatch may take a job later."""
    limit = slurm_limits.words(words)
    return f"{limit} ({words})" if limit else words


def _keys(names: str) -> str:
    return ", ".join(f"`{each}`" for each in names.split(", "))


def is_full(words: str) -> bool:
    """Whether sbatch refused jobs since there are too many: fewer at a time, or the same later, may be taken."""
    if slurm_limits.words(words):  # Slurm's sentence, which follows, names every kind of limit
        return slurm_limits.is_of_submission(words)
    return any(each in words.lower() for each in _FULL)


def is_array_too_large(words: str) -> bool:
    """Whether sbatch refused a job for the number of its tasks."""
    return "job array" in words.lower()


def memory_words(log: str) -> str:
    """Returns the line of a job's log that says it was killed for its memory; empty where there is none."""
    signs = ("exceeded memory limit", "exceeded job memory", "oom-kill", "oom_kill", "out of memory", "out-of-memory")
    lines = [line.strip() for line in log.splitlines() if any(sign in line.lower() for sign in signs)]
    return lines[0].removeprefix("slurmstepd: error: ") if lines else ""
