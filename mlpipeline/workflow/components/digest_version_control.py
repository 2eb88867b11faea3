"""Keeps tables and model directories under the digests of their content, in the project's outputs."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from mlpipeline import wire
from mlpipeline.errors import DataFault, NotWritable
from mlpipeline.workflow import places
from mlpipeline.workflow.components import frames
from mlpipeline.workflow.part import side_effects
from mlpipeline.workflow.types.record import ResourceVersionControl

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pandas as pd

DIRECTORY = "contents"
MODEL = "model"
_DIGEST = re.compile(r"[0-9a-f]{64}")


class DigestVersionControl(ResourceVersionControl):
    """Keeps contents as `<outputs>/contents/<digest>/`, each once, written whole and verified whenever it is read.

    Tables are Arrow files, with values, dtypes, order and index as they were. Git is not touched.
    """

    @side_effects
    def version_data(self, data: pd.DataFrame, name: str) -> tuple[str, str]:
        """Keeps rows, and returns their digest and where they lie.

        Raises:
            DataFault: (a ValueError) they cannot be kept exactly as they are; the message names the column.
            NotWritable: the project's outputs cannot be written.
        """
        digest = frames.digest(data)
        place = self._keep(digest, is_good_frame, lambda directory: frames.write(data, directory))
        return digest, str(place / frames.FILE)

    def get_data(self, digest: str) -> pd.DataFrame:
        """Returns rows as they were kept: values, dtypes, order, index.

        Raises:
            DataFault: (a ValueError) there are none, or they are damaged.
        """
        place = self._found(digest, frames.FILE)
        found = frames.read(place)
        if frames.digest(found) != digest:
            raise _damaged(place)
        return found

    @side_effects
    def version_model(self, directory: Path, name: str) -> tuple[str, str]:
        """Keeps a directory with a model, and returns its digest and where it lies.

        Raises:
            DataFault: (a ValueError) there is no such directory, it is empty, or holds links or devices.
            NotWritable: the project's outputs cannot be written.
        """
        source = Path(directory)
        digest = directory_digest(source)
        place = self._keep(digest, is_good_model, lambda target: copy_files(source, target / MODEL))
        return digest, str(place / MODEL)

    def get_model(self, digest: str) -> Path:
        """Returns the directory with the model, its content verified. It must not be changed.

        Raises:
            DataFault: (a ValueError) there is none, or it is damaged.
        """
        place = self._found(digest, MODEL)
        if not is_good_model(place, digest):
            raise _damaged(place)
        return place / MODEL

    @property
    def _contents(self) -> Path:
        return places.outputs_of(self) / DIRECTORY

    def _found(self, digest: str, what: str) -> Path:
        place = self._contents / digest
        if not _DIGEST.fullmatch(digest) or not (place / what).exists():
            kind = "model" if what == MODEL else "rows"
            raise DataFault(f"no {kind} with the digest {digest!r} in {self._contents}: not kept in this project")
        return place

    def _keep(self, digest: str, is_good: Callable[[Path, str], bool], write: Callable[[Path], None]) -> Path:
        """Fills a directory beside its place, and renames it once it is whole and on disk."""
        contents = self._contents
        place = contents / digest
        try:
            wire.make_directory(contents)
            if place.exists():
                if is_good(place, digest):
                    return place
                place.rename(tempfile.mkdtemp(prefix=f".damaged-{digest[:16]}-", dir=contents))
            beside = Path(tempfile.mkdtemp(prefix=f".{digest[:16]}-", dir=contents))
            try:
                write(beside)
                beside.chmod(0o755)
                _sync(beside)
                _rename(beside, place)
            finally:
                shutil.rmtree(beside, ignore_errors=True)
            wire.sync_directory(contents)
        except OSError as error:
            told = f"{contents}: cannot be written ({error.strerror or error})"
            raise NotWritable(f"{told}: mend its permissions, or set outputs_dir in mlp.config") from error
        return place


def is_good_frame(place: Path, digest: str) -> bool:
    """Whether the table in a directory has a digest."""
    try:
        return frames.digest(frames.read(place)) == digest
    except DataFault:
        return False


def is_good_model(place: Path, digest: str) -> bool:
    """Whether the model in a directory has a digest."""
    try:
        return directory_digest(place / MODEL) == digest
    except DataFault:
        return False


def _damaged(place: Path) -> DataFault:
    told = "its content is not what its digest was made of"
    return DataFault(f"{place} is damaged: {told}: keep it again, or put back a copy")


def directory_digest(directory: Path) -> str:
    """Returns the SHA-256 of the files in a directory, by their names and contents.

    Raises:
        DataFault: (a ValueError) there is none, it is empty, or holds what is neither file nor directory.
    """
    if not directory.is_dir():
        raise DataFault(f"{directory} is no directory with a model: save the model there first")
    files = {path.relative_to(directory).as_posix(): _file_digest(path) for path in _files(directory)}
    if not files:
        raise DataFault(f"{directory} is empty: save the model there first")
    return hashlib.sha256(json.dumps(["directory", sorted(files.items())]).encode()).hexdigest()


def _files(directory: Path) -> Iterator[Path]:
    for path in sorted(directory.rglob("*")):
        mode = path.lstat().st_mode
        if stat.S_ISREG(mode):
            yield path
        elif not stat.S_ISDIR(mode):
            raise DataFault(f"{path} is a link or a device: a model that is kept holds files and directories")


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def copy_files(source: Path, target: Path) -> None:
    """Copies the files of a directory into another, which is made."""
    for path in _files(source):
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)


def _sync(directory: Path) -> None:
    for place, _, names in os.walk(directory):
        for name in names:
            wire.sync_file(Path(place, name))
        wire.sync_directory(place)


def _rename(beside: Path, place: Path) -> None:
    """Gives a whole directory its name; another process may have kept the same content meanwhile."""
    try:
        beside.rename(place)
    except OSError:
        if not place.is_dir():
            raise
