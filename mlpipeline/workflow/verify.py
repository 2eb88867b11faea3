"""Verifies a planned workflow: every need met by the right kind, every key known, of the right type and there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from mlpipeline.config_text import Fault, near_miss, shown
from mlpipeline.workflow import checking
from mlpipeline.workflow.links import CONFIG, Linker
from mlpipeline.workflow.node import Place
from mlpipeline.workflow.part import Part
from mlpipeline.workflow.planned import Planned
from mlpipeline.workflow.resolve import PREFIX, Found
from mlpipeline.workflow.wants import MISSING, Key, Need, wants


def verify(root: Planned, linker: Linker, faults: list[Fault]) -> tuple[Planned, ...]:
    """Fills in needs and values; returns the parts, each after those that it needs. What is wrong becomes a fault."""
    told: set[tuple[Place, str]] = {(Place(each.file, each.line, each.column), "") for each in faults}
    for part in root.walk():
        if part.kind is not None:
            faults.extend(_needs(part, part.kind))
            faults.extend(_values(part, part.kind, told))
        faults.extend(_unknown_keys(part, linker))
    return tuple(_in_order(root, faults))


def _needs(part: Planned, kind: type[Part]) -> Iterator[Fault]:
    for need in wants(kind).needs.values():
        found = part.needs[need.name] = part.visible(need.name)
        told = _types(need)
        if found is None and not need.optional:
            left_out = " (it is left out with `none`)" if part.is_declared(need.name) else ""
            near = "" if left_out else near_miss(need.name, part.names())
            message = (
                f"{kind.__name__} needs {need.name}, a {told}{left_out}: declare one under {_sections(part)}.{near}"
            )
            yield part.place.fault(message.removesuffix("."))
        elif found is not None and found.kind is not None and not issubclass(found.kind, need.types):
            message = f"{kind.__name__} needs {need.name} to be a {told}, and {found.kind.__name__} is none"
            yield found.place.fault(message)
    for name, child in part.children.items():  # what it declares is an attribute, needed or not
        part.needs.setdefault(name, child)


def _types(need: Need) -> str:
    return " or ".join(each.__name__ for each in need.types)


def _sections(part: Planned) -> str:
    levels = [level.name for level in part.level.inner]
    if not levels and part.parent is not None:
        levels = [level.name for level in part.parent.level.inner]
    return " or ".join(f"`{name}:`" for name in levels) or "a section"


def _values(part: Planned, kind: type[Part], told: set[tuple[Place, str]]) -> Iterator[Fault]:
    """Fills in the values of a part.

    Args:
        told: places and keys whose faults are known: what several parts inherit is told once. A place without a key is
            that of a link that leads nowhere.
    """
    for key in wants(kind).keys.values():
        try:
            found = part.scope.find(key.name)
        except ValueError as error:
            yield part.place.fault(f"{part.name}.{key.name} has no parts, so {error} cannot be set in it")
            continue
        if found is None or _is_left_open(key, found):
            yield from _missing(part, kind, key, told)
        else:
            part.values[key.name] = found
            yield from _wrong(part, kind, key, found, told)
    if wants(kind).takes_any:
        for name in part.scope.config:
            if name not in part.values and (found := part.scope.find(name)) is not None:
                part.values[name] = found
    yield from _together(part, kind, told)


def _missing(part: Planned, kind: type[Part], key: Key, told: set[tuple[Place, str]]) -> Iterator[Fault]:
    if any((each.place, key.name) in told for each in _around(part)):
        return
    told.add((part.place, key.name))
    message = f"{kind.__name__} needs the key {key.name!r}: set it under {CONFIG}, there or further out, "
    yield part.place.fault(f"{message}or as {PREFIX}{key.name.upper()} in the environment")


def _wrong(part: Planned, kind: type[Part], key: Key, found: Found, told: set[tuple[Place, str]]) -> Iterator[Fault]:
    """Tells what is wrong with a value; of a default nothing, which is the class's own affair."""
    is_told = (found.place, key.name) in told or (found.value is None and (found.place, "") in told)
    if is_told or found.value is key.default:
        return
    for fault in _fits(part, kind, key, found):
        told.add((found.place, key.name))
        yield fault


def _together(part: Planned, kind: type[Part], told: set[tuple[Place, str]]) -> Iterator[Fault]:
    """Tells what is wrong with values beside one another."""
    for name, message in kind.value_faults({name: each.value for name, each in part.values.items()}).items():
        value = part.values.get(name)
        place = part.place if value is None or _is_default(value) else value.place
        if (place, name) not in told:
            told.add((place, name))
            yield place.fault(f"{name} of {kind.__name__} ({part.name}): {message}")


def _around(part: Planned | None) -> Iterator[Planned]:
    while part is not None:
        yield part
        part = part.parent


def _is_left_open(key: Key, found: Found) -> bool:
    """Whether a value is nothing but the None by which a class further out does without a key that is needed here."""
    is_by_default = found.value is None and _is_default(found)
    return is_by_default and key.default is MISSING and not checking.fits(None, key.annotation)


def _is_default(found: Found) -> bool:
    return found.node is None and found.origin.startswith("default of ")


def _fits(part: Planned, kind: type[Part], key: Key, found: Found) -> Iterator[Fault]:
    value = found.value
    if key.annotation is not MISSING and not checking.fits(value, key.annotation):
        told = shown(repr(found.shown()), 60)
        yield found.place.fault(f"{key.name} is {told}: {kind.__name__} takes {checking.words(key.annotation)}")
        if not isinstance(value, Mapping):  # the letters of a text would be told as names
            return
    known = kind.known_names(key.name)
    for name, message in () if known is None else checking.unknown_names(value, known):
        own = found.node and found.node.get(name)
        place = own.place if own else found.place
        yield place.fault(f"{key.name} of {kind.__name__} ({part.name}): {message}")


def _unknown_keys(part: Planned, linker: Linker) -> Iterator[Fault]:
    """Tells keys that nobody reads: neither this part nor one below it, and no link leads to them."""
    known: set[str] = set()
    for each in part.walk():
        if each.kind is None:
            return  # its class would have said what it reads
        known |= wants(each.kind).keys.keys()
    if part.kind is not None and wants(part.kind).takes_any:
        return
    places = {name: node.place for name, node in part.scope.config.items()}
    places |= {name: changes[0][1].place for name, changes in part.scope.changes.items() if name not in places}
    for name, place in places.items():
        path = (*part.address, CONFIG, name)
        if name not in known and not any(used[: len(path)] == path for used in linker.used):
            near = near_miss(name, {*known, *part.names()}) or " Remove it, or declare it in a class"
            yield place.fault(f"nobody reads the key {shown(name)!r} of {part.name}.{near}")


def _in_order(root: Planned, faults: list[Fault]) -> Iterable[Planned]:
    """Puts every part after those that it needs and declares."""
    done: dict[int, Planned] = {}
    open_: list[Planned] = []

    def visit(part: Planned) -> None:
        if id(part) in done:
            return
        if part in open_:
            circle = [*open_[open_.index(part) :], part]
            names = " → ".join(each.name for each in circle)
            faults.append(part.place.fault(f"these need one another: {names}: one of them must do without"))
            return
        open_.append(part)
        for each in dict.fromkeys((*part.parts(), *part.needs.values())):
            if each is not None:
                visit(each)
        open_.pop()
        done[id(part)] = part

    visit(root)
    return done.values()
