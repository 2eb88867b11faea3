"""Trains, cuts the power in the middle, trains again, and shows that nothing is lost and nothing was done twice.

Run it in this directory: `python power_cut.py`. A power cut is played by kill -9 of all that works: the queue, the
process that watches over the run, and the one that trains. After each start the queue finds out by itself what became
of its runs.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

QUEUE = [sys.executable, "-m", "mlpipeline"]
RUNS = Path("models", "outputs", "runs")


def attempt_that_has_done(steps):
    """Waits until an attempt has done so many steps, and returns its directory."""
    while True:
        for progress in RUNS.glob("*/*/progress.json"):
            checkpoint = json.loads(progress.read_text())["checkpoint_step"]
            if checkpoint is not None and checkpoint >= steps:
                return progress.parent
        time.sleep(0.02)


def main():
    """Tells the story."""
    queue = subprocess.Popen([*QUEUE, "-r", "-u", "walk.py"])
    attempt = attempt_that_has_done(100)
    started = json.loads((attempt / "started.json").read_text())
    queue.kill()
    for process in (started["pid"], started["worker_pid"]):
        os.kill(process, signal.SIGKILL)
    queue.wait()
    print(f"\n*** the power is cut: {attempt.parent.name} had done {read_step(attempt)} steps\n", flush=True)
    subprocess.run([*QUEUE, "-r", "-u", "walk.py"], check=True)
    print("\n*** all is done:\n", flush=True)
    subprocess.run([*QUEUE, "history", "walk.py"], check=True)
    second = attempt.with_name("2")
    first_row = json.loads((second / "metrics.jsonl").read_text().splitlines()[0])
    print(f"\nThe second attempt went on at step {first_row['step']}.")


def read_step(attempt):
    """Returns how many steps an attempt says that it has done."""
    return json.loads((attempt / "progress.json").read_text())["step"]


if __name__ == "__main__":
    main()
