"""One tree of errors; a class's docstring is its default message and says what to do."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from types import ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlpipeline.config_text import Fault


class MlpipelineError(Exception):
    """Something went wrong in mlpipeline."""

    exit_status = 1

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())


class UsageError(MlpipelineError):
    """The command or its arguments are wrong: see `mlpipeline --help`."""

    exit_status = 2


class ConfigurationError(UsageError):
    """The configuration is faulty: mend the lines that are named.

    Attributes:
        faults: everything that is wrong, with file and line.
    """

    def __init__(self, message: str | None = None, *, faults: Iterable[Fault] = ()) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join([*([message] if message else []), *map(str, self.faults)]) or None)


class VersionsError(MlpipelineError, ValueError):
    """The versions of a model cannot be made as written: mend their names or parameters."""

    exit_status = 2


class ParameterError(MlpipelineError, ValueError):
    """A parameter has no value that could be used: mend it where the version is added."""


class MetricError(MlpipelineError, ValueError):
    """A metric is no number: record a number."""


class NotFinite(MetricError):
    """A metric is NaN or infinite, and on_nan says that a run must not go on like this."""


class ModelFault(MlpipelineError):
    """A model's file cannot be used: mend what the message names."""


class ModelDirError(MlpipelineError):
    """The model's directory cannot be used: mend its permissions, or free space on its disk."""


class IllegalTransition(MlpipelineError):
    """An attempt cannot change its state like this: run `mlpipeline fsck`."""


class LedgerError(MlpipelineError):
    """The ledger cannot be used: run `mlpipeline fsck`."""

    exit_status = 2


class LedgerTooNew(LedgerError):
    """The ledger was written by a newer mlpipeline: upgrade this one."""


class LedgerDamaged(LedgerError):
    """The ledger is damaged: `mlpipeline fsck --rebuild` makes it again from the run directories."""


class RunNotFound(UsageError):
    """There is no such run: `mlpipeline history` lists them."""


class AmbiguousRun(UsageError):
    """Several runs begin like this: give more of the id."""


class SchedulerRunning(UsageError):
    """A scheduler works on this project already: `mlpipeline status` shows it."""


class RequestRefused(UsageError):
    """What was asked cannot be done: `mlpipeline status` shows how things stand."""


class NotWritable(UsageError):
    """A directory cannot be written: mend its permissions, or set outputs_dir in mlp.config."""


class DiskFull(MlpipelineError):
    """The disk is full: free some space; nothing that was recorded is lost."""


class DataFault(MlpipelineError, ValueError):
    """The data, or what is asked of it, is not as declared: mend what the message names."""


class WrongType(DataFault, TypeError, AttributeError):
    """The data is of another type than declared: convert it."""


class UnknownOption(DataFault, NameError):
    """A parameter has a value that is not known: use one of those that the message lists."""


class NotFitted(DataFault, AttributeError):
    """It has learnt nothing yet: call fit first."""


class ExtractNotFound(DataFault, FileNotFoundError):
    """There is no such extract: see the files in extracts/."""


class UnknownConnection(UsageError, AttributeError):
    """There is no such connection: name it in config/database.cfg."""


class DatabaseError(MlpipelineError):
    """The database refused, or cannot be reached: see what it says."""


class StoreError(MlpipelineError):
    """A store cannot be read or written: see what it says."""


class StoreFull(StoreError, MemoryError):
    """A value is larger than all that the store may hold: raise its limit."""


class ArtefactError(MlpipelineError):
    """A saved model cannot be used: see what is said of it."""


class ArtefactDamaged(ArtefactError):
    """A saved model is damaged: copy it again from where it came, or train again."""


class ArtefactTooNew(ArtefactError):
    """A model was saved by a newer mlpipeline: upgrade this one."""


class UnknownClass(ArtefactError):
    """A saved model is of a class that is not known here: import it, or give it in classes=[...]."""


class CheckFailed(MlpipelineError):
    """A check of the workflow failed: see what it says."""


class CommandFailed(MlpipelineError):
    """An outside command failed: see what it said."""


class MissingExtra(MlpipelineError, ImportError):
    """An optional package is missing: install the extra that brings it."""


def require(module: str, *, extra: str) -> ModuleType:
    """Imports an optional package.

    Raises:
        MissingExtra: when it is not installed; the message says which extra brings it.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name and error.name.partition(".")[0] != module.partition(".")[0]:
            raise
        raise MissingExtra(f"{module} is not installed: pip install 'mlpipeline[{extra}]'") from error
