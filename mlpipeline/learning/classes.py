"""Which class a saved model is of: looked up by name, or among those that are imported; a file imports nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mlpipeline import plugins
from mlpipeline.config_text import near_miss
from mlpipeline.data.kinds import descendants
from mlpipeline.errors import UnknownClass
from mlpipeline.learning import estimators
from mlpipeline.learning.estimator import Estimator

KIND = "estimator"


def path_of(kind: type) -> str:
    """Returns a class as `package.module:Class`."""
    return f"{kind.__module__}:{kind.__qualname__}"


def name_of(kind: type[Estimator]) -> str | None:
    """Returns the name by which a class of estimators is known; None where it has none, as a user's own."""
    built_in = _built_in()
    for name, home in built_in.items():
        if home == kind.__qualname__ and getattr(estimators, home) is kind:
            return name
    path = path_of(kind)
    return next((name for name in plugins.names(KIND) if plugins.target(KIND, name) == path), None)


def find(name: str | None, path: str, version: str, classes: Iterable[type] = ()) -> type[Estimator]:
    """Returns the class of a saved estimator.

    Args:
        name: its registered name, which stays when the class moves; None where it was not registered.
        path: where the class was when the model was saved.
        version: of mlpipeline, that saved it.
        classes: those to look among first; also by the bare name, for a class that has moved.

    Raises:
        UnknownClass: there is none, with what can be done.
        MissingExtra: its library is not installed; the message says which extra brings it.
    """
    given = {path_of(kind): kind for kind in classes} | {kind.__qualname__: kind for kind in classes}
    if found := given.get(path) or given.get(path.partition(":")[2]):
        return _estimator(found, path)
    if name in (built_in := _built_in()):
        return _estimator(getattr(estimators, built_in[name]), path)
    if name is not None and name in plugins.names(KIND):
        return _estimator(plugins.load(KIND, name), path)
    imported: dict[str, type[Estimator]] = {path_of(kind): kind for kind in descendants(Estimator)}
    if path in imported:
        return imported[path]
    raise UnknownClass(_unknown(name, path, version, imported))


def renamed(state: Any, classes: Iterable[type]) -> Any:
    """Returns the state of encoders in which classes that have moved are called as they are now.

    Args:
        state: as it was saved: wherever it names a class, that is the value of `class`.
        classes: those that have moved; they are told by their bare names.
    """
    return _renamed(state, {kind.__qualname__: path_of(kind) for kind in classes})


def _renamed(state: Any, paths: dict[str, str]) -> Any:
    if isinstance(state, list):
        return [_renamed(each, paths) for each in state]
    if not isinstance(state, dict):
        return state
    changed = {key: _renamed(each, paths) for key, each in state.items()}
    module, colon, bare = str(state.get("class", "")).partition(":")
    return {**changed, "class": paths.get(bare, f"{module}:{bare}")} if colon else changed


def _unknown(name: str | None, path: str, version: str, imported: Iterable[str]) -> str:
    module, _, bare = path.partition(":")
    moved = [each for each in imported if each.partition(":")[2] == bare]
    if moved:
        return (
            f"the saved estimator is of the class {path}, which is not there; there is {moved[0]}: if it has moved "
            f"there, load the model with classes=[{bare}]"
        )
    if name is not None:
        known = sorted({*_built_in(), *plugins.names(KIND)})
        return (
            f"the saved estimator is '{name}' ({path}), saved by mlpipeline {version}, and no such estimator is "
            f"registered.{near_miss(name, known)} Known: {', '.join(known) or 'none'}. Install the package that offers "
            f"it, or import its class and load the model with classes=[{bare}]"
        )
    return (
        f"the saved estimator is of the class {path}, which is not imported, and is never imported because a file says "
        f"so: import {module} first, or load the model with classes=[{bare}]"
    )


def _estimator(found: Any, path: str) -> type[Estimator]:
    if not (isinstance(found, type) and issubclass(found, Estimator)):
        raise UnknownClass(f"{found!r} is no class of estimators, and {path} was saved: give another one in classes=")
    return found


def _built_in() -> dict[str, str]:
    """Returns the classes that the package brings along by name: in a notebook nobody has filled the registry."""
    return {home: name for name, home in estimators.HOMES.items()}
