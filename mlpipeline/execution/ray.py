"""Attempts on a Ray cluster: each is held by an actor of its own, which outlives the scheduler."""

from __future__ import annotations

import hashlib
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from mlpipeline import wire
from mlpipeline.execution import ray_settings
from mlpipeline.execution.environment import PACKAGE_PARENT
from mlpipeline.execution.executor import Life
from mlpipeline.execution.ray_link import Link
from mlpipeline.execution.ray_node import SUPERVISE, SWEEP
from mlpipeline.execution.ray_reasons import Cluster
from mlpipeline.execution.ray_settings import RaySettings
from mlpipeline.execution.remote import Ending, Patience, RemoteExecutor, Sight, Stage
from mlpipeline.project import Project

_AGAIN_SECONDS = 2.0
_NODES_SECONDS = 10.0
_LINGER_SECONDS = 2.0
_AGAIN = "tried again from its last checkpoint while attempts are left"


@dataclass(slots=True, kw_only=True)
class Place:
    """What is known of one attempt's place in Ray.

    Attributes:
        name: its actor's.
        is_known: Ray has it on its books, or had.
        begun: its supervisor was started.
        is_to_end: it was asked to end.
        ending: how it ended, by Ray's words.
        swept: what came of ending its processes on their node: "", "asked", "clear", "alive", "no node", "failed".
        again_at: when that is tried again, by the monotonic clock.
    """

    name: str
    needs: dict[str, Any]
    is_known: bool = False
    begun: bool = False
    is_to_end: bool = False
    ending: Ending | None = None
    swept: str = ""
    again_at: float = 0.0


