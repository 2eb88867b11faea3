"""The long-running process that turns (wanted - happened) into submitted runs."""

from __future__ import annotations

import secrets
import select
import time
from datetime import UTC, datetime
from pathlib import Path

from mlpipeline import requests
from mlpipeline.errors import DiskFull, LedgerError, NotWritable
from mlpipeline.execution.executor import Executor, slots_of
from mlpipeline.ledger import Ledger
from mlpipeline.project import Project
from mlpipeline.queue import finish, pace, publish
from mlpipeline.queue.attempts import Attempts
from mlpipeline.queue.catalog import Catalog, formers
from mlpipeline.queue.claims import Claims
from mlpipeline.queue.commands import Commands
from mlpipeline.queue.live_selection import LiveSelection
from mlpipeline.queue.live_settings import LiveSettings
from mlpipeline.queue.options import Options
from mlpipeline.queue.outlook import Outlook
from mlpipeline.queue.output import HostFiles
from mlpipeline.queue.preloading import Preloading
from mlpipeline.queue.room import Room, closed, full
from mlpipeline.queue.signals import SignalFlags
from mlpipeline.queue.submitter import Submitter
from mlpipeline.queue.surroundings import Surroundings
from mlpipeline.queue.wakeup import Wakeup
from mlpipeline.queue.watch import Watcher
from mlpipeline.run import Attempt, Run, State


