"""The process that speaks with a Ray cluster, since the scheduler must not hold what Ray brings.

It is started by its path, with the interpreter that has Ray, and imports nothing of this package. Orders come line by
line on stdin, answers and news go out line by line on stdout, all of them JSON:

    {"do": "submit", "name": …, "needs": {…}, "holder": {…}}            -> submitted, begun, ended
    {"do": "signal", "name": …, "number": …}, {"do": "drop", "name": …}  -> nothing: the next listing tells
    {"do": "sweep", "name": …, "node": …, "host": …, "command": […]}    -> swept
    {"do": "nodes"}                                                     -> nodes
    {"do": "probe", "node": …, "command": […]}                          -> probed

and, every `poll_seconds`, `listing` with the names of the attempts that Ray has, or `same`. One order is carried out
after the other: a listing that comes after `submitted` counts that attempt. It ends when stdin does; attempts go on.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_WORDS = 2000


class AttemptHolder:
    """Holds one attempt's place in Ray: starts its supervisor, and goes when that has ended.

    As a class of the main module it travels by value: for Ray, nodes need no package of ours.
    """

    def __init__(self, directory: str, command: list[str], environment: dict[str, str], output: str) -> None:
        import ray

        machine = os.uname().nodename
        if not os.path.isdir(directory):
            raise FileNotFoundError(f"node {machine} has no {directory}: all nodes must see the project there")
        if not os.access(command[0], os.X_OK):
            raise FileNotFoundError(f"node {machine} has no interpreter {command[0]}: set python in [RAY]")
        job = f"{ray.get_runtime_context().get_node_id()}@{ray.util.get_node_ip_address()}"
        with open(output, "ab") as log:
            self.process = subprocess.Popen(
                [*command, str(os.getpid())],
                env={**os.environ, **environment, "MLP_JOB": job},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        threading.Thread(target=self.go, daemon=True).start()

    def begun(self) -> None:
        """Comes back when the supervisor was started."""

    def wait(self) -> None:
        """Never comes back: whoever waits hears from Ray how this process ended."""
        threading.Event().wait()

    def go(self) -> None:
        """Gives the place back when the supervisor has ended."""
        self.process.wait()
        os._exit(0)

    def signal(self, number: int) -> None:
        """Signals the supervisor."""
        self.process.send_signal(number)


def run(command: list[str]) -> tuple[int, str]:
    """Runs a command on a node, and returns its exit status and what it said; travels as the holder does."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout or done.stderr[-_WORDS:]


