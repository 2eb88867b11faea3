"""Composes a workflow of so many components, and calls a method of one; how long each took, in seconds."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import MethodType

PARTS = """
from abc import abstractmethod
from mlpipeline.workflow import Component, Pipeline, Runner

class Adds(Component):
    @abstractmethod
    def add(self, number): ...

class AddsOne(Adds):
    def __init__(self, rate: float = 0.5, name: str = "one"):
        self.rate, self.name = rate, name
    def add(self, number):
        return number + 1

class Many(Pipeline):
    first: Adds
    def act(self, number):
        return number + 1
    def main(self):
        return self.first.add(1)
"""
PER_PIPELINE = 20


def write(root: Path, count: int) -> Path:
    """Writes a workflow of so many components, twenty to a pipeline, each with a value of its own."""
    (root / "mlp.config").write_text("")
    (root / "components").mkdir()
    (root / "components" / "parts.py").write_text(PARTS)
    lines = ["pipeline:", *(f"  p{number}: Many" for number in range(count // PER_PIPELINE))]
    for number in range(count // PER_PIPELINE):
        names = ["first", *(f"c{each}" for each in range(1, PER_PIPELINE))]
        lines += [f"p{number}:", "  component:", *(f"    {name}: AddsOne" for name in names)]
        lines += [f"  {name}: {{config: {{rate: 0.{place + 1}}}}}" for place, name in enumerate(names)]
    file = root / "many.yaml"
    file.write_text("\n".join(lines) + "\n")
    return file


def each_call(function: Callable[[int], object], count: int) -> float:
    """Returns the seconds that one call takes."""
    begin = time.perf_counter()
    for number in range(count):
        function(number)
    return (time.perf_counter() - begin) / count


def bare(part: object, name: str) -> Callable[[int], object]:
    """Returns a method with nothing around it."""
    return MethodType(getattr(type(part), name), part)


def main() -> None:
    """Measures, and says so in JSON."""
    count, calls, root = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    file = write(root, count)
    begin = time.perf_counter()
    from mlpipeline.workflow import Runner, load

    imported = time.perf_counter() - begin
    assert Runner is not None
    load(file)  # the files of classes are imported once; what is measured is the composing
    begin = time.perf_counter()
    runner = load(file)
    built = time.perf_counter() - begin
    parts = [(runner.p0.first, "add"), (runner.p0, "act")]  # what goes around a pipeline's methods is more
    added = [each_call(getattr(part, name), calls) - each_call(bare(part, name), calls) for part, name in parts]
    print(json.dumps({"built": built, "imported": imported, "call": max(added)}))


main()
