"""What a workflow costs: importing the package, composing 200 components from a file, and a call through middleware."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator

from benchmarks import processes
from benchmarks.bench import Bench, Reading
from benchmarks.environments import Environment, Unavailable
from benchmarks.figures import Series
from benchmarks.peers.in_process import DRIVERS
from benchmarks.peers.tool import Tool

BUILD = "a workflow of 200 components composed from a file"
IMPORT = "the import of what composes it"
CALL = "what all middleware adds to a call of a method"
OURS, HYDRA = "mlpipeline.workflow", "Hydra (no checks, no middleware)"
_COMPONENTS = 200


class Composer(Tool):
    """A way to compose objects from YAML."""

    def __init__(self, name: str, driver: str, key: str, environment: Environment | None = None) -> None:
        self.name, self.driver, self.key, self.environment = name, driver, key, environment
        self.package = "hydra-core" if environment else ""
        self.cheap = environment is None

    def prepare(self) -> None:
        """Needs the libraries that read workflow files."""
        if self.environment is None:
            missing = [each for each in ("yaml", "joblib") if importlib.util.find_spec(each) is None]
            if missing:
                raise Unavailable(f"{', '.join(missing)} not installed beside this benchmark")
        super().prepare()

    def version(self) -> str:
        """Returns the peer's version; nothing for ours."""
        return super().version() if self.environment is not None else ""

    def readings(self, calls: int) -> Iterator[Reading]:
        """Measures once, in a process of its own."""
        python = sys.executable if self.environment is None else self.environment.python
        with processes.directory() as root:
            variables = processes.environment(root) if self.environment else processes.environment()
            command = [python, str(DRIVERS / self.driver), str(_COMPONENTS), str(calls), str(root)]
            processes.run(command, root, variables | {"PYTHONDONTWRITEBYTECODE": ""})
            took = json.loads((root / "said").read_text("utf-8").splitlines()[-1])
        yield Reading(measure=BUILD, values=(took["built"] * 1000,))
        yield Reading(measure=IMPORT, values=(took["imported"] * 1000,))
        if "call" in took:
            yield Reading(measure=CALL, unit="us", values=(took["call"] * 1e6,))


COMPOSERS = (
    Composer(OURS, "compose_ours.py", "mlpipeline"),
    Composer(HYDRA, "compose_hydra.py", "hydra", Environment("hydra", "hydra-core")),
)


def measure(bench: Bench) -> Iterator[Series]:
    """Measures both in turn."""
    calls = bench.settings.count(100_000, 10_000)

    def once(tool: Tool) -> Iterator[Reading]:
        assert isinstance(tool, Composer)
        yield from tool.readings(calls)

    yield from bench.alternate("composing", BUILD, COMPOSERS, bench.settings.times(7, 2), once)
