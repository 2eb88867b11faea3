"""What trackers of resources have in common, wherever they keep them: a draft of what is registered, and lineage."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence

from mlpipeline import wire
from mlpipeline.workflow import places, secrets
from mlpipeline.workflow.components import resources
from mlpipeline.workflow.part import side_effects
from mlpipeline.workflow.types.contract import Kind, Resource
from mlpipeline.workflow.types.record import MetadataTracker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class ResourceTracker(MetadataTracker):
    """Keeps each resource by itself, under an id of its own."""

    @side_effects
    def register(
        self,
        kind: Kind,
        name: str,
        digest: str,
        parents: Sequence[Resource] = (),
        place: str | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> Resource:
        """Makes a resource, durably, and returns it. The same again in the same run is the one that is there.

        Raises:
            DataFault: (a ValueError) it has no name or no digest, or a parent is no resource.
            NotWritable: the project's outputs cannot be written.
            StoreError: what it is kept in cannot be reached, or refuses.
        """
        resources.check(name, digest, parents)
        hidden = places.hidden_of(self)
        draft = Resource(
            id="",
            kind=Kind(kind),
            name=name,
            digest=digest,
            parents=tuple(each.id for each in parents),
            run_id=self.run.run_id,
            created_at=wire.utc_now(),
            place=None if place is None else secrets.shown(str(place), hidden),
            facts=resources.plain_facts(facts or {}, hidden),
        )
        return self._add(draft)

    @abstractmethod
    def _add(self, draft: Resource) -> Resource:
        """Keeps a resource that has no id yet, and returns it with its id; one that the run has made already, once."""

    def lineage(self, resource: Resource) -> Sequence[Resource]:
        """Returns what a resource was made from, nearest first, down to the datasets, each once."""
        found: dict[str, Resource] = {}
        waiting = list(resource.parents)
        while waiting:
            name = waiting.pop(0)
            if name not in found:
                found[name] = self.get(name)
                waiting += found[name].parents
        return list(found.values())
