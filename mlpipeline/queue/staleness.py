"""Why a version is due although it ran before: what changed since its newest run, in code and parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mlpipeline.execution import changes, snapshot
from mlpipeline.execution.changes import Change
from mlpipeline.ledger import Ledger
from mlpipeline.project import Project
from mlpipeline.queue.catalog import Description
from mlpipeline.queue.verdicts import Item, Verdict, Wanted
from mlpipeline.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Stale:
    """What is different since a run. No changes: the digests alone are, as those of another Python or mlpipeline."""

    since: Run
    changes: tuple[Change, ...]


class Comparison:
    """Compares wishes with what ran before; each pair of sources is compared once.

    Args:
        project: whose wishes.
        ledger: where earlier runs stand.
        descriptions: what the models are now.
    """

    def __init__(self, project: Project, ledger: Ledger, descriptions: Mapping[str, Description]) -> None:
        self.project = project
        self.ledger = ledger
        self.descriptions = descriptions
        self._known: dict[tuple[str, str], tuple[Change, ...]] = {}

    def of(self, item: Item) -> Stale | None:
        """Returns why an item is due again; None where it is not due, never ran, or is another try at the same."""
        wanted = item.wanted
        if item.verdict not in (Verdict.DUE, Verdict.WAITING, Verdict.HELD) or item.standing is not None:
            return None
        found = self.ledger.runs(model=wanted.model, version=wanted.version, replicate=wanted.replicate, limit=1)
        return Stale(since=found[0], changes=self._changes(wanted, found[0])) if found else None

    def _changes(self, wanted: Wanted, run: Run) -> tuple[Change, ...]:
        code: tuple[Change, ...] = ()
        if run.code_digest != wanted.key.code_digest and self.project.settings.rerun_on == "code":
            pair = (wanted.model, run.sources)
            if pair not in self._known:
                self._known[pair] = self._of_code(wanted.model, run)
            code = self._known[pair]
        return code + changes.of_params(run.params, wanted.params)

    def _of_code(self, model: str, run: Run) -> tuple[Change, ...]:
        root, main = self.project.root, self.project.relative(self.project.models_dir / model)
        try:
            copy = snapshot.load(self.project.sources_dir / run.sources)
            before, now = copy.read(), {name: (root / name).read_bytes() for name in self.descriptions[model].files}
        except (OSError, ValueError) as error:
            text = f"its code changed (what exactly cannot be told: {error})"
            return (Change(kind="code", name=model, text=text),)
        return changes.of_code(before, copy.main, now, main)


def short(stale: Stale) -> str:
    """Returns the changes in a few words: `code changed: Net.train_model, 2 more`."""
    code = [each.name for each in stale.changes if each.kind != "parameter"]
    parameters = [each.name for each in stale.changes if each.kind == "parameter"]
    told = [("code changed", code), ("parameters changed", parameters)]
    return (
        "; ".join(f"{title}: {_few(names)}" for title, names in told if names)
        or "digests of another Python or mlpipeline"
    )


def _few(names: list[str]) -> str:
    return f"{names[0]}, {len(names) - 1} more" if len(names) > 1 else names[0]
