"""Measures what was asked for, and writes the tables and plots."""

from __future__ import annotations

import argparse
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from benchmarks import peers, plots, processes, report
from benchmarks.bench import Bench, say
from benchmarks.figures import Figures
from benchmarks.groups import GROUPS
from benchmarks.settings import Settings, machine

HERE = Path(__file__).parent


def arguments() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three minutes: small counts, and peers that cost little")
    parser.add_argument("--only", type=_listed(list(GROUPS)), metavar="A,B", help=f"of {', '.join(GROUPS)}")
    parser.add_argument(
        "--peers", type=_listed(["none", *peers.keys()]), metavar="A,B", help=f"of {', '.join(peers.keys())}, or none"
    )
    parser.add_argument("--repeat", type=int, metavar="N", help="rounds of everything that alternates")
    parser.add_argument("--into", type=Path, metavar="DIR", help="where results go; benchmarks/, or benchmarks/quick/")
    parser.add_argument("--report", action="store_true", help="measure nothing: write tables and plots anew")
    return parser.parse_args()


def _listed(known: list[str]) -> Callable[[str], list[str]]:
    def read(text: str) -> list[str]:
        names = text.split(",")
        if unknown := set(names) - set(known):
            raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: not one of {', '.join(known)}")
        return names

    return read


def main() -> int:
    """Measures and writes. Returns 1 where something could not be measured that should be, 0 otherwise."""
    asked = arguments()
    chosen = None if asked.peers is None else frozenset(asked.peers)
    bench = Bench(Settings(quick=asked.quick, repeat=asked.repeat, peers=chosen))
    into = asked.into or (HERE / "quick" if asked.quick else HERE)
    into.mkdir(parents=True, exist_ok=True)
    figures = Figures.read(into / "results.json", machine())
    signal.signal(signal.SIGTERM, _end)
    try:
        for name in () if asked.report else asked.only or GROUPS:
            measure(name, bench, figures)
            figures.versions |= bench.versions
            figures.write(into / "results.json")
    except KeyboardInterrupt:
        say("interrupted: what was measured whole is kept, --report writes its tables")
        return 130
    finally:
        processes.end_leftovers()
    drawn = plots.draw(figures, into / "plots")
    text = report.text(figures, drawn)
    (into / "RESULTS.md").write_text(text, "utf-8")
    if asked.quick:
        print(text)
    failed = [each for each in figures.series.values() if each.failed and each.group in (asked.only or GROUPS)]
    for each in failed:
        say(f"failed: {each.measure}: {each.tool}: {each.failed}")
    return 1 if failed else 0


def measure(name: str, bench: Bench, figures: Figures) -> None:
    """Measures one group, and puts its series in the place of the former ones."""
    say(f"{name}:")
    figures.others[name] = psutil.cpu_percent(interval=0.1 if bench.settings.quick else 1)
    begin = time.monotonic()
    found = list(GROUPS[name](bench))
    took = time.monotonic() - begin
    figures.forget(name, None if bench.settings.peers is None else {each.tool for each in found})
    figures.replace(found)
    figures.seconds[name] = round(took, 1)
    say(f"{name}: {took:.0f} s")


def _end(*_: object) -> None:
    raise SystemExit(130)


if __name__ == "__main__":
    raise SystemExit(main())
