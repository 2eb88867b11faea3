"""Finds a project by its mlp.config, and resolves every path once."""

from __future__ import annotations

import hashlib
import os
import platform
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

from mlpipeline.errors import ConfigurationError
from mlpipeline.filesystems import is_network, remedy
from mlpipeline.settings import CONFIG, Settings, read_settings

_SAFE = " !#$&'()+,;=@[]{}~"
_LONGEST = 180


@lru_cache(maxsize=64)
def _resolved(root: Path, name: str) -> Path:
    """Follows links once: a path that means another place while a scheduler works would tear its project in two."""
    return (root / name).resolve()


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A directory with models in it: knows every path and setting, and changes nothing."""

    root: Path
    settings: Settings
    host: str
    warnings: tuple[str, ...] = ()
    config_found: bool = True
    outputs: Path | None = None

    @classmethod
    def load(cls, root: Path | None = None, *, host: str | None = None) -> Project:
        """Reads the project's settings.

        Args:
            root: its directory; None looks for `mlp.config` from here upwards, and takes this directory where
                there is none.
            host: instead of the configured or the machine's name.

        Raises:
            ConfigurationError: with every fault of the file, and where it stands.
        """
        found = (root or _find(Path.cwd())).resolve()
        if not found.is_dir():
            raise ConfigurationError(f"{found}: is no directory: name the project's with --project")
        path = found / CONFIG
        warnings: tuple[str, ...] = ()
        try:
            settings = read_settings(path.read_bytes())
        except FileNotFoundError:
            settings = Settings()
            told = f"{found}: no {CONFIG}: defaults are used (models in {settings.models_dir}/)."
            warnings = (f"{told} Another project: --project DIR; a new one: mlpipeline init",)
        except OSError as error:
            raise ConfigurationError(f"{path}: cannot be read {remedy(error, path)}") from error
        else:
            _check_directories(found, settings)
        name = _host_name(host or settings.host or platform.node() or "localhost")
        return cls(root=found, settings=settings, host=name, warnings=warnings, config_found=not warnings)

    def with_outputs(self, outputs: Path) -> Project:
        """Returns the same project with its outputs elsewhere (test mode's private directory)."""
        return replace(self, outputs=outputs)

    @property
    def config_path(self) -> Path:
        """The settings file."""
        return self.root / CONFIG

    @property
    def models_dir(self) -> Path:
        """Where the models lie."""
        return _resolved(self.root, self.settings.models_dir)

    @property
    def outputs_dir(self) -> Path:
        """Where everything that the queue writes lies."""
        if self.outputs is not None:
            return self.outputs
        configured = self.settings.outputs_dir
        return _resolved(self.root, configured) if configured else self.models_dir / "outputs"

    def selection_path(self, test: bool) -> Path:
        """The file that lists models, for one of the modes."""
        return self.root / ("models_test.config" if test else "models.config")

    @property
    def models_config(self) -> Path:
        """What to run."""
        return self.selection_path(False)

    def _of_host(self, name: str) -> Path:
        return self.outputs_dir / f"{name}-{self.host}"

    @property
    def log_path(self) -> Path:
        """What the scheduler and the runs said."""
        return self._of_host("log")

    @property
    def output_path(self) -> Path:
        """A block of results per finished attempt."""
        return self._of_host("output")

    @property
    def status_path(self) -> Path:
        """What is true now."""
        return self.outputs_dir / f"status-{self.host}.json"

    @property
    def ledger_path(self) -> Path:
        """What happened. Where outputs lie on a network's file system, it lies in this machine's state directory:
        SQLite's locks cannot be relied on there."""
        if self.outputs is None and is_network(self.outputs_dir):
            return _state_dir(self.outputs_dir) / f"ledger-{self.host}.db"
        return self.outputs_dir / f"ledger-{self.host}.db"

    @property
    def lock_path(self) -> Path:
        """Held by the one scheduler of this host."""
        return self.outputs_dir / f"scheduler-{self.host}.lock"

    @property
    def requests_dir(self) -> Path:
        """What people ask of the scheduler."""
        return self._of_host("requests")

    @property
    def dashboard_path(self) -> Path:
        """Where the dashboard that runs is found: a link to it, for the owner's eyes."""
        return self.requests_dir / "dashboard.json"

    @property
    def imports_dir(self) -> Path:
        """Runs of other tools that wait to be recorded, a directory a batch."""
        return self._of_host("imports")

    @property
    def tracking_path(self) -> Path:
        """What other tools have been told of this host's runs; a database, which lies where the ledger does."""
        return self.ledger_path.with_name(f"tracking-{self.host}.db")

    @property
    def notices_path(self) -> Path:
        """What is still to be told to people: what one notifying process leaves to the next."""
        return self.outputs_dir / f"notices-{self.host}.json"

    @property
    def orders_path(self) -> Path:
        """What people ordered until further notice."""
        return self.outputs_dir / f"orders-{self.host}.json"

    @property
    def revisions_dir(self) -> Path:
        """Accepted revisions of the models config."""
        return self._of_host("revisions")

    @property
    def renames_path(self) -> Path:
        """What was renamed, a line each: run directories keep the names that they were written with."""
        return self.outputs_dir / "renames.jsonl"

    @property
    def claims_dir(self) -> Path:
        """What is trained by whom, where hosts share the project."""
        return self.outputs_dir / "claims"

    @property
    def studies_dir(self) -> Path:
        """A directory per model that searches, and in it a file per trial."""
        return self.outputs_dir / "studies"

    def study_dir(self, model: str) -> Path:
        """Where the trials of a model lie."""
        return self.studies_dir / component(model)

    @property
    def sources_dir(self) -> Path:
        """Copied sources by their digest."""
        return self.outputs_dir / "sources"

    @property
    def model_dirs(self) -> Path:
        """What models keep between runs."""
        return self.outputs_dir / "model_dirs"

    @property
    def runs_dir(self) -> Path:
        """A directory per run, and one per attempt in it."""
        return self.outputs_dir / "runs"

    def relative(self, path: Path) -> str:
        """Returns a path relative to the root, in POSIX spelling."""
        return Path(os.path.relpath(path, self.root)).as_posix()


def component(*names: str) -> str:
    """Returns names as one component of a path, whatever they hold; a very long one ends in a digest instead."""
    name = "-".join(quote(each, safe=_SAFE) for each in names)
    if len(name.encode()) <= _LONGEST:
        return name
    return f"{name.encode()[:_LONGEST].decode('utf-8', 'ignore')}~{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def _check_directories(root: Path, settings: Settings) -> None:
    """Refuses files where directories are to be: nothing could be found or written there."""
    for key, value in (("models_dir", settings.models_dir), ("outputs_dir", settings.outputs_dir)):
        if value is not None and (root / value).is_file():
            raise ConfigurationError(f"{root / CONFIG}: {key} = {value}: this is a file: name a directory")


def _state_dir(outputs: Path) -> Path:
    """Returns where this machine keeps what belongs to one project: $XDG_STATE_HOME, else ~/.local/state."""
    base = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return Path(base, "mlpipeline", hashlib.sha256(os.fsencode(outputs)).hexdigest()[:16])


def _find(start: Path) -> Path:
    return next((each for each in (start, *start.parents) if (each / CONFIG).is_file()), start)


def _host_name(name: str) -> str:
    return re.sub(r"[^\w.-]", "_", name).strip(".") or "localhost"
