"""Installs extras alone in empty environments, and asks each what works: `python tools/installs.py [--all]`.

By default the core, and three small extras that change from commit to commit; --all takes every extra (an hour, and
many gigabytes). Before that, the build has to give the same bytes twice, and uv has to find versions of all extras
together for Python 3.12 and 3.13, which is all that is known of these: nothing is run there.
"""

from __future__ import annotations

import argparse
import configparser
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, os.path.dirname(__file__))
import build

ROOT = build.ROOT
SMALL = (
    "data", "gpu", "learning", "lightgbm", "notify", "package", "plots", "quality", "redis", "s3", "serve", "sklearn",
    "sql", "templates", "transform", "tune", "workflow", "xgboost-cpu",
)  # fmt: skip
AT_A_TIME = 3
FOR_THIS_PROJECT = ("bench", "browser", "dev", "docs", "engines", "services", "test")
"""Extras that are for work on mlpipeline itself: the other steps of CI install them."""
RESOLVED = ("3.12", "3.13")
ALTERNATIVES = (("tensorflow", "tensorflow-cpu"), ("xgboost", "xgboost-cpu"))
"""Two builds of one package each: resolved apart."""


class Failed(Exception):
    """Something cannot be built or installed, or does not work; the message says what."""


def needed() -> dict[str, str]:
    """Returns what each extra of setup.cfg needs, in its order; that of Slurm needs nothing."""
    read = configparser.ConfigParser()
    read.read(ROOT / "setup.cfg")
    return {name: text for name, text in read["options.extras_require"].items() if name not in FOR_THIS_PROJECT}


def extras() -> list[str]:
    """Returns the extras of setup.cfg, in its order."""
    return list(needed())


def rotating(number: int) -> list[str]:
    """Returns the small extras whose turn it is: after so many commits as there are extras, each had three."""
    return [SMALL[(number * AT_A_TIME + place) % len(SMALL)] for place in range(AT_A_TIME)]


def run(*words: str | Path, cwd: Path = ROOT) -> str:
    """Runs a program; its failure is ours, with what it said.

    Raises:
        Failed: it did.
    """
    done = subprocess.run([*map(str, words)], cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"{' '.join(map(str, words))}\n{done.stdout}{done.stderr}\nexit status {done.returncode}")
    return done.stdout


def built(place: Path) -> Path:
    """Builds twice, and returns the wheel.

    Raises:
        Failed: the two are not the same.
    """
    seconds = build.epoch()
    first, second = (build.build(place / each, seconds) for each in ("first", "second"))
    for one, other in zip(first, second, strict=True):
        digests = [hashlib.sha256(each.read_bytes()).hexdigest() for each in (one, other)]
        if digests[0] != digests[1]:
            raise Failed(f"{one.name}: two builds of the same sources are not the same")
        print(f"{one.name}: {one.stat().st_size:,} bytes, sha256 {digests[0]}, twice the same", flush=True)
    return first[1]


def resolve() -> None:
    """Finds versions of all extras together, for each newer Python."""
    names = extras()
    for python in RESOLVED:
        for left_out in (tuple(each[0] for each in ALTERNATIVES), tuple(each[1] for each in ALTERNATIVES)):
            wanted = [word for name in names if name not in left_out for word in ("--extra", name)]
            text = run(
                "uv", "pip", "compile", "setup.cfg", *wanted, "--python-version", python, "--no-header", "--quiet",
            )  # fmt: skip
            count = sum(1 for line in text.splitlines() if line[:1].isalnum())
            print(f"Python {python} without {', '.join(left_out)}: {count} packages, resolved and no more", flush=True)


def install(place: Path, wheel: Path, extra: str | None) -> dict[str, str | None]:
    """Installs one extra, or the core, into an empty environment, and returns what is in the way of each part.

    Raises:
        Failed: it cannot be installed, or something of it does not work.
    """
    start = time.monotonic()
    run("uv", "venv", "--quiet", "--python", sys.executable, place)
    python = place / "bin" / "python"
    run("uv", "pip", "install", "--quiet", "--python", python, f"{wheel}[{extra}]" if extra else wheel)
    run("uv", "pip", "check", "--quiet", "--python", python)
    told = run(place / "bin" / "mlpipeline", "--version", cwd=place).splitlines()[-1]
    is_told = extra in told.removeprefix("extras installed: ").split(", ")
    if extra and needed()[extra].strip() and not is_told:
        raise Failed(f"{extra} is installed, and mlpipeline --version says: {told}")
    run(place / "bin" / "mlpipeline", "init", "project", cwd=place)
    run(place / "bin" / "mlpipeline", cwd=place / "project")
    run(place / "bin" / "mlpipeline", "test", cwd=place / "project")
    parts: dict[str, str | None] = json.loads(run(python, ROOT / "tools" / "installed.py", cwd=place))
    known = set(extras())
    wrong = {name: why for name, why in parts.items() if why is not None and (why not in known or why == extra)}
    if wrong:
        raise Failed("\n".join(f"{name}: {why}" for name, why in wrong.items()))
    works = sum(why is None for why in parts.values())
    took = time.monotonic() - start
    print(
        f"{extra or 'core'}: {works} of {len(parts)} parts load, the others name their extra; {took:.0f} s", flush=True
    )
    return parts


def try_each(place: Path, wheel: Path, chosen: Iterable[str]) -> list[str]:
    """Tries the core, then each extra: what is wrong with one is told at once, and the others have their turn."""
    wrong = []
    for extra in (None, *chosen):
        name = extra or "core"
        try:
            install(place / name, wheel, extra)
        except Failed as why:
            print(f"{name}: FAILED\n{why}", flush=True)
            wrong.append(name)
    return wrong


def main() -> None:
    """Does all of it."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--all", action="store_true", help="every extra, not only three small ones")
    options.add_argument("--extra", action="append", help="this one; may be given again")
    given = options.parse_args()
    count = subprocess.run(
        ["git", "rev-list", "--count", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    chosen = given.extra or (extras() if given.all else rotating(int(count.stdout or 0)))
    with tempfile.TemporaryDirectory(prefix="mlpipeline-installs-") as place:
        try:
            wheel = built(Path(place))
            resolve()
        except Failed as why:
            sys.exit(str(why))
        wrong = try_each(Path(place), wheel, chosen)
    if wrong:
        sys.exit(f"does not work: {', '.join(wrong)}")


if __name__ == "__main__":
    main()