class Scheduler:
    """One thread, one loop of verbs. It sleeps until something happened: a file was edited, a run ended, a signal,
    a request, or a moment that the plan named."""

    def __init__(
        self, project: Project, options: Options, ledger: Ledger, executor: Executor, files: HostFiles
    ) -> None:
        self.project = project
        self.options = options
        self.ledger = ledger
        self.executor = executor
        self.files = files
        self.invocation = secrets.token_hex(6)
        self.started_at = datetime.now(UTC)
        self.wakeup = Wakeup()
        self.signals = SignalFlags(self.wakeup.write)
        self.terminal, self.status = publish.Terminal(), publish.StatusFile()
        self.watcher = Watcher(self.wakeup.wake)
        self.catalog = Catalog(project, keep=True, warm=executor.warm)
        self.preloading = Preloading(project, self.catalog, keep=not options.testing)
        self.selection = LiveSelection(
            project, options.names, testing=options.testing, say=self.say, running=self.running
        )
        self.attempts = Attempts(project, ledger, executor, files, self.say)
        self.commands = Commands(self)
        invocation = None if options.use_history else self.invocation
        self.outlook = Outlook(project, ledger, self.catalog, self.say, invocation=invocation, testing=options.testing)
        self.outlook.lends = executor.is_here
        self.outlook.studies.search = options.search
        self.settings = LiveSettings(project, self.say, slots=options.slots)
        self.room = Room(project, executor, self.say, testing=options.testing)
        self.claims = Claims(project)
        self.submitter = Submitter(self)
        self.surroundings = Surroundings(project, self.invocation, enabled=not options.testing)
        self.trouble = self.closed = ""
        self.ended: list[tuple[Run, Attempt]] = []
        self.finished: dict[State, int] = {}
        self.stopping = ""
        self.owes_status = False
        self._published, self._heard = 0.0, 0
        self._said: set[str] = set()

    def say(self, message: str, level: str = "INFO", run: str | None = None) -> None:
        """Writes a line to the host's log and to the terminal."""
        if not self.options.quiet:
            self.terminal.line(message, level)
        try:
            self.files.log(message, level, run)
        except (DiskFull, OSError) as error:
            self._trouble(f"the log cannot be written: {error}")

    def _trouble(self, text: str) -> None:
        """Remembers what stands in the way, and says it once on the terminal, since the log may be the trouble."""
        self.trouble = text
        if text not in self._said:
            self._said.add(text)
            self.terminal.line(text, "ERROR")

    def run(self) -> int:
        """Works until nothing is due (with `watch`: until told to stop). Returns the exit status."""
        self.signals.install()
        try:
            requests.forget_old(self.project, self.started_at)
            self.submitter.prepare()
            self.attempts.adopt()
            for live in self.attempts.live.values():
                self.surroundings.attach(live.directory)
            while True:
                self.turn()
                if finish.is_finished(self):
                    return finish.exit_status(self)
                self.wait()
        finally:
            self.close()

    def turn(self) -> None:
        """One round of everything; every verb may find nothing to do."""
        self.trouble = ""
        self.heed_signals()
        self.heed_requests()
        self.heed_settings()
        self.tend()
        self.selection.read()
        self.describe()
        self.reconcile()
        self.decide()
        self.submit()
        self.search()
        self.attempts.settle()
        if self._said and not self.trouble:
            self._said.clear()
            self.say("what stood in the way is over: going on")
        self.publish()

    def heed_signals(self) -> None:
        """Ctrl-C once: nothing new, and runs go at their next checkpoint. Twice: they are ended."""
        self.wakeup.drain()
        count = self.signals.interrupts + self.signals.terminations
        if self.signals.hangups and self.stopping != "detach":
            self.stopping = "detach"
        if count > self._heard:
            try:
                self.stop("now" if count > 1 or self.options.testing else "drain")
                self._heard = count
            except OSError as error:  # asked again in the next turn
                self._trouble(f"what runs cannot be asked to go: {error}")

    def heed_requests(self) -> None:
        """Carries out what people asked for; what cannot be recorded now stays asked for."""
        try:
            self.commands.carry_out()
        except (DiskFull, NotWritable, LedgerError, OSError) as error:
            self._trouble(f"requests wait: {error}")

    def heed_settings(self) -> None:
        """Lets an edit of mlp.config take effect where it can."""
        self.project = self.outlook.project = self.catalog.project = self.settings.read()

    def tend(self) -> None:
        """Looks after what the executor keeps ready."""
        for text, level in self.executor.tend():
            self.say(text, level)

    def stop(self, how: str) -> None:
        """Stops: `drain` asks runs to checkpoint and go, `now` ends them, `detach` leaves them to go on alone.

        Raises:
            OSError: not all of them could be asked.
        """
        self.stopping = how
        live = list(self.attempts.live.values())
        if how == "drain":
            self.room.ask_to_yield(live)
        for each in live if how == "now" else ():
            self.executor.ask(each.directory, "interrupt")
        if how == "drain" and live:
            self.say(f"stopping: {len(live)} running go at their next checkpoint or end. Ctrl-C again ends them now")

    def running(self) -> list[Run]:
        """Returns the runs that are submitted and have not ended."""
        return [live.run for live in self.attempts.live.values()]

    def describe(self) -> None:
        """Has new and changed models described, in the background."""
        models, changed = self.outlook.describe(self.selection.current, self.preloading)
        if changed and self.surroundings.collections:
            self.surroundings.collect()  # code was edited since, and perhaps committed
        self.watcher.watch(self.catalog.directories(models) | self._watched())

    def _watched(self) -> set[Path]:
        extra = set() if self.options.testing else {self.project.requests_dir}
        return {path for path in {self.selection.path.parent, *extra} if path.is_dir()}

    def reconcile(self) -> None:
        """Records what ended."""
        try:
            ended = self.attempts.reconcile()
        except (DiskFull, NotWritable, LedgerError) as error:
            self._trouble(f"results wait in their directories: {error}")
            return
        if self.attempts.live and not self.options.testing and (trouble := full(self.project)):
            self._trouble(trouble)
        self.surroundings.keep_promises()
        for run, attempt in ended:
            self.finished[attempt.state] = self.finished.get(attempt.state, 0) + 1
            self.preloading.learn(run.model, self.project.root / attempt.directory)
        self.outlook.changed(run for run, _ in ended)
        if self.options.testing:
            self.ended += ended
            if self.failed_test() is not None:
                self.stop("now")

    def decide(self) -> None:
        """Computes the plan from what is wanted and what happened."""
        live = list(self.attempts.live.values())
        self.closed = "" if self.options.testing else closed(self.project, self.room.orders)
        self.claims.learn(formers(self.catalog.known))
        try:
            self.claims.look(time.monotonic())
        except OSError as error:
            self._trouble(f"what other hosts do cannot be seen: {error}")
        self.outlook.decide(
            self.selection.current,
            slots=0 if self.stopping else self.slots,
            live=live,
            orders=self.room.orders,
            elsewhere=self.claims.elsewhere,
            closed=self.closed,
        )
        pending = self.catalog.pending([each.model for each in self.selection.current.models])
        try:
            if not self.stopping and not self.closed:
                self.room.make(self.outlook.plan, live)
            self.room.forget_what_had_its_turn(self.outlook.plan, pending)
        except OSError as error:
            self._trouble(f"orders wait: {error}")

    @property
    def slots(self) -> int:
        """How many runs may train at once."""
        return self.options.slots or slots_of(self.project.settings, self.executor)

    def submit(self) -> None:
        """Starts what the plan says."""
        if self.outlook.plan.submit:
            self.preloading.tell((), self.outlook.plan.items)
        try:
            self.submitter.submit()
        except DiskFull as error:
            self._trouble(str(error))

    def search(self) -> None:
        """Has the next trials of searches drawn, and ends hopeless ones."""
        live = list(self.attempts.live.values())
        pending = self.catalog.pending([each.model for each in self.selection.current.models])
        try:
            slots = 0 if self.stopping or self.closed else self.slots
            self.outlook.studies.ask(live, pending, slots, self.executor)
        except OSError as error:
            self._trouble(f"trials cannot be drawn or pruned: {error}")

    def publish(self, *, at_once: bool = False) -> None:
        """Writes what is true now, at most every so often: a new file in place of another one is not cheap."""
        now = time.monotonic()
        self.owes_status = not at_once and now - self._published < pace.STATUS_SECONDS
        if not self.options.testing and not self.owes_status:
            self._published = now
            try:
                self.status.write(self)
            except OSError as error:
                self._trouble(f"{self.project.status_path.name} cannot be written: {error}")

    def failed_test(self) -> tuple[Run, Attempt] | None:
        """The attempt that stops test mode."""
        return next((each for each in self.ended if each[1].state is not State.SUCCEEDED), None)

    def wait(self) -> None:
        """Sleeps until something happened or is to happen."""
        poll = select.poll()
        for descriptor in (self.wakeup.read, *self.executor.descriptors(), *self._children()):
            poll.register(descriptor, select.POLLIN)
        poll.poll(max(0.0, pace.seconds_to_wait(self)) * 1000)

    def _children(self) -> list[int]:
        return self.catalog.descriptors() + self.outlook.studies.descriptors()

    def close(self) -> None:
        """Releases everything; live attempts go on."""
        self.watcher.close()
        self.catalog.close()
        self.outlook.studies.close()
        self.surroundings.close()
        self.outlook.devices.close()
        self.publish_stopped()
        self.executor.close()
        self.signals.restore()
        self.wakeup.close()

    def publish_stopped(self) -> None:
        """Says in the status that this scheduler is gone."""
        self.stopping = self.stopping or "done"
        self.publish(at_once=True)
