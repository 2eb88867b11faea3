"""What the commands of the cache say about spools: the rows of streaming datasets, which are on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlpipeline.cli.setup import Setup

if TYPE_CHECKING:
    from mlpipeline.data.spools import Kept, Spools
    from mlpipeline.observe.table import Table


def spools_of(setup: Setup) -> Spools:
    """Returns the project's spools, within the limits that it sets."""
    from mlpipeline.data import data_settings
    from mlpipeline.data.spools import Spools

    settings = data_settings.read(setup.project())
    return Spools(settings.spool_dir, limit_bytes=settings.spool_limit, unused_seconds=settings.spool_unused)


def table(spools: Spools, kept: list[Kept], key_shown: int) -> Table:
    """Returns the spools as a table, used last first."""
    from mlpipeline.observe.table import Table

    return Table(columns=("spool", "of", "rows", "size", "unused"), rows=tuple(_row(spools, kept, key_shown)))


def _row(spools: Spools, kept: list[Kept], key_shown: int) -> list[tuple[str, ...]]:
    from mlpipeline.cli.cache import age
    from mlpipeline.observe.text import size

    now = spools.clock()
    return [
        (
            spool.name[:key_shown],
            spool.whose or "(damaged)",
            f"{spool.rows:,}",
            size(spool.bytes),
            "in use" if spool.is_used else f"{age(now - spool.used_at)}{' (too long)' if spools.is_old(spool) else ''}",
        )
        for spool in kept
    ]


def told(spools: Spools, kept: list[Kept]) -> dict[str, Any]:
    """Returns the spools as JSON has them."""
    listed = [
        {
            "key": spool.name, "dataset": spool.whose or None, "rows": spool.rows, "bytes": spool.bytes,
            "used_at": spool.used_at, "in_use": spool.is_used, "unused_too_long": spools.is_old(spool),
        }
        for spool in kept
    ]  # fmt: skip
    return {
        "directory": str(spools.root),
        "bytes": sum(spool.bytes for spool in kept),
        "limit_bytes": spools.limit_bytes,
        "unused_seconds": spools.unused_seconds,
        "entries": listed,
    }


def story(spools: Spools, spool: Kept) -> list[tuple[str, str]]:
    """Returns what there is to say about one."""
    from mlpipeline.cli.cache import age
    from mlpipeline.observe.text import size

    return [
        ("spool", spool.name),
        ("of", spool.whose or "what cannot be read: it is damaged, and will be made again"),
        ("kept", f"{spool.rows:,} rows, {size(spool.bytes)}, in {spools.root / spool.name}"),
        ("used", "by a process at this moment" if spool.is_used else f"{age(spools.clock() - spool.used_at)} ago"),
    ]
