"""The power is cut at any moment of a recorded queue: no disk that may be left breaks a promise.

A real queue runs under strace. From what it wrote, `power_cuts` computes disks that a cut may leave; each is opened
with the real code, and on some a real queue goes on. MLP_CHAOS_STATES says how many disks are looked at.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path

import pytest

from ..integration.conftest import Workshop
from . import driven_queue
from .power_cuts import Disk, changes, cuts, durable, read_disk, state
from .promises import Promises, trained
from .recorded_writes import Mark, Recording, Sync, record

STATES = int(os.environ.get("MLP_CHAOS_STATES", "3000"))
STARTS = 24
SEED = 20261121
VERSION = 'Versions(0.1, Loader(), 2, 1).add("{}")'


@dataclass(frozen=True, slots=True)
class Recorded:
    """A queue that ran from its start to its end: a version that succeeds, one that fails until it is mended and
    tried again, one that waits for that."""

    workshop: Workshop
    recording: Recording
    promises: Promises
    numbers: Iterator[int]
    scratch: Path

    def restored(self, disk: Disk, cut: int) -> Workshop:
        """Makes a project of a disk, with what else was there when the power was cut."""
        source, place = self.workshop.root, self.scratch / str(next(self.numbers))
        workshop = Workshop(place)
        for path in (source / "mlp.config", source / "models.config", *(source / "models").glob("*.py")):
            shutil.copy(path, place / path.relative_to(source))
        (place / "truth.jsonl").write_bytes(self.promises.truth(cut))
        (place / "go").touch()
        if self.promises.was_made(cut, "mended"):
            (place / "mended").touch()
        disk.write(place / "models")
        return workshop


def may_trace() -> bool:
    """Whether strace is there and may follow processes."""
    probe = ["strace", "-f", "--seccomp-bpf", "-o", os.devnull, "true"]
    return bool(shutil.which("strace")) and subprocess.run(probe, capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    if not may_trace():
        if os.environ.get("CI"):
            pytest.fail("strace is missing or may not trace, and CI must prove what a power cut leaves")
        pytest.skip("strace is missing or may not trace")
    place = tmp_path_factory.mktemp("power").resolve()
    workshop = Workshop(place / "project")
    workshop.config("preload = none\n")
    workshop.model("a.py", "pass", VERSION.format("a"))
    workshop.model("f.py", 'assert (ROOT / "mended").exists(), "not mended"', VERSION.format("f"))
    wait = '(ROOT / "waits").touch()\nwhile not (ROOT / "go").exists(): time.sleep(0.01)'
    workshop.model("w.py", wait, VERSION.format("w"))
    workshop.list("a.py", "f.py", "w.py")
    command = [sys.executable, driven_queue.__file__, str(workshop.root)]
    status, text, recording = record(command, workshop.models, place / "trace", Path.cwd())
    assert status == 0, text
    promises = Promises(recording, workshop.root, place / "ledgers")
    memory = Path("/dev/shm")  # thousands of small directories: no disk is needed for them
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else place) as scratch:
        yield Recorded(workshop, recording, promises, count(), Path(scratch).resolve())
    workshop.close()


def test_the_recording_tells_what_is_on_the_disk(recorded: Recorded) -> None:
    events = recorded.recording.events
    everything = state(recorded.recording, len(events), set(changes(events, len(events))), {})
    assert everything == read_disk(recorded.workshop.models, "outputs")
    assert recorded.promises.was_accepted(len(events))
    assert recorded.promises.succeeded(len(events)) == {"a", "f", "w"}
    assert recorded.promises.truth(len(events)) == (recorded.workshop.root / "truth.jsonl").read_bytes()


def first_broken(recorded: Recorded, recording: Recording, number: int, seed: int) -> tuple[int, str]:
    """Looks at so many disks. Returns how many were looked at, and what is wrong with the first broken one."""
    looked = 0
    for cut, disk in cuts(recording, number, seed):
        workshop = recorded.restored(disk, cut)
        looked += 1
        if found := recorded.promises.broken(workshop.root, cut):
            return looked, f"cut after {cut} of {len(recording.events)} events, {workshop.root}:\n" + "\n".join(found)
        shutil.rmtree(workshop.root)
    return looked, ""


def test_no_power_cut_breaks_a_promise(recorded: Recorded) -> None:
    looked, wrong = first_broken(recorded, recorded.recording, STATES, SEED)
    assert not wrong
    assert looked == STATES
    print(f"\n{looked} disks that a power cut may leave keep every promise")


SYNCS = {
    "the ledger": (r"/ledger-here\.db", "was recorded and is gone"),
    "a file that appears whole": (r"\.part$", "is missing or damaged"),
    "the names in an attempt's directory": (r"/runs/[^/]+/\d+$", "is missing or damaged"),
    "the names in a run's directory": (r"/runs/[^/]+$", "is missing or damaged"),
    "the names of runs": (r"/runs$", "is missing or damaged"),
    "a copied source": (r"/sources/.*(py|json)$", "copied sources"),
    "the names in copied sources": (r"/sources/(?!.*(py|json)$)", "copied sources cannot be read"),
    "the names of copied sources": (r"/sources$", "copied sources cannot be read"),
    "the output file": (r"/output-here$", "block of results"),
    "the names of requests": (r"/requests-here$", "an accepted request is gone"),
    "the names in a model's directory": (r"/model_dirs/[^/]+$", "its model directory is gone"),
    "the names of model directories": (r"/model_dirs$", "its model directory is gone"),
    "the names in the outputs directory": (r"/outputs$", "was recorded and is gone"),
    "the name of the outputs directory": (r"/models$", "was recorded and is gone"),
}


def without(recording: Recording, pattern: str) -> Recording:
    """Returns the recording of a program that forgets to sync some paths."""
    left_out = re.compile(pattern)
    events = [
        Mark("/", b"") if isinstance(each, Sync) and left_out.search(each.path) else each for each in recording.events
    ]
    assert events != recording.events, "nothing of this kind is synced"
    return Recording(events, recording.directories, recording.links)


@pytest.mark.parametrize("kind", SYNCS)
def test_a_forgotten_sync_is_seen(recorded: Recorded, kind: str) -> None:
    pattern, words = SYNCS[kind]
    wrong = first_broken(recorded, without(recorded.recording, pattern), STATES, SEED)[1]
    assert words in wrong


def test_a_ledger_that_forgets_is_seen_by_a_second_training(recorded: Recorded) -> None:
    forgetful = without(recorded.recording, SYNCS["the ledger"][0])
    end = len(forgetful.events)
    wrong = goes_on(recorded, end, state(forgetful, end, durable(forgetful.events, end), {}))
    assert "not so: nothing that succeeded is trained again" in wrong


def test_a_queue_goes_on_after_a_power_cut(recorded: Recorded) -> None:
    anywhere = islice(cuts(recorded.recording, STATES, SEED + 1), 0, None, max(1, STATES // STARTS))
    with ThreadPoolExecutor(2) as pool:
        cases = [*before_each_commit(recorded), *anywhere]
        wrong = [each for each in pool.map(lambda case: goes_on(recorded, *case), cases) if each]
    assert not wrong, "\n\n".join(wrong)
    print(f"\nqueues went on from {len(cases)} of them")


def before_each_commit(recorded: Recorded) -> Iterator[tuple[int, Disk]]:
    """Yields the moments at which the most was done that nobody knows of: all is on disk but the ledger's journal."""
    events = recorded.recording.events
    for cut in recorded.promises.commits:
        certain = durable(events, cut)
        kept = {number: None for number in changes(events, cut) if number not in certain}
        first = next((number for number in kept if recorded.promises.is_of_ledger(number)), cut)
        yield cut, state(recorded.recording, cut, certain, {number: None for number in kept if number < first})


