"""The command that removes what is not needed any more: gc."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from mlpipeline.cli.setup import Setup, draw, now, say, shared

if TYPE_CHECKING:
    from mlpipeline.project import Project
    from mlpipeline.queue.housekeeping import Item, Keep, Kind

_SHOWN = 10


@click.command()
@click.option("--yes", is_flag=True, help="Remove it. Without this it is only shown.")
@click.option("--keep-runs", metavar="N", type=click.IntRange(min=0), help="Instead of keep_runs in mlp.config.")
@click.option("--keep-checkpoints", metavar="N", type=click.IntRange(min=0), help="Instead of keep_checkpoints.")
@click.option("--keep-logs-mb", metavar="X", type=click.FloatRange(min=0), help="Instead of keep_logs_mb.")
@shared
@click.pass_obj
def gc(
    setup: Setup, yes: bool, keep_runs: int | None, keep_checkpoints: int | None, keep_logs_mb: float | None
) -> None:
    """Show what is not needed any more, by kind and size; with --yes remove it.

    Nothing that a record needs ever goes: fsck finds nothing missing, and the ledger can be made again. Whole stay what
    runs, what is pinned, and the newest run of each version that succeeded. The scheduler may be running.

    \b
    mlpipeline gc                               what would go
    mlpipeline gc --keep-runs 3                 what would go if three runs of each version stayed whole
    mlpipeline gc --keep-runs 3 --yes           remove it
    """
    from mlpipeline.errors import NotWritable
    from mlpipeline.queue import housekeeping, sweep

    project = setup.project()
    keep = _keep(project, keep_runs, keep_checkpoints, keep_logs_mb)
    try:
        items = housekeeping.decide(sweep.gather(project, keep, now()), keep, now())
    except OSError as error:
        raise NotWritable(f"{error.filename}: cannot be read ({error.strerror}): mend its permissions") from error
    if yes:
        items = sweep.remove(project, items)
    if setup.json:
        setup.emit(_json(items, removed=yes))
    else:
        _show(items, keep, removed=yes)


def _keep(project: Project, runs: int | None, checkpoints: int | None, logs_mb: float | None) -> Keep:
    from mlpipeline.queue.housekeeping import Keep

    settings = project.settings
    return Keep(
        runs=settings.keep_runs if runs is None else runs,
        checkpoints=settings.keep_checkpoints if checkpoints is None else checkpoints,
        logs_mb=settings.keep_logs_mb if logs_mb is None else logs_mb,
    )


def _json(items: Sequence[Item], *, removed: bool) -> dict[str, Any]:
    told = [
        {"kind": item.kind.name.lower(), "path": item.piece.path, "bytes": item.piece.bytes, "run": item.run or None}
        for item in items
    ]
    return {"format": 1, "removed": removed, "bytes": _total(items), "items": told}


def _total(items: Sequence[Item]) -> int:
    return sum(item.piece.bytes for item in items)


def _show(items: Sequence[Item], keep: Keep, *, removed: bool) -> None:
    from mlpipeline.observe import text
    from mlpipeline.observe.table import Table

    if items:
        kinds = _by_kind(items)
        if not removed:
            _list(kinds)
        rows = [(kind.value, str(len(found)), text.size(_total(found))) for kind, found in kinds.items()]
        rows.append(("total", str(len(items)), text.size(_total(items))))
        draw(Table(columns=("removed" if removed else "would go", "count", "size"), rows=tuple(rows)))
    else:
        say("Nothing to remove.")
    if removed:
        return
    if unset := [f"keep_{name}" for name in ("runs", "checkpoints", "logs_mb") if getattr(keep, name) is None]:
        say(f"Not set, so that all is kept: {', '.join(unset)}.")
    if items:
        say("Nothing was removed. Remove it: the same command with --yes")


def _by_kind(items: Sequence[Item]) -> dict[Kind, list[Item]]:
    return {kind: [item for item in items if item.kind is kind] for kind in dict.fromkeys(each.kind for each in items)}


def _list(kinds: Mapping[Kind, Sequence[Item]]) -> None:
    """Says what would go, not more than a screen of each kind."""
    from mlpipeline.observe import text

    for kind, found in kinds.items():
        say(f"{kind.value}:")
        for item in found[:_SHOWN]:
            say(f"  {item.piece.path}  {text.size(item.piece.bytes)}")
        if len(found) > _SHOWN:
            say(f"  … and {len(found) - _SHOWN} more (all of them: --json)")
