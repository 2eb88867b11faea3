"""Files that a person asked for: written whole or not at all, and the old one stays until then."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from mlpipeline.errors import NotWritable
from mlpipeline.filesystems import remedy


def write(path: Path, content: bytes) -> None:
    """Writes a file durably, with the permissions that the old one had; a link leads to the same file afterwards.

    Raises:
        NotWritable: what stood there before stands there still.
    """
    place = path.resolve()
    beside = place.with_name(f".{place.name}.{os.getpid()}.part")
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if place.exists():
            shutil.copymode(place, beside)
        beside.replace(place)
    except OSError as error:
        raise NotWritable(f"{path} cannot be written {remedy(error, path)}") from error
    finally:
        beside.unlink(missing_ok=True)
