"""Starts a scheduler in one of its two modes, and looks ahead without starting anything."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from mlpipeline import plugins, tracking, wire
from mlpipeline.errors import ConfigurationError, NotWritable
from mlpipeline.execution.executor import Executor, slots_of
from mlpipeline.ledger import Ledger
from mlpipeline.lock import SchedulerLock, holder
from mlpipeline.project import Project
from mlpipeline.queue import digests, wishes
from mlpipeline.queue import plan as planning
from mlpipeline.queue.catalog import Catalog, Description, formers
from mlpipeline.queue.claims import Claims
from mlpipeline.queue.companion import dashboard_beside, options_of
from mlpipeline.queue.devices import Devices
from mlpipeline.queue.executors import Executors
from mlpipeline.queue.following import tracking_beside
from mlpipeline.queue.lenders import lenders
from mlpipeline.queue.live_selection import LiveSelection
from mlpipeline.queue.memory import Memory
from mlpipeline.queue.options import Options
from mlpipeline.queue.orders import Orders
from mlpipeline.queue.outlook import defaults
from mlpipeline.queue.output import HostFiles, plain
from mlpipeline.queue.plan import Plan
from mlpipeline.queue.room import closed, standing_orders
from mlpipeline.queue.scheduler import Scheduler
from mlpipeline.queue.studies import Studies
from mlpipeline.queue.study import Study
from mlpipeline.queue.verdicts import Lender, Wanted
from mlpipeline.run import Attempt, Run, State
from mlpipeline.selection import Selection

_OF_CONTAINERS = ("/.dockerenv", "/run/.containerenv")
# An id, as Docker and Podman name what nobody has named; or the end of a pod's name, by Kubernetes' alphabet.
_PASSING_NAME = re.compile(r"[0-9a-f]{12}|.+-[bcdfghjklmnpqrstvwxz2456789]{5}")


def run_queue(project: Project, options: Options) -> int:
    """Runs the queue in test or execution mode and returns the exit status.

    Raises:
        ConfigurationError: the models config is faulty at the start.
        SchedulerRunning: another scheduler of this host works on the project.
        NotWritable: nothing can be recorded in the outputs directory.
    """
    return _test(project, options) if options.testing else _execute(project, options)


def _execute(project: Project, options: Options) -> int:
    # Before anything is written: a mistyped command must leave no outputs behind.
    check_selection(LiveSelection(project, options.names, testing=False, say=lambda *_: None, keep=False))
    make_executor(project, options).close()
    options_of(project)
    tracking.read(project)
    try:
        for directory in (project.outputs_dir, project.model_dirs, project.sources_dir, project.revisions_dir):
            wire.make_directory(directory)
        # Who could write a request or read a token could end and start what is another user's.
        for private in (project.runs_dir, project.requests_dir, project.claims_dir):
            wire.make_directory(private, 0o700)
    except OSError as error:
        raise NotWritable(
            f"{project.outputs_dir}: cannot be written ({error.strerror}): set outputs_dir in mlp.config to a "
            "directory that can, or mend its permissions"
        ) from error
    lock = SchedulerLock(project)
    lock.acquire()
    try:
        ledger = Ledger.open(project.ledger_path)
        try:
            files = HostFiles(project, enabled=options.write_files)
            scheduler = Scheduler(project, options, ledger, make_executor(project, options), files)
            check_selection(scheduler.selection)
            if is_passing(project) and any(map(os.path.exists, _OF_CONTAINERS)):
                name = f"this container is called {project.host}, and may be called otherwise after its next start"
                scheduler.say(f"{name}: set `host` in mlp.config, or it cannot find what is its own", "WARNING")
            with dashboard_beside(project, scheduler.say), tracking_beside(project, scheduler.say):
                return scheduler.run()
        finally:
            ledger.close()
    except OSError as error:
        raise NotWritable(
            f"the queue has stopped: {error}: mend that and start it again; what is recorded stays so, and what runs "
            "goes on and is taken up"
        ) from error
    finally:
        lock.release()


def is_passing(project: Project) -> bool:
    """Whether the host's name was neither chosen in the settings nor, by its looks, by a person."""
    return project.settings.host is None and _PASSING_NAME.fullmatch(project.host) is not None


def _test(project: Project, options: Options) -> int:
    """Tries every version in a private temporary directory; the first exception reaches the top."""
    private = Path(tempfile.mkdtemp(prefix="mlpipeline-test-", dir=_seen_by(project, options)))
    try:
        apart = project.with_outputs(private)
        for directory in (apart.runs_dir, apart.model_dirs, apart.sources_dir):
            directory.mkdir(parents=True, exist_ok=True)
        ledger = Ledger.in_memory()
        files = HostFiles(apart, enabled=False)
        scheduler = _Testing(apart, options, ledger, make_executor(apart, options), files)
        check_selection(scheduler.selection)
        return scheduler.run()
    finally:
        shutil.rmtree(private, ignore_errors=True)


def _seen_by(project: Project, options: Options) -> Path | None:
    """Returns a directory that the machines of an engine see as well; None where any will do."""
    if executor_kind(project, options).is_here:
        return None
    wire.make_directory(project.outputs_dir)
    return project.outputs_dir


