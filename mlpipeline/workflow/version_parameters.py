"""The versions of a workflow file: names, and addresses with the values that a version gives them."""

from __future__ import annotations

from collections.abc import Iterator

from mlpipeline.errors import ConfigurationError, VersionsError
from mlpipeline.versions import Version, Versions
from mlpipeline.workflow import searched
from mlpipeline.workflow.document import Document
from mlpipeline.workflow.node import Node, Place, from_plain

DEFAULT_VERSION = "default"
_META = frozenset(("order", "model_dir_suffix"))


def versions(document: Document) -> Versions:
    """Returns the versions of a file; one, without parameters, where it has none.

    Raises:
        ConfigurationError: with everything that is wrong in the section.
    """
    section = document.root.get("versions")
    found = Versions()
    faults = []
    for name, node in () if section is None else section.items():
        try:
            if not node.is_mapping and node.value is not None:
                raise VersionsError(f"version {name!r} is {node.value!r}: a mapping of addresses to values is needed")
            found.add(str(name), **{str(key): each for key, each in (node.plain() or {}).items()})
        except (VersionsError, TypeError) as error:
            faults.append(node.place.fault(str(error)))
    if section is not None and not section.is_mapping and section.value is not None:
        place = section.place
        faults.append(place.fault("versions is a mapping of names to parameters"))
    faults += searched.add(found, document)
    if faults:
        raise ConfigurationError(faults=faults)
    return found if len(found) or found.searched is not None else found.add(DEFAULT_VERSION)


def overrides(document: Document, version: Version) -> Iterator[tuple[str, Node]]:
    """Yields addresses and values of a version, with their places where the file has them."""
    section = document.root.at(("versions", version.name))
    given = {} if section is None else {str(key): node for key, node in section.items()}
    for address, node in given.items():
        if address not in _META:
            value = version[address]
            is_same = node.plain() == value
            yield address, node if is_same else from_plain(value, Place(f"version {version.name}"))
    for address, value in version.items():
        is_alias = address == "epoc_count" and "epochs" in given
        if address not in given and value is not None and not is_alias and address not in {"name", *_META}:
            space = document.root.at(("search", "space", address))
            yield address, from_plain(value, Place(f"version {version.name}") if space is None else space.place)
