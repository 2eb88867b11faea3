"""The installed packages: which versions, which content, and what stands in each other's way. Imports none of them."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Any

ONE_MODULE = (
    ("tensorflow", "tensorflow-cpu", "tensorflow-gpu", "intel-tensorflow", "tf-nightly", "tf-nightly-cpu"),
    ("xgboost", "xgboost-cpu"),
    ("onnxruntime", "onnxruntime-gpu"),
    ("opencv-python", "opencv-python-headless", "opencv-contrib-python", "opencv-contrib-python-headless"),
    ("nvidia-ml-py", "pynvml"),
    ("psycopg2", "psycopg2-binary"),
    ("python-dotenv", "dotenv"),
    ("faiss-cpu", "faiss-gpu"),
)
"""Distributions that bring the same module: of two, the files of the one overwrite those of the other."""
FOR_ITSELF = frozenset(("bench", "browser", "dev", "docs", "engines", "services", "test"))
"""Extras of mlpipeline that are for work on mlpipeline, and bring nothing to who uses it."""
_NOT_OF_THE_WHEEL = ("INSTALLER", "REQUESTED", "RECORD", "direct_url.json", "uv_cache.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """An installed distribution.

    Attributes:
        name: as it calls itself.
        origin: a URL, where it came from no index; None elsewhere.
        is_editable: whether it is a directory that somebody works in.
        content: SHA-256 over what its wheel has put here, by the digests that its RECORD lists; None where it has none.
    """

    name: str
    version: str
    origin: str | None = None
    is_editable: bool = False
    content: str | None = None


def versions() -> dict[str, str]:
    """Returns what is installed, by name; of two of a name, the one that is imported."""
    found: dict[str, tuple[str, str]] = {}
    for name, each in _distributions():
        found.setdefault(normalized(name), (name, each.version))
    return dict(sorted(found.values()))


def installed() -> list[Package]:
    """Returns all that is known of each installed distribution, by name."""
    found: dict[str, Package] = {}
    for name, each in _distributions():
        if normalized(name) not in found:
            found[normalized(name)] = _package(name, each)
    return [found[name] for name in sorted(found)]


def normalized(name: str) -> str:
    """Returns a name as all spellings of it have in common (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def doubles() -> list[str]:
    """Returns sentences on what is installed twice: two distributions of a module, or two versions of one."""
    seen: dict[str, list[str]] = {}
    for name, each in _distributions():
        seen.setdefault(normalized(name), []).append(str(each.version))
    found = [
        f"{' and '.join(both)} bring the same module, and overwrite each other: uninstall all of them, then install one"
        for group in ONE_MODULE
        if len(both := [name for name in group if name in seen]) > 1
    ]
    found += [
        f"{name} is there {len(each)} times ({', '.join(each)}), and the first is imported: uninstall all, install one"
        for name, each in sorted(seen.items())
        if len(set(each)) > 1
    ]
    return found


def unmet(names: Iterable[str] | None = None) -> list[str] | None:
    """Returns sentences on requirements that are not met; None where the package that reads them is not installed.

    Args:
        names: whose; by default everybody's.
    """
    try:
        from packaging.requirements import InvalidRequirement, Requirement
    except ModuleNotFoundError:
        return None
    have = {normalized(name): version for name, version in versions().items()}
    wanted = None if names is None else {normalized(name) for name in names}
    found = []
    for name, each in _distributions():
        for text in each.requires or () if wanted is None or normalized(name) in wanted else ():
            try:
                needed = Requirement(text)
            except InvalidRequirement:
                continue
            if needed.marker is not None and not needed.marker.evaluate({"extra": ""}):
                continue
            version = have.get(normalized(needed.name))
            if version is None:
                found.append(f"{name} {each.version} needs {needed.name}, which is not installed")
            elif not needed.specifier.contains(version, prereleases=True):
                found.append(f"{name} {each.version} needs {needed.name}{needed.specifier}, and {version} is installed")
    return sorted(set(found))


def extras(distribution: str = "mlpipeline") -> dict[str, list[str]] | None:
    """Returns what each extra lacks here; None where the distribution is not installed, but found by a path."""
    try:
        listed = metadata.requires(distribution) or []
    except metadata.PackageNotFoundError:
        return None
    have = {normalized(name) for name in versions()}
    needs: dict[str, list[str]] = {}
    for text in listed:
        if match := re.search(r"""extra\s*==\s*["']([^"']+)["']""", text):
            needs.setdefault(match[1], []).append(text.partition(";")[0].strip())
    return {extra: sorted(set(_names(extra, needs, normalized(distribution), ())) - have) for extra in sorted(needs)}


def _names(extra: str, needs: Mapping[str, list[str]], own: str, above: tuple[str, ...]) -> Iterator[str]:
    """Yields the distributions of an extra, those of the extras that it names among them."""
    for text in needs.get(extra, ()) if extra not in above else ():
        match = re.match(r"([\w.-]+)(?:\[([^\]]*)\])?", text)
        if match is None:
            continue
        if normalized(match[1]) != own:
            yield normalized(match[1])
            continue
        for each in (match[2] or "").split(","):
            yield from _names(each.strip(), needs, own, (*above, extra))


def _distributions() -> Iterator[tuple[str, metadata.Distribution]]:
    for each in metadata.distributions():
        name = each.metadata["Name"]
        if name:  # what an uninstallation has left behind has none
            yield str(name), each


def _package(name: str, found: metadata.Distribution) -> Package:
    told = _json(found.read_text("direct_url.json"))
    is_editable = bool(told.get("dir_info", {}).get("editable"))
    origin = told.get("url")
    vcs = told.get("vcs_info") or {}
    if origin is not None:
        origin = re.sub(r"(?<=://)[^/@]*@", "", str(origin))
        origin = f"{vcs['vcs']}+{origin}@{vcs['commit_id']}" if vcs else origin
    return Package(name=name, version=found.version, origin=origin, is_editable=is_editable, content=_content(found))


def _json(text: str | None) -> dict[str, Any]:
    try:
        content = json.loads(text or "{}")
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _content(found: metadata.Distribution) -> str | None:
    """Returns a digest of digests; the installer's own files, and scripts, which name the interpreter, are left out."""
    rows = csv.reader((found.read_text("RECORD") or "").splitlines())
    listed = sorted(
        f"{row[0]} {row[1]}"
        for row in rows
        if len(row) > 1 and row[1] and row[0].rpartition("/")[2] not in _NOT_OF_THE_WHEEL and ".." not in row[0]
    )
    return hashlib.sha256("\n".join(listed).encode()).hexdigest() if listed else None
