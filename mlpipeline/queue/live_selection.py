"""The selection in force: re-read before every decision, changed only by an edit that is whole and valid."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Collection
from pathlib import Path

from mlpipeline import selection as selections
from mlpipeline.config_text import Fault
from mlpipeline.project import Project
from mlpipeline.queue import revisions
from mlpipeline.queue.consequences import consequences
from mlpipeline.queue.differences import differences
from mlpipeline.queue.settling import Settling
from mlpipeline.run import Run
from mlpipeline.selection import Selection


class LiveSelection:
    """Holds the last good revision of a models config.

    Args:
        project: whose config.
        names: models named on the command line; they are the whole selection then, and only their options are read.
        testing: whether it is `models_test.config`.
        say: how an accepted edit or a fault is announced.
        keep: whether accepted revisions are kept on disk.
        running: returns the runs in progress, so that it can be said what an edit means for them.
    """

    def __init__(
        self,
        project: Project,
        names: tuple[str, ...],
        *,
        testing: bool,
        say: Callable[..., None],
        keep: bool = True,
        running: Callable[[], Collection[Run]] = tuple,
    ) -> None:
        self.project = project
        self.names = names
        self.testing = testing
        self.say = say
        self.running = running
        self.path: Path = project.selection_path(testing)
        self.faults: tuple[Fault, ...] = ()
        self.keep = keep and not testing
        self.settling = Settling(self.path)
        self._refused = ""
        self.current = self._parse()
        if self.current.usable and self.keep:
            self._keep()

    def _parse(self) -> Selection:
        listed = selections.read(self.project, test=self.testing)
        if self.names:
            return selections.from_names(self.project, self.names, listed if listed.usable else None)
        return listed

    def read(self) -> None:
        """Looks at the file again, and lets a whole and valid edit take effect."""
        if self._stands():
            self._recovered()
            return
        read_at = time.time()
        fresh = self._parse()
        if fresh.digest == self.current.digest and fresh.models == self.current.models:
            self._recovered()
            return
        if not self.settling.is_settled(fresh.digest, read_at):
            return
        if not fresh.usable:
            self._refuse(fresh)
            return
        for line in (*differences(self.current, fresh), *consequences(self.current, fresh, self.running())):
            self.say(f"{self.path.name}: {line}")
        self._recovered()
        self.current = fresh
        if self.keep:
            self._keep()

    def _stands(self) -> bool:
        """Whether the file and the models that it names are so that reading it would say what is in force."""
        current = self.current
        if self.names or current.use_blacklist or not current.usable:
            return False
        try:
            digest = hashlib.sha256(self.path.read_bytes()).hexdigest()
        except OSError:
            return False
        models_dir = os.fspath(self.project.models_dir)
        return digest == current.digest and all(
            # A name without a suffix means another file as soon as one with the first suffix is there.
            each.fault is None
            and each.model.endswith(selections.SUFFIXES[0])
            and os.path.isfile(f"{models_dir}/{each.model}")
            for each in current.models
        )

    def _recovered(self) -> None:
        self.settling.pending = False
        self._refused = ""
        self.faults = ()

    def _refuse(self, fresh: Selection) -> None:
        self.faults = fresh.faults
        if fresh.digest != self._refused:
            self._refused = fresh.digest
            for fault in fresh.faults:
                self.say(f"fault: {fault}. The last good revision stays in force", "ERROR")

    def _keep(self) -> None:
        if not self.path.exists():  # what is named on the command line needs no list
            return
        try:
            data = self.path.read_bytes()
            # What stands there by now may be another text, and none that was accepted: its turn comes.
            if hashlib.sha256(data).hexdigest() == self.current.digest:
                revisions.save_revision(self.project, data)
        except OSError as error:
            self.say(f"this revision of {self.path.name} could not be kept: {error}", "WARNING")
