"""What a client was told is accepted is recorded, however often the scheduler is killed meanwhile."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import closing

from mlpipeline import requests
from mlpipeline.ledger import Ledger
from mlpipeline.project import Project

from .checker import violations
from .conftest import Workshop

CLIENTS = int(os.environ.get("MLP_CHAOS_CLIENTS", "200"))
KILLS = int(os.environ.get("MLP_CHAOS_KILLS", "100"))
EACH = 5
"""Requests of one client: as many as a busy evening has, and few enough that a hundred kills fall among them."""

CLIENT = """
import os, random, sys, time
from pathlib import Path
from mlpipeline import requests
from mlpipeline.project import Project

project, number, count, go = Project.load(Path(sys.argv[1])), int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])
chance = random.Random(number)
for turn in range(number, int(sys.argv[7]), count):
    pause = chance.random()
    for each in range(int(sys.argv[5])):
        key = f"{turn}-{each}"
        identity = requests.submit(project, "note", sys.argv[6], {"text": key}, key=key)
        os.write(1, f"{identity} {key}\\n".encode())  # the acknowledgement
        time.sleep(pause * 0.2)
"""


def test_acknowledged_requests_are_recorded_once_though_the_scheduler_is_killed_a_hundred_times(
    workshop: Workshop,
) -> None:
    workshop.model("m.py", "pass")
    workshop.list("m.py")
    assert workshop.run("-r", "-u")[0] == 0
    project, run = Project.load(workshop.root), workshop.history()[0]["id"]
    processes = 8
    command = [sys.executable, "-c", CLIENT, str(workshop.root)]
    clients = [
        subprocess.Popen(
            [*command, str(number), str(processes), str(workshop.root / "go"), str(EACH), run, str(CLIENTS)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(processes)
    ]
    chance = random.Random(20261121)
    kills = 0
    while kills < KILLS or any(each.poll() is None for each in clients):
        scheduler = workshop.start("-r", "-u", "--watch")
        # Most kills fall between its start and its first sleep, where it carries requests out.
        time.sleep(0.12 + 0.25 * chance.random())
        scheduler.send_signal(signal.SIGKILL)
        scheduler.wait()
        kills += 1
    acknowledged = [line.split() for each in clients for line in each.communicate(timeout=60)[0].splitlines()]
    assert len(acknowledged) == CLIENTS * EACH
    assert workshop.run("-r", "-u")[0] == 0
    assert requests.pending(project) == []
    with closing(Ledger.open_readonly(project.ledger_path)) as ledger:
        kept = {identity: ledger.answer(identity) for identity, _ in acknowledged}
    assert [identity for identity, answer in kept.items() if answer is None or not answer["ok"]] == []
    assert [identity for identity, _ in acknowledged if requests.read_answer(project, identity) is None] == []
    shown = workshop.run("show", run)[1]
    assert all(shown.count(f": {key}\n") == 1 for _, key in acknowledged)
    assert violations(workshop) == []
