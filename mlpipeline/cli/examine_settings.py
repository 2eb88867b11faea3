"""What `doctor` looks at of settings: every section of mlp.config, misnamed files, models in the wrong place."""

from __future__ import annotations

from collections.abc import Iterator

from mlpipeline.cli.findings import Finding, note, problem
from mlpipeline.config_text import near_or_known
from mlpipeline.errors import MlpipelineError
from mlpipeline.project import Project

_AREA = "Project"
_READ = ("mlp.config", "models.config", "models_test.config")
_NEARLY = {
    "mlp.config": ("mlp.cfg", "mlp.ini", "mlp.conf", "mlp.config.txt", "mlpipeline.config", "mlpipeline.cfg"),
    "models.config": ("model.config", "models.cfg", "models.ini", "models.conf", "models.config.txt"),
    "models_test.config": ("model_test.config", "models-test.config", "models_test.cfg", "models_test.config.txt"),
}
"""Names that are written for those that are read."""


def settings(found: Project) -> Iterator[Finding]:
    """Looks at sections that are read only by who needs them, at the executor, and at the models directory."""
    for read in (_notify, _tracking, _dashboard, _data, _slurm, _ray, _package, _executor):
        try:
            read(found)
        except MlpipelineError as error:
            yield problem(_AREA, str(error))
    if not found.models_dir.is_dir():
        yield problem(
            _AREA,
            f"models_dir = {found.settings.models_dir}: {found.models_dir} is not there: make it, or name another one "
            "in mlp.config",
        )


def files(found: Project) -> Iterator[Finding]:
    """Looks for files that nobody reads: nearly rightly named lists, and models beside the models directory."""
    names = {path.name for path in found.root.iterdir()} if found.root.is_dir() else set()
    for right in _READ:
        wrong = {name for name in names if name.lower() == right and name != right} | names & {*_NEARLY[right]}
        if right not in names and wrong:
            yield problem(_AREA, f"{min(wrong)} is not read: call it {right}")
    if found.models_dir == found.root:
        return
    from mlpipeline.cli.examine_models import exposes_model

    for path in sorted(found.root.glob("*.py")):
        if exposes_model(path):
            place = found.relative(found.models_dir)
            yield note(_AREA, f"{path.name} has a MODEL and lies outside of {place}/: move it there to train it")


def _notify(found: Project) -> None:
    from mlpipeline.observe import messenger

    if found.settings.sections.get("NOTIFY") and messenger.wanted(found).urls:
        messenger.check_apprise()


def _tracking(found: Project) -> None:
    from mlpipeline import tracking

    tracking.read(found)


def _dashboard(found: Project) -> None:
    from mlpipeline.queue import companion

    companion.options_of(found)


def _data(found: Project) -> None:
    from mlpipeline.data import data_settings

    data_settings.read(found)


def _slurm(found: Project) -> None:
    from mlpipeline.execution import slurm_settings

    slurm_settings.read(found.settings.sections.get("SLURM", {}))


def _ray(found: Project) -> None:
    from mlpipeline.execution import ray_settings

    ray_settings.read(found)


def _package(found: Project) -> None:
    from mlpipeline.scaffold.packaging import settings as package

    package.read(found)


def _executor(found: Project) -> None:
    from mlpipeline import plugins
    from mlpipeline.errors import ConfigurationError

    name, known = found.settings.executor, plugins.names("executor")
    if name not in known and ":" not in name:
        raise ConfigurationError(
            f"mlp.config: executor = {name}: there is none of this name.{near_or_known(name, known)}"
        )
