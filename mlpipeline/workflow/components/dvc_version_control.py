"""Keeps tables and model directories with DVC, which can take them to a remote store."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from mlpipeline.errors import DataFault, NotWritable
from mlpipeline.workflow import places
from mlpipeline.workflow.components import frames, outside
from mlpipeline.workflow.components.digest_version_control import (
    MODEL,
    copy_files,
    directory_digest,
    is_good_frame,
    is_good_model,
)
from mlpipeline.workflow.part import side_effects
from mlpipeline.workflow.types.record import ResourceVersionControl

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pandas as pd

_DIGEST = re.compile(r"[0-9a-f]{64}")
# In CI, DVC asks nobody for newer versions of itself.
_QUIET = {"DVC_NO_ANALYTICS": "true", "CI": "true"}


class DvcVersionControl(ResourceVersionControl):
    """Puts each content below `dvc_dir` under its digest, and gives it to `dvc add`. Git is touched when asked for.

    Args:
        dvc_dir: where contents and their `.dvc` files lie; relative to the project. Where there is no DVC repository
            from there up to the project, one without git is made.
        dvc_remote: the name of a remote that contents are pushed to, and pulled from where they are not here.
        dvc_git_commit: whether the `.dvc` file of each content is committed to git: it, and nothing else.
        dvc_program: the command.
    """

    def __init__(
        self,
        dvc_dir: str = "dvc",
        dvc_remote: str | None = None,
        dvc_git_commit: bool = False,
        dvc_program: str = "dvc",
    ) -> None:
        self.directory, self.remote = dvc_dir, dvc_remote
        self.commits, self.program = dvc_git_commit, dvc_program

    @side_effects
    def version_data(self, data: pd.DataFrame, name: str) -> tuple[str, str]:
        """Keeps rows, and returns their digest and where they lie.

        Raises:
            DataFault: (a ValueError) they cannot be kept exactly as they are; the message names the column.
            CommandFailed: DVC or git failed; with what it said.
        """
        digest = frames.digest(data)
        place = self._keep(digest, name, lambda target: frames.write(data, target), is_good_frame)
        return digest, str(place / frames.FILE)

    def get_data(self, digest: str) -> pd.DataFrame:
        """Returns rows as they were kept; where they are not here, or changed, DVC brings them back.

        Raises:
            DataFault: (a ValueError) there are none, or DVC has other ones.
            CommandFailed: DVC failed; with what it said.
        """
        return frames.read(self._found(digest, "rows", is_good_frame))

    @side_effects
    def version_model(self, directory: Path, name: str) -> tuple[str, str]:
        """Keeps a directory with a model, and returns its digest and where it lies.

        Raises:
            DataFault: (a ValueError) there is no such directory, it is empty, or holds links or devices.
            CommandFailed: DVC or git failed; with what it said.
        """
        source = Path(directory)
        digest = directory_digest(source)
        place = self._keep(digest, name, lambda target: copy_files(source, target / MODEL), is_good_model)
        return digest, str(place / MODEL)

    def get_model(self, digest: str) -> Path:
        """Returns the directory with the model, its content verified. It must not be changed.

        Raises:
            DataFault: (a ValueError) there is none, or DVC has another one.
            CommandFailed: DVC failed; with what it said.
        """
        return self._found(digest, "model", is_good_model) / MODEL

    @property
    def _home(self) -> Path:
        return places.project_of(self).root / self.directory

    def _keep(
        self, digest: str, name: str, write: Callable[[Path], None], is_good: Callable[[Path, str], bool]
    ) -> Path:
        home = self._home
        place = home / digest
        pointer = home / f"{digest}.dvc"
        if not (pointer.is_file() and is_good(place, digest)):
            try:
                home.mkdir(parents=True, exist_ok=True)
                self._replace(place, write)
            except OSError as error:
                raise NotWritable(f"{home}: cannot be written ({error.strerror}): mend its permissions") from error
            self._make_repository(home)
            self._dvc("add", "--quiet", digest)
        if self.remote is not None:
            self._dvc("push", "--quiet", "--remote", self.remote, pointer.name)
        if self.commits:
            self._commit(home, pointer, name)
        return place

    @staticmethod
    def _replace(place: Path, write: Callable[[Path], None]) -> None:
        """Fills a directory beside its place, and renames it once it is whole."""
        beside = Path(tempfile.mkdtemp(prefix=".mlpipeline-", dir=place.parent))
        try:
            write(beside)
            beside.chmod(0o755)
            if place.exists():
                shutil.rmtree(place)
            beside.rename(place)
        finally:
            shutil.rmtree(beside, ignore_errors=True)

    def _found(self, digest: str, what: str, is_good: Callable[[Path, str], bool]) -> Path:
        home = self._home
        place, pointer = home / digest, home / f"{digest}.dvc"
        if not _DIGEST.fullmatch(digest) or not pointer.is_file():
            raise DataFault(f"no {what} with the digest {digest!r} in {home}: there is no {pointer.name}")
        if not is_good(place, digest):
            pull = ["pull", "--quiet", "--force", "--remote", str(self.remote)] if self.remote else []
            self._dvc(*(pull or ["checkout", "--quiet", "--force"]), pointer.name)
            if not is_good(place, digest):
                raise DataFault(f"{place} is damaged: what DVC has is not what its digest was made of; keep it again")
        return place

    def _make_repository(self, home: Path) -> None:
        root = places.project_of(self).root
        if not any((each / ".dvc").is_dir() for each in (home, *home.parents) if each.is_relative_to(root)):
            self._dvc("init", "--quiet", "--no-scm")
            for key in ("analytics", "check_update"):
                self._dvc("config", "--quiet", f"core.{key}", "false")

    def _commit(self, home: Path, pointer: Path, name: str) -> None:
        """Commits the file that leads to a content, and those that keep the content itself out of git."""
        files = [path.name for path in (pointer, home / ".gitignore") if path.is_file()]
        outside.run(["git", "add", "--", *files], directory=home)
        if outside.run(["git", "status", "--porcelain", "--", *files], directory=home).strip():
            message = f"Keep {' '.join(name.split())} {pointer.stem[:12]}"
            outside.run(["git", "commit", "--quiet", "-m", message, "--", *files], directory=home)

    def _dvc(self, *words: str) -> None:
        outside.run([self.program, *words], directory=self._home, variables=_QUIET)
