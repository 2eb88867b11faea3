"""Saved models elsewhere: uploaded with the manifest last, downloaded and compared with it; any URL of fsspec."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from mlpipeline.data import credentials, remote
from mlpipeline.errors import ArtefactDamaged, ArtefactError, DataFault, StoreError
from mlpipeline.learning import manifest, saving

_LOCAL = ("file", "local")
_SECRETS = re.compile(r"(?<=://)[^/@\s]+@|(?<=\?)\S+")


def local(place: str | Path) -> Path | None:
    """Returns the path that a place is, `file://` among them; None where it is a URL of something else."""
    text = str(place)
    if isinstance(place, Path) or "://" not in text:
        return Path(place)
    parts = urlsplit(text)
    return Path(unquote(parts.path)) if parts.scheme in _LOCAL else None


def shown(url: str) -> str:
    """Returns a URL without what may be secret: who asks, and what stands after a question mark."""
    return _SECRETS.sub("", url).rstrip("?")


def read_manifest(url: str, **options: Any) -> dict[str, Any]:
    """Reads and checks the manifest at a URL.

    Raises:
        ArtefactError: there is none.
        StoreError: the URL cannot be reached.
        ArtefactDamaged, ArtefactTooNew: as `manifest.parse`.
    """
    with _place(url, options) as source:
        return manifest.parse(_manifest(source, url), f"{shown(url)}/{manifest.NAME}")


def upload(directory: Path, url: str, *, replace: bool = False, **options: Any) -> str:
    """Copies a saved model to a URL. Its manifest goes last: who looks before that finds no model.

    Args:
        directory: of the saved model, which is checked first.
        url: of fsspec, or a local path.
        replace: whether a saved model that is there goes.
        options: of the file system: `key`, `secret`, `endpoint_url` of S3, …

    Returns:
        where it is, without what is secret.

    Raises:
        ArtefactError: a model is there already, or there is none to be copied.
        ArtefactDamaged: what is to be copied is damaged.
        StoreError: the URL cannot be reached, or refuses.
    """
    told = manifest.read(directory)
    manifest.check(directory, told)
    if (target := local(url)) is not None:
        return str(_copied(directory, told, target, replace=replace))
    with _place(url, options) as target_place:
        _make_room(target_place, url, replace=replace)
        for name in [*told["files"], manifest.NAME]:
            path = target_place.below(name)
            if not _is_object_store(target_place):
                target_place.system.makedirs(posixpath.dirname(path), exist_ok=True)
            target_place.system.put_file(str(directory / name), path)
    return shown(url)


def download(url: str, directory: Path, *, replace: bool = False, **options: Any) -> Path:
    """Copies a saved model from a URL; the directory appears whole, or not at all.

    Args:
        url: of fsspec, or a local path.
        directory: where it goes.
        replace: whether a saved model that is there goes.
        options: of the file system.

    Raises:
        ArtefactError: there is no saved model at the URL, or one in the directory.
        ArtefactDamaged: what came is not what the manifest says.
        StoreError: the URL cannot be reached.
        NotWritable, DiskFull: the directory cannot be written.
    """
    if (source_path := local(url)) is not None:
        told = manifest.read(source_path)
        manifest.check(source_path, told)
        return _copied(source_path, told, directory, replace=replace)
    _refuse(directory, replace=replace)
    # Two steps, so that a full disk is not called a server that refuses.
    with _place(url, options) as source:
        data = _manifest(source, url)
        told = manifest.parse(data, f"{shown(url)}/{manifest.NAME}")
    with saving.beside(directory) as part:
        for name, facts in told["files"].items():
            (part / name).parent.mkdir(parents=True, exist_ok=True)
            _fetch(url, options, name, part / name)
            _check_fetched(part / name, facts, f"{shown(url)}/{name}")
        manifest.put(part, told, data)
    return directory


def _fetch(url: str, options: Mapping[str, Any], name: str, path: Path) -> None:
    path.touch()
    with _place(url, options) as source:
        try:
            source.system.get_file(source.below(name), str(path))
        except FileNotFoundError:
            path.unlink(missing_ok=True)
        except OSError as error:
            saving.raise_full(path, error)
            raise


def _check_fetched(path: Path, facts: Mapping[str, Any], where: str) -> None:
    try:
        manifest.check_file(path, facts)
    except ArtefactDamaged as error:
        raise ArtefactDamaged(str(error).replace(str(path), where, 1)) from None


def _copied(source: Path, told: Mapping[str, Any], target: Path, *, replace: bool) -> Path:
    import shutil

    _refuse(target, replace=replace)
    with saving.beside(target) as part:
        for name, facts in told["files"].items():
            (part / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, part / name)
            manifest.check_file(part / name, facts)
        manifest.put(part, told, (source / manifest.NAME).read_bytes())
    return target


def _refuse(target: Path, *, replace: bool) -> None:
    with saving.translated(target):
        is_there = (target / manifest.NAME).exists()
    if is_there and not replace:
        raise ArtefactError(f"{target}: a saved model is there already: replace=True replaces it")


def _make_room(target: remote.Place, url: str, *, replace: bool) -> None:
    """Removes a saved model: its manifest first."""
    try:
        # Not exists(): where the server is gone it says no. Not find() at once: it asks about keys that are not there.
        there = [str(path) for path in target.system.ls(target.path, detail=False)]
    except FileNotFoundError:
        return
    manifests = [path for path in there if posixpath.relpath(path, target.path) == manifest.NAME]
    if manifests and not replace:
        raise ArtefactError(f"{shown(url)}: a saved model is there already: replace=True replaces it")
    if not manifests:
        if there:
            raise ArtefactError(f"{shown(url)}: is there already, and is no saved model: name another place")
        return
    for path in [*manifests, *(path for path in target.system.find(target.path) if path not in manifests)]:
        target.system.rm_file(path)


def _manifest(source: remote.Place, url: str) -> bytes:
    try:
        data: bytes = source.system.cat_file(source.below(manifest.NAME))
    except (FileNotFoundError, IsADirectoryError):
        raise ArtefactError(f"{shown(url)}: is no saved model, there is no {manifest.NAME}: mend the URL") from None
    return data


def _is_object_store(place: remote.Place) -> bool:
    """Whether directories need not be made."""
    protocol = place.system.protocol
    names = (protocol,) if isinstance(protocol, str) else tuple(protocol)
    return not {"s3", "s3a", "gs", "gcs", "az", "abfs"}.isdisjoint(names)


@contextmanager
def _place(url: str, options: Mapping[str, Any]) -> Iterator[remote.Place]:
    """Opens a URL; whatever is raised shows nothing that is secret.

    Raises:
        StoreError: it cannot be reached, or refuses.
        DataFault: nobody knows such URLs.
    """
    secrets = [match.strip("@") for match in _SECRETS.findall(url)]
    secrets += [text.partition(":")[2] for text in secrets]
    secrets += [value for key, value in options.items() if isinstance(value, str) and credentials.is_secret(key)]
    hidden = sorted({each for text in secrets for each in (text, unquote(text)) if each}, key=len)
    try:
        place = remote.place(url, **options)
        with place.translated():
            yield place
    except (StoreError, DataFault) as error:
        text = str(error)
        clean = credentials.clean(text, reversed(hidden))
        if clean == text:
            raise
        raise type(error)(clean) from None