class RayExecutor(RemoteExecutor):
    """Hands attempts to Ray through a process that holds its client, and hears from that which of them Ray has.

    Ray's word alone ends nothing. What it has no more is ended on the node where it was before it counts as gone.
    """

    name = "ray"
    title = "Ray"
    slots = 1000
    threads = 1
    setting = "timeout_seconds"

    def __init__(self, settings: RaySettings, variables: Mapping[str, str] | None = None) -> None:
        super().__init__(Patience(poll=settings.poll_seconds, lease=settings.lease_seconds, linger=_LINGER_SECONDS))
        self.settings = settings
        self.variables = dict(variables or {})
        self.link = Link(settings)
        self.places: dict[Path, Place] = {}
        self.directories: dict[str, Path] = {}
        self.listed: set[str] | None = None
        self.cluster = Cluster()
        self._nodes_at = 0.0

    @classmethod
    def for_project(cls, project: Project, *, debugger: bool = False) -> Self:
        """Reads `[RAY]`. Nothing is connected yet."""
        return cls(ray_settings.read(project), project.settings.env)

    def submit(self, directory: Path) -> None:
        """Hands an attempt over. It is handed over again where the line breaks before Ray has said that it has it."""
        place = self._place(directory)
        place.is_to_end = False
        self.note(directory, job=place.name)
        self.see(directory, Sight(Stage.WAITING, "waits to be handed to Ray"))
        self._order(directory, place)

    def _place(self, directory: Path) -> Place:
        self.hand(directory)
        if directory not in self.places:
            spec = wire.read_json_patiently(directory / wire.SPEC) or {}
            # The name is seen by everybody who may speak with the cluster; the token is not.
            digest = hashlib.sha256(str(spec.get("token")).encode()).hexdigest()[:16]
            name = f"{spec.get('run_id')}.{spec.get('attempt')}-{digest}"
            self.places[directory] = Place(name=name, needs=self.settings.needs(spec))
            self.directories[name] = directory
        return self.places[directory]

    def _order(self, directory: Path, place: Place) -> None:
        holder = {
            "directory": str(directory),
            "command": self._command(SUPERVISE, directory),
            "environment": self.variables,
            "output": str(directory / wire.OUTPUT),
        }
        self.link.send("submit", name=place.name, needs=place.needs, holder=holder)

    def _command(self, program: str, directory: Path) -> list[str]:
        return [self.settings.python, "-I", "-S", "-c", program, PACKAGE_PARENT, str(directory)]

    def adopt(self, directory: Path) -> Life:
        """Follows an attempt of an earlier scheduler; the next listing tells whether Ray has it."""
        self._place(directory).is_known = True
        return super().adopt(directory)

    def tend(self) -> list[tuple[str, str]]:
        """Hears what the client says, and gives orders again that were lost with an earlier one."""
        was_connected = self.link.is_connected
        for message in self.link.hear():
            self._heed(message)
        if self.link.is_connected and not was_connected:
            self._order_again()
        elif not self.link.is_connected:
            self._be_cut_off()
        self._ask_for_nodes()
        news, self.link.news = self.link.news, []
        return news

    def _be_cut_off(self) -> None:
        self.listed = None
        self.look_around(is_answering=False)
        for directory, place in self.places.items():
            place.swept = "" if place.swept == "asked" else place.swept
            if not place.begun and self.link.fault:
                self.handed[directory].sight = self.handed[directory].sight._replace(reason=self.link.fault)

    def _order_again(self) -> None:
        for directory, place in self.places.items():
            if not place.is_known and not place.is_to_end:
                self._order(directory, place)
            if place.is_to_end:
                self.end(directory)

    def _ask_for_nodes(self) -> None:
        now = time.monotonic()
        is_waiting = any(not each.begun for each in self.places.values())
        if is_waiting and now >= self._nodes_at and self.link.send("nodes"):
            self._nodes_at = now + _NODES_SECONDS

    def _heed(self, message: Mapping[str, Any]) -> None:
        what = message["say"]
        if what == "nodes":
            self.cluster = Cluster([each["has"] for each in message["nodes"]], message["free"])
        elif what in ("listing", "same"):
            self.listed = set(message["names"]) if what == "listing" else self.listed
            self._see_all()
        elif (directory := self.directories.get(str(message.get("name")))) is not None:
            self._heed_of(self.places[directory], message)

    def _heed_of(self, place: Place, message: Mapping[str, Any]) -> None:
        what, text = message["say"], last_words(str(message.get("text") or ""))
        if what == "swept":
            place.swept, place.again_at = str(message["state"]), time.monotonic() + _AGAIN_SECONDS
            return
        place.is_known = True
        place.begun |= what == "begun"
        if what == "ended" and message["kind"] == "refused":
            place.ending = Ending("failed", "refused", f"Ray could not start it: {text}")
        elif what == "ended" and message["kind"] == "memory":
            place.ending = Ending("failed", "out_of_memory", f"Ray ended it, since its node was low on memory: {text}")

    def _see_all(self) -> None:
        for directory, place in self.places.items():
            if place.is_known and self.listed is not None:
                self.see(directory, self._sight(directory, place, self.listed))

    def _sight(self, directory: Path, place: Place, listed: set[str]) -> Sight:
        if place.name in listed:
            return Sight(Stage.RUNNING) if place.begun else Sight(Stage.WAITING, self.cluster.reason(place.needs))
        node = wire.read_json(directory / wire.NODE)
        if node is None or node.get("buried") or (directory / wire.OUTCOME).exists():
            return Sight(Stage.ENDED, ending=place.ending)
        self._sweep(directory, place, node)
        cause, what = "lost_supervisor", "its process in Ray died"
        if place.swept == "no node":
            cause, what = "node_failed", "its node is gone from Ray"
        ending = place.ending or Ending("lost", cause, f"{what} ({node.get('node')}); {_AGAIN}")
        return Sight(Stage.ENDED, ending=ending, is_certain=place.swept == "clear")

    def _sweep(self, directory: Path, place: Place, node: Mapping[str, Any]) -> None:
        """Has what is left of an attempt ended where it was; whoever asked before may be there no more."""
        if place.swept in ("asked", "clear") or time.monotonic() < place.again_at:
            return
        identity, _, host = str(node.get("job")).partition("@")
        command = self._command(SWEEP, directory)
        if self.link.send("sweep", name=place.name, node=identity, host=host, command=command):
            place.swept = "asked"

    def end(self, directory: Path) -> None:
        """Signals the supervisor where there is one, else takes the attempt off Ray's books."""
        place = self._place(directory)
        place.is_to_end = True
        if (directory / wire.NODE).exists():
            self.link.send("signal", name=place.name, number=int(signal.SIGTERM))
        elif not self.link.send("drop", name=place.name) or not place.is_known:
            # Nobody need be asked: it has not begun, and it cannot once `bury` has made that file.
            self.see(directory, Sight(Stage.ENDED, ending=place.ending))

    def descriptors(self) -> list[int]:
        """Returns what the client speaks through."""
        return [self.link.descriptor] if self.link.descriptor >= 0 else []

    def forget(self, directory: Path) -> None:
        """Lets go of an attempt whose outcome was recorded."""
        super().forget(directory)
        if (place := self.places.pop(directory, None)) is not None:
            self.directories.pop(place.name, None)

    def close(self) -> None:
        """Ends the client. Attempts go on."""
        self.link.close()


def last_words(text: str) -> str:
    """Returns the line of a traceback that says what is wrong."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it gave no reason"
