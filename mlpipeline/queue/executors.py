"""The executor of one scheduler, and those that still have attempts of a scheduler which used another one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Self

from mlpipeline import plugins, wire
from mlpipeline.errors import MlpipelineError
from mlpipeline.execution.executor import Executor, Life
from mlpipeline.project import Project


class Executors(Executor):
    """New attempts go to one executor; one that is taken up stays with the executor that its `spec.json` names.

    Who changes `executor` in mlp.config while a job waits in an engine's queue must not have it trained twice.

    Args:
        project: whose settings make the others.
        main: takes new attempts.
    """

    def __init__(self, project: Project, main: Executor) -> None:
        self.project = project
        self.main = main
        self.name, self.warm, self.is_here = main.name, main.warm, main.is_here
        self.slots, self.threads = main.slots, main.threads
        self.others: dict[str, Executor] = {}
        self.homes: dict[Path, Executor] = {}

    @classmethod
    def for_project(cls, project: Project, *, debugger: bool = False) -> Self:
        """Makes the one that the settings name."""
        main = plugins.load("executor", project.settings.executor).for_project(project, debugger=debugger)
        return cls(project, main)

    def _all(self) -> list[Executor]:
        return [self.main, *self.others.values()]

    def _of(self, directory: Path) -> Executor:
        return self.homes.get(directory, self.main)

    def submit(self, directory: Path) -> None:
        """Hands it to the main one."""
        self.main.submit(directory)

    def flush(self) -> None:
        """Has the main one send on what it was given."""
        self.main.flush()

    def adopt(self, directory: Path) -> Life:
        """Takes an attempt up with the executor that has it.

        Raises:
            MlpipelineError: that executor cannot be had: nobody could say whether the attempt lives.
        """
        name = str((wire.read_json(directory / wire.SPEC) or {}).get("executor") or self.main.name)
        if name != self.main.name:
            self.homes[directory] = self._other(name)
        return self._of(directory).adopt(directory)

    def _other(self, name: str) -> Executor:
        if name not in self.others:
            try:
                self.others[name] = plugins.load("executor", name).for_project(self.project)
            except MlpipelineError as error:
                raise MlpipelineError(
                    f"an attempt that was submitted with executor = {name} has not ended, and nobody can ask for it: "
                    f"{error}"
                ) from error
        return self.others[name]

    @property
    def look_seconds(self) -> float | None:  # type: ignore[override]
        """The main one's, unless another one wants to be looked at more often."""
        if any(each.look_seconds is None for each in self.homes.values()):
            return None
        return self.main.look_seconds

    def life(self, directory: Path) -> Life:
        """Asks the one that has it."""
        return self._of(directory).life(directory)

    def moved(self) -> Collection[Path] | None:
        """Returns what any of them says; None where one does not say it."""
        found: set[Path] = set()
        for each in self._all():
            if (moved := each.moved()) is None:
                return None
            found.update(moved)
        return found

    def reasons(self) -> Mapping[Path, str]:
        """Returns everybody's."""
        return {path: reason for each in self._all() for path, reason in each.reasons().items()}

    def ask(self, directory: Path, action: str) -> None:
        """Asks the one that has it."""
        self._of(directory).ask(directory, action)

    def tend(self) -> list[tuple[str, str]]:
        """Tends all of them."""
        return [told for each in self._all() for told in each.tend()]

    def descriptors(self) -> Sequence[int]:
        """Returns everybody's."""
        return [descriptor for each in self._all() for descriptor in each.descriptors()]

    def forget(self, directory: Path) -> None:
        """Has the one forget it that had it."""
        self._of(directory).forget(directory)
        self.homes.pop(directory, None)

    def bury(self, directory: Path, token: str) -> bool:
        """Has it buried by the one that had it."""
        return self._of(directory).bury(directory, token)

    def close(self) -> None:
        """Releases all of them."""
        for each in self._all():
            each.close()
