"""How an attempt ended on a machine that an engine chose, decided from what the engine did and said.

Imported by the supervisor at every start: plain dictionaries, light modules.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ABANDON = "abandon"
"""Asks a supervisor, by `control.json`, to end an attempt that the scheduler cannot follow any more."""
_SKEW_SECONDS = 2.0
_WARNED_SECONDS = 5.0


class Facts:
    """What the supervisor saw.

    Attributes:
        engine: what `engine.json` says that the engine allows.
        name: the engine's.
        node: this machine's name.
        asked: what was asked of the attempt.
        noticed: how the engine warned of an end; empty where it did not.
        words: what the engine says about that.
        seconds: how long the job has run.
        memory: the limit in bytes that the job's control group has come up to; 0 where it has not.
    """

    def __init__(
        self,
        *,
        engine: dict[str, Any],
        name: str,
        node: str,
        asked: str,
        noticed: str,
        words: str,
        seconds: float,
        memory: int,
    ) -> None:
        self.engine = engine
        self.name = name
        self.node = node
        self.asked = asked
        self.noticed = noticed
        self.words = words
        self.seconds = seconds
        self.memory = memory


def told(outcome: dict[str, Any], facts: Facts) -> dict[str, Any]:
    """Returns an outcome with what only that machine knows of it."""
    state, name = outcome["state"], facts.name
    if facts.asked == ABANDON and state != "succeeded":
        text = f"{name} lost sight of it, and it was ended on {facts.node}"
        return outcome | {"state": "lost", "cause": "lost_supervisor", "message": text}
    if outcome["cause"] == "out_of_memory" and facts.memory:
        return outcome | {"cause": "memory_limit", "message": _over_memory(facts)}
    if not facts.noticed or state in ("succeeded", "cancelled"):
        return outcome
    if state == "yielded":
        return outcome | {"cause": "preempted", "message": f"{outcome['message']}: {facts.noticed}"}
    if state != "lost":
        return outcome
    if _is_out_of_time(facts):
        return outcome | {"state": "failed", "cause": "time_limit", "message": _over_time(facts)}
    if "PreemptTime=None" in facts.words:
        return outcome | {"cause": "killed", "message": f"cancelled in {name}, not by this queue"}
    text = f"{facts.noticed}, and it made no checkpoint in time: preempted, or its node is drained"
    return outcome | {"cause": "preempted", "message": text}


def _is_out_of_time(facts: Facts) -> bool:
    if "Reason=TimeLimit" in facts.words:
        return True
    limit = float(facts.engine.get("seconds") or 0)
    notice = float(facts.engine.get("notice_seconds") or 0) + _WARNED_SECONDS
    return limit > 0 and facts.seconds >= limit - notice


def _over_memory(facts: Facts) -> str:
    killed = f"the kernel killed it at the memory limit of its job in {facts.name}, {facts.memory / 2**20:.0f} MiB"
    return f"{killed}: raise `memory` in [{facts.name.upper()}], or memory= of the model"


def _over_time(facts: Facts) -> str:
    limit, setting = facts.engine.get("seconds"), facts.engine.get("setting") or "time"
    of = f" of {limit:g} s" if limit else ""
    return f"ran into {facts.name}'s time limit{of}: raise {setting}, or make checkpoints to go on from"


def skew(submitted_at: str, started_at: str, node: str) -> list[str]:
    """Says so where a machine's clock is behind that of the scheduler: nothing runs before it is submitted."""
    if started_at >= submitted_at:  # both are ISO text in UTC: they compare as times
        return []
    from datetime import datetime

    behind = (datetime.fromisoformat(submitted_at) - datetime.fromisoformat(started_at)).total_seconds()
    if behind < _SKEW_SECONDS:
        return []
    return [f"the clock of {node} is at least {behind:.0f} s behind that of the scheduler"]