class Client:
    """The connection to one cluster.

    Args:
        wanted: `address`, `namespace`, `poll_seconds`.
    """

    def __init__(self, wanted: dict[str, Any]) -> None:
        import ray

        self.ray = ray
        self.wanted = wanted
        ray.init(address=wanted["address"], namespace=wanted["namespace"], log_to_driver=False, logging_level="ERROR")
        AttemptHolder.wait = ray.method(concurrency_group="wait")(AttemptHolder.wait)  # type: ignore[method-assign]
        self.holder = ray.remote(concurrency_groups={"wait": 1})(AttemptHolder)
        self.followed: set[str] = set()
        self.expected: dict[Any, tuple[str, str]] = {}
        self.told: list[str] | None = None

    def submit(self, order: dict[str, Any]) -> None:
        """Has Ray start a holder where what it needs is free. Ray has it on its books when this returns."""
        from ray.exceptions import ActorAlreadyExistsError

        options = {"name": order["name"], "lifetime": "detached", "max_restarts": 0, "max_task_retries": 0}
        try:
            self._follow(order["name"], self.holder.options(**options, **order["needs"]).remote(**order["holder"]))
        except ActorAlreadyExistsError:
            pass  # the answer to an earlier order was lost
        # Ray, and what it calls on, may raise anything over an order; it is told, and the others go on.
        except Exception as error:
            say("ended", name=order["name"], kind="refused", text=f"{type(error).__name__}: {error}"[:_WORDS])
            return
        self.told = None
        say("submitted", name=order["name"])

    def _follow(self, name: str, actor: Any) -> None:
        """Asks a holder to tell that it has begun, and, by dying, how it ended."""
        self.followed.add(name)
        self.expected[actor.begun.remote()] = (name, "begun")
        self.expected[actor.wait.remote()] = (name, "ended")

    def signal(self, order: dict[str, Any]) -> None:
        """Signals an attempt's supervisor."""
        with contextlib.suppress(ValueError):  # it has ended: the next listing tells
            self.ray.get_actor(order["name"]).signal.remote(order["number"])

    def drop(self, order: dict[str, Any]) -> None:
        """Takes an attempt off Ray's books."""
        with contextlib.suppress(ValueError):
            self.ray.kill(self.ray.get_actor(order["name"]))

    def sweep(self, order: dict[str, Any]) -> None:
        """Has every process of an attempt ended on the machine where it was, by whichever of its nodes is alive."""
        alive = [each for each in self.ray.nodes() if each["Alive"]]
        chosen = [each for each in alive if each["NodeID"] == order["node"]]
        chosen = chosen or [each for each in alive if each["NodeManagerAddress"] == order["host"]]
        if not chosen:
            say("swept", name=order["name"], state="no node")
            return
        self._carry_out("swept", order["name"], chosen[0]["NodeID"], order["command"])

    def _carry_out(self, what: str, name: str, node: str, command: list[str]) -> None:
        """Has a command run on a node, beside all that waits there for a place."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        strategy = NodeAffinitySchedulingStrategy(node, soft=False)
        remote = self.ray.remote(run).options(num_cpus=0, max_retries=0, scheduling_strategy=strategy)
        self.expected[remote.remote(command)] = (name, what)

    def probe(self, order: dict[str, Any]) -> None:
        """Has a node tell about itself."""
        self._carry_out("probed", order["node"], order["node"], order["command"])

    def nodes(self, _: dict[str, Any]) -> None:
        """Tells what the cluster's nodes have."""
        found = [each for each in self.ray.nodes() if each["Alive"]]
        hosts = [
            {"node": each["NodeID"], "host": each["NodeManagerAddress"], "has": each["Resources"]} for each in found
        ]
        say("nodes", nodes=hosts, free=self.ray.available_resources(), ray=self.ray.__version__)

    def look(self) -> None:
        """Tells which attempts Ray has, and what has come of those that it could not start."""
        names = sorted(self.ray.util.list_named_actors())
        for name in set(names) - self.followed:
            with contextlib.suppress(ValueError):
                self._follow(name, self.ray.get_actor(name))
        self.followed &= set(names)
        self._answered()
        if names != self.told:
            self.told = names
            say("listing", names=names)
        else:
            say("same")

    def _answered(self) -> None:
        if not self.expected:
            return
        ready, _ = self.ray.wait(list(self.expected), num_returns=len(self.expected), timeout=0)
        for each in ready:
            name, what = self.expected.pop(each)
            try:
                self._tell(what, name, self.ray.get(each))
            except self.ray.exceptions.RayError as error:
                kind = "ended" if what == "begun" else what
                say(kind, name=name, state="failed", status=None, kind=_kind(error), text=str(error)[:_WORDS])

    def _tell(self, what: str, name: str, answer: Any) -> None:
        if what == "swept":
            say(what, name=name, state={0: "clear", 3: "alive"}.get(answer[0], "failed"), text=answer[1])
        elif what == "probed":
            say(what, name=name, status=answer[0], text=answer[1])
        else:
            say(what, name=name, kind="died")


def _kind(error: Exception) -> str:
    """Tells what Ray could not start from what it has ended."""
    text = str(error)
    if type(error).__name__ in ("RuntimeEnvSetupError", "ActorUnschedulableError") or "creation task" in text:
        return "refused"
    return "memory" if "low on memory" in text or "OutOfMemory" in text else "died"


def say(kind: str, /, **words: object) -> None:
    """Tells the scheduler something."""
    os.write(_answers, json.dumps({"say": kind, **words}).encode() + b"\n")


def serve(client: Client) -> None:
    """Carries out orders, and lists what there is now and then, until stdin ends."""
    rest = b""
    while True:
        if select.select([0], [], [], client.wanted["poll_seconds"])[0]:
            chunk = os.read(0, 1 << 16)
            if not chunk:
                return
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                order = json.loads(line)
                getattr(client, order["do"])(order)
        client.look()


def main(argument: str) -> None:
    """Connects, then serves."""
    try:
        client = Client(json.loads(argument))
    # Ray refuses in many ways: no answer, other versions, a wrong token, a name that means nothing. All are told.
    except Exception as error:
        say("failed", kind=type(error).__name__, text=str(error)[:_WORDS])
        return
    say("connected", ray=client.ray.__version__)
    serve(client)


if __name__ == "__main__":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # a scheduler's end must not wait for a call to a head that is gone
    _answers = os.dup(1)
    os.dup2(2, 1)  # what libraries print is no answer
    main(sys.argv[1])
    os._exit(0)  # Ray's own end takes seconds, and helps nobody: what is detached goes on
