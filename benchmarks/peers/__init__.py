"""The tools that are measured, ours among them, each behind the same door: so many runs of this work, from nothing."""

from __future__ import annotations

from benchmarks.environments import Unavailable
from benchmarks.peers.dvc import DvcQueue
from benchmarks.peers.guild import GuildQueue, GuildRun
from benchmarks.peers.in_process import Huey, Joblib, MlflowTracking, Optuna, RayTune, Sacred, Submitit
from benchmarks.peers.loops import ForkLoop, ShellLoop
from benchmarks.peers.mlflow import MlflowRun
from benchmarks.peers.ours import COLD, WARM
from benchmarks.peers.sacred import SacredCommand
from benchmarks.peers.spooler import TaskSpooler
from benchmarks.peers.tool import Tool
from benchmarks.settings import Settings

__all__ = ["COLD", "FLOOR", "OURS", "PEERS", "WARM", "Tool", "chosen", "keys", "why_not"]

OURS: tuple[Tool, ...] = (WARM, COLD)
FLOOR: tuple[Tool, ...] = (ForkLoop(), ShellLoop())
PEERS: tuple[Tool, ...] = (
    TaskSpooler(),
    Joblib(),
    Huey(),
    Sacred(),
    SacredCommand(),
    Optuna(),
    Submitit(),
    GuildQueue(),
    GuildRun(),
    DvcQueue(),
    MlflowTracking(),
    MlflowRun(),
    RayTune(),
)


def keys() -> list[str]:
    """Returns what `--peers` takes."""
    return sorted({each.key for each in PEERS})


def chosen(settings: Settings) -> list[Tool]:
    """Returns the peers that are to be measured, installed or not."""
    return [each for each in PEERS if settings.peers is None or each.key in settings.peers]


def why_not(tool: Tool, settings: Settings) -> str:
    """Makes a tool ready. Returns why it cannot be measured; empty where it can."""
    if settings.quick and settings.peers is None and not tool.cheap:
        return "left out of the quick run"
    try:
        tool.prepare()
    except Unavailable as reason:
        return str(reason)
    return ""
