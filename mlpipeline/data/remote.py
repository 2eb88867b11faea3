"""Files elsewhere: any URL of fsspec as a place; download, upload, delete, and the names that files have there."""

from __future__ import annotations

import hashlib
import os
import posixpath
import shutil
import tarfile
import uuid
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlpipeline import errors
from mlpipeline.data import credentials
from mlpipeline.errors import DataFault, MlpipelineError, StoreError


@dataclass(frozen=True, slots=True)
class Place:
    """A path on a file system of fsspec. As text it is the URL without what is secret."""

    system: Any
    path: str
    url: str

    def __str__(self) -> str:
        return self.url

    def below(self, name: str) -> str:
        """Returns the path of something below this place."""
        return f"{self.path.rstrip('/')}/{name}"

    def url_of(self, path: str) -> str:
        """Returns the URL of a path on the same file system."""
        return str(self.system.unstrip_protocol(path))

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Turns what a file system raises into a StoreError that names the place.

        Raises:
            StoreError: with what was said.
        """
        try:
            yield
        except MlpipelineError:
            raise
        except Exception as error:  # each file system has exceptions of its own: botocore's, aiohttp's, OSError
            if isinstance(error, AttributeError | NameError | AssertionError):
                raise
            said = str(error) or type(error).__name__
            raise StoreError(f"{self.url} cannot be reached or refuses: {said}") from error


def place(url: str, **options: Any) -> Place:
    """Returns the place that a URL of fsspec, or a path, names.

    Raises:
        MissingExtra: when the file system's library is not installed.
        DataFault: when nobody knows such URLs.
    """
    fsspec = errors.require("fsspec", extra="s3")
    scheme, colon, rest = url.partition("://")
    shown = f"{scheme}{colon}{rest.rpartition('@')[2]}" if colon else url
    try:
        # What others wrote must be seen at once, so nothing that was listed is remembered.
        system, path = fsspec.core.url_to_fs(url, use_listings_cache=False, skip_instance_cache=True, **options)
    except ImportError as error:
        raise errors.MissingExtra(f"{shown}: {error}: pip install 'mlpipeline[s3]'") from error
    except ValueError as error:
        raise DataFault(f"{shown}: {error}: write a path, s3://bucket/key, or another URL of fsspec") from error
    return Place(system, path, shown)


def download(
    url: str, path: Path | None = None, *, directory: Path | None = None, cache: bool = True, extract: bool = False
) -> Path:
    """Copies a file from elsewhere, and returns where it lies.

    Args:
        url: of fsspec: http(s)://, s3://, …
        path: where it goes; None is below `directory`, under a name that the URL decides.
        directory: of the files that are kept; None is `data/downloads` of the working directory.
        cache: whether a file that is there already is good.
        extract: unpacks .tar.gz, .tgz, .tar or .zip beside it; the directory is returned then.

    Raises:
        DataFault: when there is nothing, or the archive holds names that lead out of the directory.
        StoreError: when it cannot be read.
    """
    source = place(url)
    if path is None:
        name = posixpath.basename(source.path) or "file"
        folder = hashlib.sha256(credentials.place(url).encode()).hexdigest()[:16]
        path = (directory or Path("data", "downloads")) / folder / name
    if not (cache and path.is_file()):
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")
        try:
            with source.translated():
                try:
                    source.system.get_file(source.path, str(beside))
                except FileNotFoundError as error:
                    raise DataFault(f"there is nothing at {source}: mend the URL") from error
            os.replace(beside, path)
        finally:
            beside.unlink(missing_ok=True)
    return _unpacked(path, cache=cache) if extract else path


def _unpacked(path: Path, *, cache: bool) -> Path:
    suffix = next((end for end in (".tar.gz", ".tgz", ".tar", ".zip") if path.name.endswith(end)), None)
    if suffix is None:
        raise DataFault(f"{path} is no archive: .tar.gz, .tgz, .tar and .zip can be unpacked")
    target = path.with_name(path.name.removesuffix(suffix))
    if cache and target.is_dir():
        return target
    beside = path.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        if suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                if bad := [name for name in archive.namelist() if _leads_out(name)]:
                    raise DataFault(f"{path}: {bad[0]!r} leads out of the directory: it is not unpacked")
                archive.extractall(beside)
        else:
            with tarfile.open(path) as archive:
                archive.extractall(beside, filter="data")
        shutil.rmtree(target, ignore_errors=True)
        os.replace(beside, target)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError) as error:
        raise DataFault(f"{path} cannot be unpacked: {error}") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return target


def _leads_out(name: str) -> bool:
    return name.startswith(("/", "\\")) or ".." in Path(name).parts


def upload(path: Path, url: str) -> None:
    """Copies a file elsewhere; S3 is asked to encrypt it.

    Raises:
        DataFault: when there is no such file.
        StoreError: when it cannot be written.
    """
    if not path.is_file():
        raise DataFault(f"{path} is no file: name one")
    target = place(url)
    extra = {"ServerSideEncryption": "AES256"} if url.startswith("s3://") else {}
    with target.translated():
        if not extra:
            target.system.makedirs(posixpath.dirname(target.path), exist_ok=True)
        target.system.put_file(str(path), target.path, **extra)


def delete(url: str, *, recursive: bool = False) -> None:
    """Removes a file; with `recursive`, everything below a URL.

    Raises:
        DataFault: when the URL ends in `/` and `recursive` is not asked for.
        StoreError: when it cannot be removed.
    """
    if url.endswith("/") and not recursive:
        raise DataFault(f"{url} names a directory: recursive=True removes all of it")
    target = place(url)
    with target.translated():
        target.system.rm(target.path, recursive=recursive)


def prefixed(path: str, prefix: str) -> str:
    """Returns a key below a prefix, once: `/README.rst` and `test/README.rst` are both `test/README.rst`."""
    path = path.lstrip("/")
    return path if path.startswith(f"{prefix}/") else f"{prefix}/{path}"


def from_local(path: str, root: Path) -> str:
    """Returns what a file below a directory is called elsewhere: the rest of its path; others stay as they are."""
    return path.removeprefix(str(root)) if Path(path).is_relative_to(root) else path
