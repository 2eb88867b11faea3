"""Why an attempt waits in Ray, by what its nodes have. Decides, and touches nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_KEYS = {"num_cpus": "CPU", "num_gpus": "GPU", "memory": "memory"}
_SETTINGS = {"CPU": "cpus", "GPU": "gpus", "memory": "memory"}


def amounts(needs: Mapping[str, Any]) -> dict[str, float]:
    """Returns what an attempt needs, by the names that Ray's nodes give it."""
    found = {_KEYS[name]: float(value) for name, value in needs.items() if name in _KEYS and value}
    return found | {name: float(value) for name, value in (needs.get("resources") or {}).items() if value}


class Cluster:
    """What Ray said of its nodes last.

    Args:
        nodes: of those alive, what each has.
        free: what is free on all of them together.
    """

    def __init__(self, nodes: Sequence[Mapping[str, float]] = (), free: Mapping[str, float] | None = None) -> None:
        self.nodes = nodes
        self.free = free or {}

    def reason(self, needs: Mapping[str, Any]) -> str:
        """Says why what is needed so was not given yet; says little where nothing is known."""
        wanted = amounts(needs)
        if not self.nodes:
            return "waits in Ray"
        if not any(all(node.get(name, 0.0) >= amount for name, amount in wanted.items()) for node in self.nodes):
            return self._never(wanted)
        short = [name for name, amount in wanted.items() if self.free.get(name, 0.0) < amount]
        told = [f"{shown(name, self.free.get(name, 0.0))} of {shown(name, self._total(name))}" for name in short]
        asked = " and ".join(shown(name, amount) for name, amount in wanted.items()) or "a process"
        if told:
            return f"waits in Ray for {asked}: free is {', '.join(told)}"
        return f"waits in Ray for {asked}: Ray starts it, or has what is free on different nodes"

    def _total(self, name: str) -> float:
        return sum(node.get(name, 0.0) for node in self.nodes)

    def _never(self, wanted: Mapping[str, float]) -> str:
        for name, amount in wanted.items():
            most = max(node.get(name, 0.0) for node in self.nodes)
            if most < amount:
                key = f"{_SETTINGS[name]} in [RAY]" if name in _SETTINGS else "resources in [RAY]"
                has = f"the most that one has is {shown(name, most)}" if most else f"none has any {name}"
                return f"no node of Ray's has {shown(name, amount)}: {has}: change {key}, or add such a node"
        asked = " and ".join(shown(name, amount) for name, amount in wanted.items())
        return f"no node of Ray's has {asked} together: change [RAY], or add such a node"


def shown(name: str, amount: float) -> str:
    """Returns an amount as people write it: `2 CPU`, `1.5 GB of memory`."""
    return f"{amount / 1e9:.3g} GB of memory" if name == "memory" else f"{amount:g} {name}"
