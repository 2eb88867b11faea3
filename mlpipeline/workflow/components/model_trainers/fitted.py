"""A fitted model of learning, as a workflow keeps it: in files of its library's own, also within a record."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from mlpipeline import plugins

# A record is known by its content, which must not tell when it was made.
_ALWAYS = "1970-01-01T00:00:00+00:00"


class Fitted:
    """A fitted EstimatorModel. A record of a workflow holds its saved files.

    Args:
        model: fitted, or loaded.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self._files: dict[str, bytes] | None = None

    def save(self, directory: Path) -> None:
        """Writes it as learning saves models: a directory with a manifest."""
        self.model.save(directory)

    @classmethod
    def load(cls, directory: Path) -> Fitted:
        """Reads what `save` wrote."""
        return cls(plugins.load("learning", "model").load(directory))

    def __getstate__(self) -> dict[str, bytes]:
        """Returns its files; the same ones each time, so that its digest stays."""
        if self._files is None:
            save = plugins.load("learning", "save")
            with tempfile.TemporaryDirectory(prefix="mlpipeline-") as folder:
                place = Path(folder, "artefact")
                save(self.model, place, facts={"created_at": _ALWAYS})
                files = sorted(each for each in place.rglob("*") if each.is_file())
                self._files = {each.relative_to(place).as_posix(): each.read_bytes() for each in files}
        return self._files

    def __setstate__(self, files: dict[str, bytes]) -> None:
        with tempfile.TemporaryDirectory(prefix="mlpipeline-") as folder:
            place = Path(folder, "artefact")
            for name, content in files.items():
                path = place / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            self.model = Fitted.load(place).model
        self._files = files