def goes_on(recorded: Recorded, cut: int, disk: Disk) -> str:
    """Starts a queue on a disk that a cut left. Returns what is wrong with its end."""
    workshop = recorded.restored(disk, cut)
    where = f"cut after {cut} of {len(recorded.recording.events)} events, {workshop.root}"
    with contextlib.closing(workshop):
        try:
            status, text = workshop.run("-r", "-u")
        except subprocess.TimeoutExpired:
            return f"{where}\nnever ended: {workshop.json('status')}"
        wrong = [what for what, holds in claims(recorded.promises, workshop, cut, status, text) if not holds]
    return "\n".join([where, *(f"not so: {what}" for what in wrong), text]) if wrong else ""


def claims(promises: Promises, workshop: Workshop, cut: int, status: int, text: str) -> Iterator[tuple[str, bool]]:
    """Yields what must be true when a queue that went on after a cut has ended, and whether it is."""
    truth = (workshop.root / "truth.jsonl").read_bytes()
    ends = [(row["version"], row["state"]) for row in workshop.history()]
    again = promises.succeeded(cut) & set(trained(truth[len(promises.truth(cut)) :]))
    succeeded = {version for version, state in ends if state == "succeeded"}
    last = "succeeded" if status == 0 else "failed"
    yield "an exit status that says how it ended", status in (0, 1)
    yield "no traceback", "Traceback" not in text
    yield (
        f"each version once in the history: {ends}",
        sorted(ends) == [("a", "succeeded"), ("f", last), ("w", "succeeded")],
    )
    yield "the retry that was accepted", status == 0 or not promises.was_accepted(cut)
    yield "success is what the models say", succeeded == set(trained(truth, "trained"))
    yield "nothing that succeeded is trained again", not again
    checked, told = workshop.run("fsck")
    yield f"all well with the records: {told}", checked == 0
    yield "no process left behind", not workshop.left_behind()
