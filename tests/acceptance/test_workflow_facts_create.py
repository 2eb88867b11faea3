"""Facts about what is created: it passes its own tests, bad names leave nothing behind, registering twice is safe."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlpipeline.cli.create import KINDS
from mlpipeline.project import Project
from mlpipeline.scaffold import making, types
from tests.acceptance.test_workflow_facts import ROOT, Site
from tests.acceptance.test_workflow_facts import site as site  # the fixture


def bare(root: Path) -> Site:
    """A project with nothing in it but its settings."""
    root.mkdir()
    made = Site(root)
    for name in ("components/parts.py", "dev.yaml", "data.txt"):
        (root / name).unlink()
    (root / "components").rmdir()
    return made


def good(site: Site, *words: str, **variables: str) -> str:
    done = site.run(*words, **variables)
    assert done.returncode == 0, (words, done.stdout, done.stderr)
    return done.stdout


def passing(site: Site, *words: str) -> int:
    """Runs the project's own tests, which must pass, and returns how many there are."""
    text = good(site, "test", "-q", "-p", "no:cacheprovider", *words)
    assert "skipped" not in text, text
    return int(text.split(" passed")[0].split()[-1])


def test_fact_9_registering_twice_building_two_and_subclassing_add_nothing_up(site: Site) -> None:
    child = "from components.parts import MeanTrainer\nclass Child(MeanTrainer):\n    def fit(self, data):\n"
    site.write("components/child.py", f"{child}        return super().fit(data)\n")
    program = """
from mlpipeline import plugins
from mlpipeline.wiring import wire
from mlpipeline.workflow import load
wire(); wire()
for _ in range(2):
    plugins.register("component", "Again", "components.child:Child")
print(plugins.names("component").count("Again"), plugins.origins("component")["Again"])
plain = {}
for name in ("Child", "Again", "Child"):
    runner = load(["dev.yaml", {"train": {"component": {"model_trainer": name}}}])
    kind = type(runner.train.model_trainer)
    assert plain.setdefault(kind, kind.fit) is kind.fit, "classes stay as they are"
    runner.train.train_model()
    print(runner.timings.by_method["train.model_trainer.fit"].calls)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=site.root, capture_output=True, text=True, timeout=60, check=False,
        env=os.environ | {"PYTHONPATH": f"{ROOT}:{site.root}"},
    )  # fmt: skip
    assert done.stdout.split("\n") == ["1 ('built in',)", "1", "1", "1", ""], done.stderr
    assert (site.root / "fits.txt").read_text() == "fit\n" * 3


def test_fact_9_one_name_of_two_packages_is_a_fault_that_names_both(site: Site) -> None:
    own = "from components.parts import Notifier\nclass Other(Notifier):\n    def notify(self, text): print(text)\n"
    for name in ("first", "second"):
        about = f"lib/{name}-1.0.dist-info"
        site.write(f"lib/{name}.py", own)
        site.write(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        site.write(f"{about}/entry_points.txt", f"[mlpipeline.component]\nOther = {name}:Other\n")
    site.write("n.yaml", "train: {component: {notifier: Other}}\n")
    path = f"{ROOT}:{site.root / 'lib'}"
    done = site.run("validate", "dev.yaml", "n.yaml", PYTHONPATH=path)
    assert done.returncode == 2
    assert "n.yaml:1:31: component 'Other' is offered by first 1.0 (first:Other) and second 1.0" in done.stderr
    listed = json.loads(good(site, "list", "components", "--json", PYTHONPATH=path))["parts"]
    wheres = [each["where"] for each in listed if each["name"] == "Other"]
    assert wheres == ["first 1.0, not used: there are several", "second 1.0, not used: there are several"]
    site.write("n.yaml", "train: {component: {notifier: second.Other}}\n")
    good(site, "validate", "dev.yaml", "n.yaml", PYTHONPATH=path)


def test_fact_19_everything_that_is_created_passes_its_own_test(tmp_path: Path) -> None:
    pytest.importorskip("sklearn", reason="datasets and estimators need it: pip install 'mlpipeline[learning]'")
    made = bare(tmp_path / "project")
    project = Project.load(made.root)  # not by the command line: a process for each would take long
    for kind in KINDS:
        making.make(project, kind, f"new-{kind}")
    good(made, "validate", "models/new_runner.yaml")
    assert passing(made) >= len(KINDS)
    done = made.run("test", "--unittest")
    assert (done.returncode, "\nOK" in done.stderr) == (0, True), done.stderr
    for path in ("components/new_component.py", "pipelines/new_pipeline.py"):
        name = path.split("/")[1].removesuffix(".py").title().replace("_", "")
        test = f"tests/test_written_{name.lower()}.py"
        good(made, "create", "tests", path, name, "-o", test)
        good(made, "create", "documentation", path, name, "-o", f"docs/{name}.md")
        assert passing(made, test) >= 1


def test_fact_19_a_component_of_every_type_passes_its_own_test(tmp_path: Path) -> None:
    pytest.importorskip("pandas", reason="the types' templates need pandas: pip install 'mlpipeline[data]'")
    made = bare(tmp_path / "project")
    project = Project.load(made.root)
    for name in types.BUILT_IN:
        making.make(project, "component", f"my-{name}", type_name=name)
    assert passing(made) >= 2 * len(types.BUILT_IN)


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (("component", "a.b"), 2, "is no name"),
        (("component", "class"), 2, "a word of Python's own"),
        (("model", "json"), 2, "a module that is installed"),
        (("command", "plan"), 2, "a command of mlpipeline"),
        (("component", "x", "--type", "ModelTrainr"), 2, "Did you mean 'ModelTrainer'"),
        (("component", "x", "--template", "no-such"), 2, "there is no template"),
        (("component", "x", "--template", "file:///nowhere"), 1, "git says"),
        (("component", "MeanTrainer"), 1, "there is a class MeanTrainer already, in components/parts.py"),
        (("tests", "components/parts.py", "NoSuchClass"), 2, "NoSuchClass"),
    ],
)
def test_fact_10_19_a_failed_create_has_a_status_a_message_and_leaves_nothing(
    site: Site, words: tuple[str, ...], status: int, told: str
) -> None:
    before = sorted(site.root.rglob("*"))
    done = site.run("create", *words)
    assert done.returncode == status, done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(site.root.rglob("*")) == before
