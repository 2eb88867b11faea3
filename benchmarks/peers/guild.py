"""Guild AI, whose last release is of 2023."""

from __future__ import annotations

from pathlib import Path

from benchmarks import processes
from benchmarks.environments import Environment
from benchmarks.peers.tool import Outcome, Tool
from benchmarks.work import Work, write_script

ENVIRONMENT = Environment("guild", "guildai", "setuptools<81")
"""It imports pkg_resources, which later releases of setuptools lack."""
GUILD = str(ENVIRONMENT.bin / "guild")


def project(work: Work, root: Path) -> dict[str, str]:
    """Makes a project with one operation, and returns the environment for it."""
    command = " ".join(write_script(work, root))
    # Guild puts its own packages into PYTHONPATH, and they are not those that TensorFlow needs.
    (root / "guild.yml").write_text(f"train:\n  exec: env -u PYTHONPATH {command}\n", "utf-8")
    (root / "guild-home").mkdir(exist_ok=True)
    return processes.environment(root, GUILD_HOME=str(root / "guild-home"))


class GuildRun(Tool):
    """A shell loop of `guild run`."""

    key = "guild"
    name = "Guild run"
    package = "guildai"
    environment = ENVIRONMENT
    counts = (8, 3)

    def run(self, work: Work, count: int, root: Path) -> Outcome:
        """Runs the operation `count` times."""
        variables = project(work, root)
        loop = f'for i in $(seq {count}); do "{GUILD}" run train -y || exit; done'
        seconds = processes.run(["sh", "-c", loop], root, variables)
        return Outcome(seconds, processes.stamped(root / "stamps", count))


class GuildQueue(GuildRun):
    """Runs that are staged, then processed by one queue."""

    name = "Guild queue"

    def run(self, work: Work, count: int, root: Path) -> Outcome:
        """Stages `count` runs and lets a queue process them once."""
        variables = project(work, root)
        stage = f'for i in $(seq {count}); do "{GUILD}" run train --stage -y || exit; done'
        loop = f'{stage}; "{GUILD}" run queue run-once=yes -y'
        seconds = processes.run(["sh", "-c", loop], root, variables)
        return Outcome(seconds, processes.stamped(root / "stamps", count))