class _Testing(Scheduler):
    """A scheduler whose words go to the terminal alone, with what each version printed."""

    def reconcile(self) -> None:
        known = len(self.ended)
        super().reconcile()
        for run, attempt in self.ended[known:]:
            self._show(run, attempt)

    def _show(self, run: Run, attempt: Attempt) -> None:
        directory = self.project.root / attempt.directory
        result = wire.read_json(directory / wire.RESULT) or {}
        try:
            printed = plain((directory / wire.OUTPUT).read_bytes().decode("utf-8", "replace")).strip()
        except OSError:
            printed = ""
        told = plain((result.get("error") or {}).get("traceback", "")).strip()
        if told and printed.endswith(told):
            printed = printed[: -len(told)].rstrip()
        if printed and attempt.state is State.SUCCEEDED:
            sys.stdout.write("".join(f"  | {line}\n" for line in printed.splitlines()))
        for note in (*result.get("notes", ()), *result.get("warnings", ())):
            self.say(f"  {run.model}:{run.version} {note}")
        sys.stdout.flush()
        if attempt.state is not State.SUCCEEDED and self.executor.name != "inline":
            sys.stderr.write(f"{printed}\n" if printed and not told else "")
            sys.stderr.write(f"{told}\n" if told else f"{attempt.message}\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a scheduler would do now."""

    plan: Plan
    selection: Selection
    descriptions: Mapping[str, Description]
    faults: Mapping[str, str]
    slots: int = 1
    studies: Mapping[str, Study] = field(default_factory=dict)


def preview(
    project: Project, *, names: tuple[str, ...] = (), use_history: bool = True, testing: bool = False
) -> Preview:
    """Computes the plan without changing a byte in the project. It may import models, in children.

    Raises:
        ConfigurationError: the models config is faulty.
    """
    live = LiveSelection(project, names, testing=testing, say=lambda *_: None, keep=False)
    check_selection(live)
    listed = [each for each in live.current.models if each.fault is None]
    models = [each.model for each in listed]
    catalog = Catalog(project, keep=False)
    try:
        catalog.refresh(models, {each.model: each.options.python for each in listed})
        while catalog.pending(models):
            time.sleep(0.01)
            catalog.collect()
        return _preview(project, live.current, catalog, use_history=use_history, testing=testing)
    finally:
        catalog.close()


def _preview(project: Project, selection: Selection, catalog: Catalog, *, use_history: bool, testing: bool) -> Preview:
    with closing(Ledger.open_readonly(project.ledger_path)) as ledger:
        devices = Devices(project, ledger, lambda *_: None)
        studies = Studies(project, ledger, testing=testing)
        known = studies.extended(selection, catalog.known)
        try:
            faults = wishes.faults(selection, known)
            if executor_kind(project).is_here:
                faults = devices.faults(selection) | Memory(project, ledger).faults(selection) | faults
            wanted = wishes.wanted(selection, known, testing=testing)
            manner = {"use_history": use_history, "testing": testing}
            computed = _computed(project, ledger, wanted, faults, devices, **manner, former=formers(known))
            studies.look(computed.items)
        finally:
            devices.close()
    return Preview(
        plan=computed,
        selection=selection,
        descriptions=known,
        faults=faults | studies.faults,
        slots=published_slots(project),
        studies={} if testing else studies.by_model,
    )


def _computed(
    project: Project,
    ledger: Ledger,
    wanted: Sequence[Wanted],
    faults: Mapping[str, str],
    devices: Devices,
    *,
    use_history: bool,
    testing: bool,
    former: Mapping[str, str],
) -> Plan:
    keys = [each.key for each in wanted]
    standings = digests.standings(project, ledger, keys, former, invocation=None if use_history else "none")
    live = ledger.live()
    claims, orders = Claims(project), Orders()
    claims.learn(former)
    if use_history and not testing:
        if claims.others():
            claims.discover(each.key for each in wanted)
        orders = standing_orders(project)
    now = datetime.now(UTC)
    local = now.astimezone()
    slots = published_slots(project)
    return planning.plan(
        wanted,
        standings,
        slots=max(0, slots - (0 if testing else len(live))),
        now=now,
        local_minute=local.hour * 60 + local.minute,
        defaults=defaults(project),
        busy=frozenset(run.model_dir for run in live),
        describing={},
        faulty=frozenset(faults),
        orders=orders,
        elsewhere=claims.elsewhere,
        closed="" if testing else closed(project, orders),
        running=Counter() if testing else Counter(run.model for run in live) if slots > 1 else None,
        lenders=_lenders(project, ledger, devices, live, slots),
    )


def _lenders(project: Project, ledger: Ledger, devices: Devices, live: Sequence[Run], slots: int) -> list[Lender]:
    if not executor_kind(project).is_here:
        return []
    return lenders(Memory(project, ledger), devices, [(run, project.root / run.last.directory) for run in live], slots)


def published_slots(project: Project) -> int:
    """Returns how many runs train at a time: the running scheduler may have been told another number."""
    told = (wire.read_json(project.status_path) or {}).get("slots") if holder(project) is not None else None
    return told if isinstance(told, int) and told > 0 else slots_of(project.settings, executor_kind(project))


def executor_kind(project: Project, options: Options | None = None) -> type[Executor]:
    """Returns what options or settings name; models are tried on this machine, unless the options name an engine."""
    asked = options or Options()
    name = asked.executor or ("inline" if asked.pdb else project.settings.executor)
    kind: type[Executor] = plugins.load("executor", name)
    if asked.testing and asked.executor is None and not kind.is_here:
        kind = plugins.load("executor", "local")
    return kind


def make_executor(project: Project, options: Options) -> Executor:
    """Makes the executor that takes new attempts, beside those that still have some of an earlier scheduler's."""
    made = executor_kind(project, options).for_project(project, debugger=options.pdb)
    return made if options.testing else Executors(project, made)


def check_selection(selection: LiveSelection) -> None:
    """At the start there is no revision to fall back on: a faulty file is the user's to mend first.

    Raises:
        ConfigurationError: with every fault.
    """
    if not selection.current.usable:
        raise ConfigurationError(faults=selection.current.faults)
