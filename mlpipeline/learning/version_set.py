"""The versions of an EstimatorModel: those of the script, each with the dataset and the estimator that it means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mlpipeline.versions import Version, Versions


class CompletedVersions(Versions):
    """A view of a collection: what is added to either is in both.

    Args:
        given: what the script made.
        complete: makes of one of its versions what is trained.
    """

    def __init__(self, given: Versions, complete: Callable[[Version], Version]) -> None:
        self._given, self._complete = given, complete
        self._done: dict[str, tuple[Version, Version]] = {}

    @property
    def _versions(self) -> dict[str, Version]:  # type: ignore[override]
        return {name: self._completed(version) for name, version in self._given.versions.items()}

    def _completed(self, version: Version) -> Version:
        known = self._done.get(version.name)
        if known is None or known[0] is not version:
            known = self._done[version.name] = (version, self._complete(version))
        return known[1]

    def _insert(self, name: str, given: Mapping[str, Any]) -> CompletedVersions:
        self._given._insert(name, given)
        return self

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in ("_given", "_complete", "_done"):
            raise AttributeError(name)
        return getattr(self._given, name)
