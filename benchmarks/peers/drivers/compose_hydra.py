"""Composes so many objects by Hydra, from YAML; how long that took, in seconds."""

import json
import sys
import time
from pathlib import Path

PER_GROUP = 20


class AddsOne:
    """What is composed."""

    def __init__(self, rate: float = 0.5, name: str = "one") -> None:
        self.rate, self.name = rate, name


def main() -> None:
    """Measures, and says so in JSON."""
    count, root = int(sys.argv[1]), Path(sys.argv[3])
    lines = []
    for number in range(count // PER_GROUP):
        lines.append(f"p{number}:")
        lines += [f"  c{each}: {{_target_: __main__.AddsOne, rate: 0.{each + 1}}}" for each in range(PER_GROUP)]
    file = root / "many.yaml"
    file.write_text("\n".join(lines) + "\n")
    begin = time.perf_counter()
    from hydra.utils import instantiate
    from omegaconf import OmegaConf

    imported = time.perf_counter() - begin
    instantiate(OmegaConf.load(file))
    begin = time.perf_counter()
    built = instantiate(OmegaConf.load(file))
    took = time.perf_counter() - begin
    assert built.p0.c0.rate == 0.1
    print(json.dumps({"built": took, "imported": imported}))


main()
