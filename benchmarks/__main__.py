"""Runs every measurement and writes the table."""

from __future__ import annotations

import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import measures, reliability

RESULTS = Path(__file__).parent / "RESULTS.md"


def main() -> int:
    """Measures and writes; returns 0."""
    rows = []
    for measure in (*measures.ALL, *reliability.ALL):
        row = measure()
        rows.append(row)
        sys.stderr.write(f"{row.what}: {row.figure} (aim: {row.aim})\n")
    lines = [
        "# Results of the benchmarks",
        "",
        "Made by `make bench`. Medians on a shared, noisy machine: compare ratios rather than single figures.",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, {measures.machine()}, Python {platform.python_version()}.",
        "",
        "| what | measured | aim | beside it |",
        "|---|---|---|---|",
        *(f"| {row.what} | {row.figure} | {row.aim} | {row.peer} |" for row in rows),
        "",
        *Path(__file__).with_name("NOTES.md").read_text("utf-8").splitlines(),
        "",
    ]
    RESULTS.write_text("\n".join(lines), "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
