"""A system call fails once, anywhere: the queue says so or goes on, and nothing that was acknowledged is lost.

A small library, preloaded into every process of a queue, counts the calls that concern the outputs directory and makes
one of them fail. Afterwards an undisturbed queue finishes everything. MLP_CHAOS_CALLS says how many calls fail in all.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from ..integration.conftest import Workshop

CALLS = int(os.environ.get("MLP_CHAOS_CALLS", "90"))
PROGRAMS = {
    "scheduler": "-m mlpipeline -r",
    "supervisor": "from mlpipeline.execution.supervisor import",
}
ERRORS = {
    "open": errno.EMFILE,
    "write": errno.ENOSPC,
    "sync": errno.EIO,
    "rename": errno.EIO,
    "mkdir": errno.ENOSPC,
}
VERSION = 'Versions(0.1, Loader(), 2, 1).add("{}")'


@dataclass(frozen=True, slots=True)
class Disturbed:
    """A project in which a run failed and is to be tried again, and how often each kind of call happens in it.

    `ledger` numbers the scheduler's calls that open the ledger's files: SQLite may open for reading what it cannot
    open for writing, and the queue must not rely on such a ledger.
    """

    workshop: Workshop
    library: Path
    counts: Mapping[tuple[str, str], int]
    ledger: list[int]
    numbers: Iterator[int]

    def copy(self) -> Workshop:
        """Makes another project like this one."""
        workshop = Workshop(self.workshop.root.with_name(f"copy{next(self.numbers)}"))
        shutil.copytree(self.workshop.root, workshop.root, dirs_exist_ok=True, symlinks=True)
        return workshop


def queue(workshop: Workshop, library: Path, program: str, call: str = "", number: int = 0) -> tuple[int, str]:
    """Runs a queue in which a call fails (none where `number` is 0). Returns its exit status and what it said."""
    disturbance = {
        "LD_PRELOAD": str(library),
        "FAIL_PROGRAM": PROGRAMS[program],
        "FAIL_BELOW": str(workshop.outputs),
        "FAIL_CALL": call,
        "FAIL_NUMBER": str(number),
        "FAIL_ERRNO": str(ERRORS.get(call, 0)),
        "FAIL_LOG": str(failure(workshop)),  # not in the project, which is watched
    }
    return workshop.run("-r", "-u", variables=disturbance)


def failure(workshop: Workshop) -> Path:
    """Returns where it is told what failed."""
    return workshop.root.with_suffix(".failed")


@pytest.fixture(scope="module")
def disturbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Disturbed]:
    compiler = shutil.which("cc")
    if compiler is None:
        if os.environ.get("CI"):
            pytest.fail("there is no C compiler, and CI must prove what failing calls do")
        pytest.skip("there is no C compiler")
    place = tmp_path_factory.mktemp("calls").resolve()
    library = place / "failing_calls.so"
    source = Path(__file__).with_name("failing_calls.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"], check=True)
    with contextlib.closing(Workshop(place / "project")) as workshop:
        prepare(workshop)
        counts: Counter[tuple[str, str]] = Counter()
        made = Disturbed(workshop, library, counts, [], count())
        for program in PROGRAMS:
            calls = calls_of(made, program)
            counts.update((program, call) for call, _ in calls)
            opened = [path for call, path in calls if call == "open" and program == "scheduler"]
            made.ledger.extend(number for number, path in enumerate(opened, 1) if "/ledger-here.db" in path)
        yield made


def prepare(workshop: Workshop) -> None:
    """Leaves a run that failed, is mended, and whose retry was accepted; two more versions are due."""
    workshop.config("preload = none\n")
    for name in ("a", "b"):
        workshop.model(f"{name}.py", "pass", VERSION.format(name))
    workshop.model("f.py", 'assert (ROOT / "mended").exists(), "not mended"', VERSION.format("f"))
    workshop.list("f.py")
    assert workshop.run("-r", "-u")[0] == 1
    (workshop.root / "mended").touch()
    assert workshop.run("retry", "--failed")[0] == 0
    workshop.list("a.py", "f.py", "b.py")


def calls_of(disturbed: Disturbed, program: str) -> list[tuple[str, str]]:
    """Returns kind and path of each call in the first process of a program that is not disturbed."""
    with contextlib.closing(disturbed.copy()) as workshop:
        status, text = queue(workshop, disturbed.library, program)
        assert status == 0, text
        rows = [line.split() for line in failure(workshop).read_text().splitlines()]
    return [(row[1], row[2]) for row in rows if row[0] == rows[0][0]]


def chosen(counts: Mapping[tuple[str, str], int], program: str, call: str) -> list[int]:
    """Returns which calls of a kind fail: so many that all kinds together are `CALLS`, the rarer ones all of them."""
    left, kinds = CALLS, sorted(counts, key=lambda kind: counts[kind])
    for place, kind in enumerate(kinds):
        most = max(1, left // (len(kinds) - place))
        if kind == (program, call):
            return spread(counts[kind], most)
        left -= min(counts[kind], most)
    return []


def spread(total: int, most: int) -> list[int]:
    """Returns numbers from 1 to `total`, at most so many: half of them small ones, the others evenly over the rest."""
    small = min(total, -(-most // 2))
    others = min(total, most) - small
    return [*range(1, small + 1), *(small + (total - small) * (each + 1) // others for each in range(others))]


@pytest.mark.parametrize("call", ERRORS)
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_call_that_fails_costs_nothing_that_was_acknowledged(disturbed: Disturbed, program: str, call: str) -> None:
    numbers = chosen(disturbed.counts, program, call)
    if (program, call) == ("scheduler", "open"):
        numbers = sorted({*numbers, *disturbed.ledger})
    assert numbers or (program, call) == ("supervisor", "mkdir"), "it makes no directory"
    with ThreadPoolExecutor(2) as pool:
        ends = list(pool.map(lambda number: survives(disturbed, program, call, number), numbers))
    wrong = [told for _, told in ends if told]
    assert not wrong, "\n\n".join(wrong)
    failed = sum(has_failed for has_failed, _ in ends)
    assert failed or not numbers
    print(f"\n{failed} of some {disturbed.counts[program, call]} calls failed: {program}, {call}")


def forget(workshop: Workshop) -> None:
    """Loses all that was recorded."""
    for path in workshop.outputs.glob("ledger-here.db*"):
        path.unlink()


def test_a_forgotten_record_is_seen(disturbed: Disturbed) -> None:
    told = survives(disturbed, "scheduler", "rename", 1, meanwhile=forget)[1]
    assert "not so: nothing that succeeded is trained again" in told


def survives(
    disturbed: Disturbed,
    program: str,
    call: str,
    number: int,
    meanwhile: Callable[[Workshop], None] = lambda _: None,
) -> tuple[bool, str]:
    """Has one call fail, and lets an undisturbed queue finish. Returns whether it failed, and what is wrong then.

    How many calls there are depends on how fast things happen: the last numbers may not be reached.
    """
    with contextlib.closing(disturbed.copy()) as workshop:
        where = f"{program}: {call} {number} of {disturbed.counts[program, call]} fails, {workshop.root}"
        try:
            first = queue(workshop, disturbed.library, program, call, number)
            before = {row["version"] for row in workshop.history() if row["state"] == "succeeded"}
            known = len(workshop.truth("train"))
            meanwhile(workshop)
            second = workshop.run("-r", "-u")
        except subprocess.TimeoutExpired:
            return True, f"{where}\nnever ended: {workshop.json('status')}"
        found = claims(workshop, first, second, before & {row["version"] for row in workshop.truth("train")[known:]})
        wrong = [f"not so: {what}" for what, holds in found if not holds]
        told = failure(workshop).read_text() if failure(workshop).exists() else ""
    return bool(told), "\n".join([where, told, *wrong, *first[1:], *second[1:]]) if wrong else ""


def claims(
    workshop: Workshop, first: tuple[int, str], second: tuple[int, str], again: set[str]
) -> Iterator[tuple[str, bool]]:
    """Yields what must be true after a disturbed and an undisturbed queue, and whether it is."""
    yield f"an end that is told: status {first[0]}", first[0] == 0 or ": " in first[1].strip().splitlines()[-1]
    yield "no traceback", "Traceback" not in first[1] + second[1]
    yield f"the second queue finishes: status {second[0]}", second[0] == 0
    ends = sorted((row["version"], row["state"]) for row in workshop.history())
    yield f"each version once in the history, succeeded: {ends}", ends == [(each, "succeeded") for each in "abf"]
    yield f"nothing that succeeded is trained again: {again}", not again
    yield "success is what the models say", {row["version"] for row in workshop.truth("trained")} == set("abf")
    checked, told = workshop.run("fsck")
    yield f"all well with the records: {told}", checked == 0
    yield f"no process left behind: {workshop.left_behind()}", not workshop.left_behind()
