"""DVC's queue of experiments, one worker."""

from __future__ import annotations

import contextlib
import shutil
import time
from pathlib import Path

from benchmarks import processes
from benchmarks.environments import Environment, Unavailable
from benchmarks.peers.tool import Outcome, Tool
from benchmarks.work import Work, write_script

ENVIRONMENT = Environment("dvc", "dvc")
DVC = str(ENVIRONMENT.bin / "dvc")
_STAGE = "stages:\n  train:\n    cmd: {command}\n    params: [number]\n"


def project(work: Work, root: Path) -> dict[str, str]:
    """Makes a repository with one stage, and returns the environment for it."""
    command = " ".join(write_script(work, root))
    (root / "dvc.yaml").write_text(_STAGE.format(command=command), "utf-8")
    (root / "params.yaml").write_text("number: -1\n", "utf-8")
    (root / ".gitignore").write_text("/tmp\n/said\n/stamps\n/.cache\n/.config\n/.local\n", "utf-8")
    (root / ".gitconfig").write_text("[user]\nname = bench\nemail = bench@example.org\n", "utf-8")
    path = f"{ENVIRONMENT.bin}:{processes.environment()['PATH']}"
    variables = processes.environment(root, PATH=path, DVC_NO_ANALYTICS="1")
    for each in ("git init -q .", f"{DVC} init -q", "git add -A", "git commit -q -m begin"):
        processes.run(each.split(), root, variables)
    return variables


def recorded(root: Path) -> int:
    """Counts the experiments whose results are kept: a git reference each, below the commit that they began with."""
    kept = (root / ".git" / "refs" / "exps").glob("[0-9a-f][0-9a-f]/*/*")
    return sum(each.suffix != ".lock" for each in kept)


class DvcQueue(Tool):
    """`dvc exp run --queue` as often as there are runs, then `dvc queue start`."""

    key = package = "dvc"
    name = "DVC queue"
    environment = ENVIRONMENT
    counts = (5, 2)

    def prepare(self) -> None:
        """Needs git beside its environment."""
        if shutil.which("git") is None:
            raise Unavailable("it needs git")
        super().prepare()

    def run(self, work: Work, count: int, root: Path) -> Outcome:
        """Queues the stage with `count` parameters and waits until all results are kept."""
        variables = project(work, root)
        start = time.perf_counter()
        queue = f'for i in $(seq {count}); do "{DVC}" exp run --queue -S number=$i || exit; done'
        processes.run(["sh", "-c", f'{queue}; "{DVC}" queue start'], root, variables)
        try:
            processes.until(lambda: recorded(root) >= count, limit=60 + 30 * count, pause=0.02)
            seconds = time.perf_counter() - start
        finally:
            stop(root, variables)
        return Outcome(seconds, processes.stamped(root / "stamps", count))


def stop(root: Path, variables: dict[str, str]) -> None:
    """Asks the worker to stop; what does not is ended with the directory."""
    with contextlib.suppress(RuntimeError):
        processes.run([DVC, "queue", "stop"], root, variables)
