"""Extension points and the registry: every room asks `plugins.load(kind, name)`."""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from typing import Any

from mlpipeline import errors

ENTRY_POINT_GROUP = "mlpipeline"
"""Installed packages offer parts in the entry-point groups `mlpipeline.<kind>`."""
BUILT_IN = "built in"
_BRINGS = {"joblib": "workflow", "pandas": "data", "pyarrow": "data", "sklearn": "learning", "yaml": "workflow"}
"""The extra that brings a module which built-in parts import as they are loaded; others they ask for by `require`."""


class Registry:
    """Knows parts by kind and name, as text: nothing is imported before somebody asks for it.

    What is registered here wins over an installed package's offer of the same name, so that a stranger cannot replace
    a built-in part by being installed.

    Args:
        filled_by: `package.module:function`, called with `register` before the first look: whoever asks first, in
            whichever process, finds what is built in.
    """

    def __init__(self, filled_by: str | None = None) -> None:
        self._targets: dict[str, dict[str, str]] = {}
        self._filled_by = filled_by

    def register(self, kind: str, name: str, target: str) -> None:
        """Offers a part.

        Args:
            kind: the extension point, e.g. `executor`.
            name: what configuration calls it.
            target: `package.module:attribute`.

        Raises:
            UsageError: when `target` has no colon, or the name is taken by another target.
        """
        if target.count(":") != 1 or not all(target.split(":")):
            raise errors.UsageError(f"{kind} '{name}': '{target}' must be of the form package.module:attribute")
        known = self._targets.setdefault(kind, {})
        if known.setdefault(name, target) != target:
            raise errors.UsageError(f"{kind} '{name}' is {known[name]} already: choose another name for {target}")

    def _fill(self) -> None:
        if self._filled_by is not None:
            module, function = self._filled_by.split(":")
            self._filled_by = None
            getattr(import_module(module), function)(self.register)

    def names(self, kind: str) -> list[str]:
        """Returns the sorted names of all parts of a kind, installed packages' included."""
        self._fill()
        return sorted(self._targets.get(kind, {}).keys() | _installed(kind).keys())

    def name_of(self, kind: str, part: type) -> str | None:
        """Returns the name under which a class is offered; None where it is not.

        Asks no package to be imported but the one that the class is of.
        """
        self._fill()
        package = part.__module__.partition(".")[0]
        for name, target in {**_installed(kind), **self._targets.get(kind, {})}.items():
            if target == f"{part.__module__}:{part.__qualname__}":
                return name
            if target.partition(":")[0].partition(".")[0] == package:
                with suppress(errors.MlpipelineError):  # another part of it cannot be loaded, which is not asked here
                    if self.load(kind, name) is part:
                        return name
        return None

    def target(self, kind: str, name: str) -> str | None:
        """Returns where a part is, `package.module:attribute`, and imports nothing; None where there is none."""
        self._fill()
        return self._targets.get(kind, {}).get(name) or _installed(kind).get(name)

    def origins(self, kind: str) -> dict[str, tuple[str, ...]]:
        """Returns who offers each name of a kind, `built in` or `package 1.0`; the first is used. Imports nothing."""
        self._fill()
        found: dict[str, tuple[str, ...]] = dict.fromkeys(self._targets.get(kind, {}), (BUILT_IN,))
        for name, offers in _offers(kind).items():
            found[name] = (*found.get(name, ()), *offers.values())
        return dict(sorted(found.items()))

    def load(self, kind: str, name: str) -> Any:
        """Imports a part and returns it.

        Raises:
            UsageError: when there is no such part, the message names the nearest one; or several packages offer it.
            MissingExtra: when the part needs a package that an extra of mlpipeline brings.
            MlpipelineError: when the part cannot be imported; the original error is its cause.
        """
        target = self.target(kind, name)
        if target is None:
            raise errors.UsageError(self._unknown(kind, name))
        if name not in self._targets.get(kind, {}):
            self._check_single(kind, name)
        module, attribute = target.split(":")
        try:
            found: Any = import_module(module)
            for part in attribute.split("."):
                found = getattr(found, part)
        except errors.MissingExtra:
            raise
        except ModuleNotFoundError as error:
            extra = _BRINGS.get((error.name or "").partition(".")[0])
            if extra is None or name not in self._targets.get(kind, {}):
                raise self._broken(kind, name, target, error) from error
            raise errors.MissingExtra(
                f"{kind} '{name}' needs {error.name}, which is not installed: pip install 'mlpipeline[{extra}]'"
            ) from error
        except Exception as error:  # whatever a stranger's module raises must not look like a fault of ours
            raise self._broken(kind, name, target, error) from error
        return found

    def _broken(self, kind: str, name: str, target: str, error: Exception) -> errors.MlpipelineError:
        import logging

        logging.getLogger("mlpipeline").debug("loading %s '%s' (%s)", kind, name, target, exc_info=error)
        return errors.MlpipelineError(
            f"{kind} '{name}' ({target}) cannot be loaded: {type(error).__name__}: {error}; "
            "mend or uninstall the package that offers it"
        )

    def _check_single(self, kind: str, name: str) -> None:
        offers = _offers(kind).get(name, {})
        if len(offers) > 1:
            told = " and ".join(f"{where} ({target})" for target, where in offers.items())
            raise errors.UsageError(f"{kind} '{name}' is offered by {told}: uninstall one, or name the other in full")

    def _unknown(self, kind: str, name: str) -> str:
        from mlpipeline.config_text import near_miss

        known = self.names(kind)
        choices = ", ".join(known) or "none"
        return f"there is no {kind} '{name}'.{near_miss(name, known)} Known: {choices}"


def _installed(kind: str) -> dict[str, str]:
    return {name: next(iter(offers)) for name, offers in _offers(kind).items()}


def _offers(kind: str) -> dict[str, dict[str, str]]:
    """Returns, by name, what installed packages offer, and which package each offer is of."""
    from importlib.metadata import entry_points

    found: dict[str, dict[str, str]] = {}
    for point in sorted(entry_points(group=f"{ENTRY_POINT_GROUP}.{kind}"), key=lambda point: point.value):
        found.setdefault(point.name, {}).setdefault(point.value.split(" ")[0], _package(point.dist))
    return found


def _package(distribution: Any) -> str:
    """Returns a package's name and version, as far as it says them: its metadata may be half there."""
    told = {} if distribution is None else distribution.metadata
    found = [each for field in ("Name", "Version") if (each := told.get(field))]
    return " ".join(found) or "a package without a name"


# The one piece of module state: rooms that must not know one another meet in this registry.
_registry = Registry(filled_by="mlpipeline.wiring:wire")
register = _registry.register
names = _registry.names
name_of = _registry.name_of
origins = _registry.origins
target = _registry.target
load = _registry.load
