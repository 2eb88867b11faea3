"""Which saved models there are, by name: where a server looks for them, again and again."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlpipeline.errors import UsageError
from mlpipeline.learning import saved, serializers
from mlpipeline.project import Project


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A saved model that can be served.

    Attributes:
        name: of the model.
        place: its directory, or the URL of it.
        stamp: changes with its content.
        run: that has fitted it; None where it is not known.
        manifest: what is told of it.
    """

    name: str
    place: str
    stamp: str
    run: str | None = None
    manifest: Mapping[str, Any] = field(hash=False, compare=False)


class Catalog:
    """Finds the saved models to serve.

    Args:
        project: whose runs left them.
        names: of the models; none are all that there are.
        which: "best", "latest", or the beginning of a run's id.
        places: directories and URLs of saved models that lie elsewhere, by name.
    """

    def __init__(
        self,
        project: Project,
        names: Sequence[str] = (),
        which: str = saved.BEST,
        places: Mapping[str, str] | None = None,
    ) -> None:
        self._shelf, self._names, self._which = saved.Shelf(project), tuple(names), which
        self._places = dict(places or {})

    def look(self, without: Container[str] = ()) -> list[Offer]:
        """Returns for each model the one to serve, as it is now.

        Args:
            without: stamps of those in whose place the next best, or the next latest, is wanted.

        Raises:
            MlpipelineError: there is none of a name, or it cannot be read.
        """
        names = self._names or (() if self._places else tuple(self._shelf.names()))
        found = [_of_run(self._shelf.choose(name, self._which, without)) for name in names]
        return found + [offer(place, name) for name, place in self._places.items()]


def parse(words: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Returns the names of models that were named, and by name the places of those that stand as NAME=PLACE.

    Raises:
        UsageError: a name or a place is missing, or a name is there twice.
    """
    names: list[str] = []
    places: dict[str, str] = {}
    for word in words:
        name, equals, place = word.partition("=")
        if not name or (equals and not place):
            raise UsageError(f"'{word}': name a model, or write NAME=PLACE with a directory or URL of a saved one")
        if name in names or name in places:
            raise UsageError(f"'{name}' is there twice: each model is served once")
        if equals:
            places[name] = place
        else:
            names.append(name)
    return names, places


def offer(place: str, name: str | None = None) -> Offer:
    """Returns the saved model at a place.

    Args:
        place: a directory, or a URL.
        name: of the model; by default as its manifest says.
    """
    told = serializers.read_manifest(place)
    run = told.get("run") or {}
    named = name or Path(str(run.get("model") or "model")).stem
    return Offer(name=named, place=place, stamp=str(told["digest"]), run=run.get("id"), manifest=told)


def _of_run(found: saved.Saved) -> Offer:
    return Offer(name=found.name, place=str(found.path), stamp=found.digest, run=found.run_id, manifest=found.manifest)
