"""Facts that a system of workflows has to get right, by their numbers in the catalogue; those of what is remembered."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from tests.acceptance.test_workflow_facts import ROOT, Site

RECORDING = """
import os, signal
from mlpipeline.workflow import Kind, MetadataTracker, Pipeline, Runner

class Record(Pipeline):
    tracker: MetadataTracker
    name: str = "m"
    end: str = "well"
    digest: str = "1"

    def keep(self):
        former = [each.digest for each in self.tracker.find(Kind.MODEL, self.name)]
        self.tracker.register(Kind.MODEL, self.name, self.digest)
        print("former:", former)
        if self.end == "raise":
            raise ZeroDivisionError("it came to nothing")
        if self.end == "kill":
            os.kill(os.getppid(), signal.SIGKILL)
            os.kill(os.getpid(), signal.SIGKILL)
        return {"former": len(former), "last": int(former[0]) if former else 0}

class Recording(Runner):
    def main(self):
        return self.record.keep()
"""
FLOW = """
runner: Recording
pipeline: {record: Record}
component: {tracker: LedgerTracker}
versions:
  good: {record__digest: "1"}
  bad: {record__digest: "2", record__end: raise}
"""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    found = Site(tmp_path)
    (tmp_path / "components/parts.py").unlink()  # which has parts of the same names
    found.write("components/recording.py", RECORDING)
    found.write("models/flow.yaml", FLOW)
    return found


def by_hand(site: Site, *settings: str) -> tuple[int, dict[str, float], str]:
    words = [word for each in settings for word in ("--set", each)]
    done = site.run("run", "workflow", "Recording", "-c", "models/flow.yaml", *words, "--json")
    metrics = json.loads(done.stdout)["metrics"] if done.returncode == 0 else {}
    return done.returncode, metrics, done.stderr


def test_fact_11_a_failed_run_is_failed_with_its_traceback_and_no_former_version_from_the_shell(site: Site) -> None:
    assert by_hand(site)[1] == {"former": 0.0, "last": 0.0}
    status, _, told = by_hand(site, 'record.digest="2"', "record.end=raise")
    assert (status, "ZeroDivisionError: it came to nothing" in told) == (1, True)
    assert by_hand(site, 'record.digest="3"')[1] == {"former": 1.0, "last": 1.0}
    assert by_hand(site, 'record.digest="4"')[1] == {"former": 2.0, "last": 3.0}
    states = {run["state"] for run in site.history()}
    assert states == {"succeeded", "failed"}
    (failed,) = (run for run in site.history() if run["state"] == "failed")
    shown = site.run("show", failed["run"]).stdout
    assert "ZeroDivisionError: it came to nothing" in shown
    result = json.loads((site.root / f"models/outputs/runs/{failed['run']}/1/result.json").read_text())
    assert "components/recording.py" in result["error"]["traceback"]
    output = site.root / f"models/outputs/runs/{failed['run']}/1/output.log"
    assert "former: ['1']" in output.read_text()
    assert site.run("fsck").returncode == 0


def test_fact_11_holds_in_the_queue_and_in_checks(site: Site) -> None:
    site.list("flow.yaml")
    assert site.run("-r", "-u").returncode == 1  # one version fails
    states = {run["version"]: run["state"] for run in site.history()}
    assert states == {"good": "succeeded", "bad": "failed"}
    assert by_hand(site, 'record.digest="3"')[1] == {"former": 1.0, "last": 1.0}
    site.write(
        "tests.yaml", "record: {config: {digest: '4'}}\nchecks: {main: {after: [{metric: former, above: 99}]}}\n"
    )
    tested = site.run("test", "workflow", "Recording", "tests.yaml", "-c", "models/flow.yaml")
    assert tested.returncode == 1
    assert by_hand(site, 'record.digest="5"')[1] == {"former": 2.0, "last": 3.0}  # the checked run had failed
    (checked,) = (run for run in site.history() if run["state"] == "failed" and run["version"] == "by-hand")
    assert "former above 99" in site.run("show", checked["run"]).stdout


def test_fact_11_what_a_killed_run_made_is_no_former_version(site: Site) -> None:
    assert by_hand(site)[1] == {"former": 0.0, "last": 0.0}
    script = (
        "import os, signal\n"
        "from mlpipeline.workflow import load\n"
        "runner = load('models/flow.yaml', settings=['record.digest=\"2\"'])\n"
        "with runner.recording():\n"
        "    runner.record.keep()\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert python(site, script) == -signal.SIGKILL
    assert by_hand(site, 'record.digest="3"')[1] == {"former": 1.0, "last": 1.0}


def python(site: Site, script: str) -> int:
    import subprocess
    import sys

    variables = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, "-c", script], cwd=site.root, env=variables, timeout=60, check=False
    ).returncode


def test_fact_26_names_with_dots_slashes_and_apostrophes_round_trip(site: Site) -> None:
    for number, name in enumerate(("it's a/model.v1", "..", "a.b/../c'd")):
        setting = f"record.name={json.dumps(name)}"
        assert by_hand(site, setting, f"record.digest={json.dumps(str(number + 7))}")[1]["former"] == 0
        assert by_hand(site, setting, 'record.digest="9"')[1] == {"former": 1.0, "last": number + 7.0}
    outside = [
        each for each in (site.root / "models/outputs/resources").rglob("*.json") if each.parents[1].name != "model"
    ]
    assert outside == []


PARTS = """
from pathlib import Path
from mlpipeline.workflow import Kind, MetadataTracker, Notifier, Pipeline, Resource, Runner
from mlpipeline.workflow import Component
from abc import abstractmethod

