"""What the warm process is to import: what the models that are due import, and what their last runs imported late."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mlpipeline import wire
from mlpipeline.project import Project
from mlpipeline.queue import describing
from mlpipeline.queue.catalog import Catalog
from mlpipeline.queue.verdicts import Item, Verdict

_OPEN = (Verdict.DUE, Verdict.RUNNING, Verdict.WAITING)


class Preloading:
    """Learns from runs, and tells the warm process.

    Args:
        project: whose models.
        catalog: what is known of them, and who may fork.
        keep: whether what is learnt is kept for the next start.
    """

    def __init__(self, project: Project, catalog: Catalog, *, keep: bool) -> None:
        self.project = project
        self.catalog = catalog
        self.keep = keep
        self.late: dict[str, list[str]] = {}
        if catalog.warm is not None:
            known = wire.read_json(self._file) or {}
            self.late = {model: names for model, names in known.items() if isinstance(names, list)}

    @property
    def _file(self) -> Path:
        return self.project.outputs_dir / f"preload-{self.project.host}.json"

    def tell(self, described: Iterable[str], items: Iterable[Item] = ()) -> None:
        """Tells the warm process what it is to hold.

        Args:
            described: models that are to be described.
            items: of the plan.
        """
        if self.catalog.warm is None:
            return
        models = dict.fromkeys(described) | dict.fromkeys(item.wanted.model for item in items if item.verdict in _OPEN)
        names = [name for model in models for name in (*self._static(model), *self.late.get(model, ()))]
        self.catalog.warm.want(dict.fromkeys(names))

    def is_heavy(self, model: str) -> bool:
        """Whether a model's runs import a heavy package, as far as is known."""
        return bool(self._static(model) or self.late.get(model))

    def _static(self, model: str) -> tuple[str, ...]:
        known = self.catalog.known.get(model)
        return known.heavy if known is not None and known.fault is None else describing.imports(self.project, model)

    def learn(self, model: str, directory: Path) -> None:
        """Reads what a run imported that no source names.

        Raises:
            OSError: it cannot be kept; it is known nevertheless.
        """
        if self.catalog.warm is None:
            return
        found = (wire.read_json(directory / wire.RESULT) or {}).get("imported") or ()
        known = self.late.setdefault(model, [])
        fresh = [str(name) for name in found if name not in known]
        if fresh:
            known += fresh
            if self.keep:
                wire.write_json(self._file, self.late)