class FileNotifier(Notifier):
    def notify(self, text, level="info"):
        with Path("told.txt").open("a") as file:
            file.write(f"{level}: {text}\\n")

class Logger(Component):
    @abstractmethod
    def write(self, text): ...

class FileLogger(Logger):
    def write(self, text):
        Path("log.txt").write_text(text)

class DictTracker(MetadataTracker):
    def __init__(self):
        self.kept = {}
    def register(self, kind, name, digest, parents=(), place=None, facts=None):
        made = Resource(id=f"{kind}-{name}-{len(self.kept) + 1}", kind=kind, name=name, digest=digest,
                        parents=tuple(each.id for each in parents), created_at="now")
        self.kept[made.id] = made
        return made
    def find(self, kind, name):
        return [each for each in reversed(self.kept.values()) if (each.kind, each.name) == (kind, name)]
    def get(self, resource_id):
        return self.kept[resource_id]
    def lineage(self, resource):
        return [self.kept[each] for each in resource.parents]
    def add_report(self, resource, report): ...
    def reports(self, resource):
        return []
    @property
    def place(self):
        return "memory"

class Own(Pipeline):
    notifier: Notifier
    tracker: MetadataTracker
    logger: Logger
    def main(self):
        self.notifier.notify("begun", "warning")
        self.logger.write("logged")
        data = self.tracker.register(Kind.DATASET, "d", "1")
        model = self.tracker.register(Kind.MODEL, "m", "2", [data])
        return {"lineage": len(self.tracker.lineage(model)), "found": len(self.tracker.find(Kind.MODEL, "m"))}
"""
OWN = "pipeline: {own: Own}\ncomponent: {notifier: FileNotifier, tracker: DictTracker, logger: FileLogger}\n"


@pytest.mark.parametrize("where", ["file", "directory", "package"])
def test_fact_7_a_logger_notifier_and_tracker_of_ones_own_work(site: Site, where: str) -> None:
    variables = {}
    text = OWN
    if where == "file":
        site.write("elsewhere/plain.py", PARTS)
        text += "plugin_paths: [elsewhere/plain.py]\n"
    elif where == "directory":
        site.write("components/own.py", PARTS)
    else:
        site.write("installed/ownparts.py", PARTS)
        site.write("installed/ownparts-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: ownparts\nVersion: 1.0\n")
        names = "".join(f"{name} = ownparts:{name}\n" for name in ("FileNotifier", "DictTracker", "FileLogger"))
        points = f"[mlpipeline.component]\n{names}[mlpipeline.pipeline]\nOwn = ownparts:Own\n"
        site.write("installed/ownparts-1.0.dist-info/entry_points.txt", points)
        variables["PYTHONPATH"] = f"{site.root / 'installed'}{os.pathsep}{ROOT}"
    site.write("own.yaml", text)
    done = site.run("run", "workflow", "Runner", "-c", "own.yaml", "--json", **variables)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["metrics"] == {"own__lineage": 1.0, "own__found": 1.0}
    assert (site.root / "told.txt").read_text() == "warning: begun\n"
    assert (site.root / "log.txt").read_text() == "logged"


def test_fact_24_addresses_and_passwords_of_notifiers_are_shown_nowhere(site: Site) -> None:
    site.write(
        "components/telling.py",
        "from mlpipeline.workflow import Notifier, Pipeline\n"
        "class Telling(Pipeline):\n"
        "    notifier: Notifier\n"
        "    def main(self):\n"
        "        self.notifier.notify('begun')\n"
        "        raise ValueError(f'cannot reach {self.notifier.url}')\n",
    )
    site.write(
        "telling.yaml",
        "pipeline: {telling: Telling}\n"
        "component: {notifier: WebhookNotifier}\n"
        "notifier: {config: {webhook_url: '${env:HOOK}', webhook_retries: 0}}\n",
    )
    secret = "T0ken-in-the-path"
    variables = {"HOOK": f"http://127.0.0.1:9/services/{secret}"}
    told = [
        site.run("show-config", "telling.yaml", "--origins", **variables),
        site.run("run", "workflow", "Runner", "-c", "telling.yaml", **variables),
    ]
    assert told[1].returncode == 1
    assert "127.0.0.1 did not take a message" in told[1].stderr
    assert "cannot reach ***" in told[1].stderr
    written = [each.read_bytes() for each in (site.root / "models").rglob("*") if each.is_file()]
    for text in [*(done.stdout + done.stderr for done in told), *(each.decode("utf-8", "replace") for each in written)]:
        assert secret not in text
