"""What a model says cannot steer a terminal, what it is called cannot leave its directory, what is private is so."""

from __future__ import annotations

import ast
import os
import stat
from pathlib import Path

import mlpipeline
from mlpipeline.project import Project
from tests.integration.conftest import Workshop

EVIL = "\x1b]0;title\x07\x1b[2J\x1b[31mred\x9b31m\x00\x08\x7f"
LOUD = f"""
text = {EVIL!r}
print(text)
self.run.log.warning("log %s", text)
self.run.record({{"loss" + text: 1.0}})
raise ValueError(text)
"""


def controls(text: str) -> set[str]:
    return {each for each in text if (ord(each) < 32 and each not in "\n\t\r") or 127 <= ord(each) < 160}


def test_nothing_that_a_model_says_reaches_a_terminal_as_a_command(workshop: Workshop) -> None:
    workshop.model("m.py", LOUD, f'Versions(0.1, Loader(), 2, 1).add("one", text={EVIL!r})')
    workshop.list("m.py")
    told = [workshop.run("-r", "-u")[1]]
    for words in (("show", "m.py"), ("logs", "m.py"), ("why", "m.py"), ("history",), ("status",), ("plan", "--all")):
        told.append(workshop.run(*words)[1])
        told.append(workshop.run(*words, "--json")[1])
    for text in told:
        assert controls(text) == set(), ascii(text[:2000])
    for kind in ("log", "output"):
        assert controls(workshop.output(kind)) == set()
    assert "red" in workshop.run("logs", "m.py")[1]


def test_names_lead_nowhere_else(workshop: Workshop) -> None:
    for place, version in enumerate(("../../../v", "a/b", "..", "a\\b")):
        workshop.model(f"bad{place}.py", "pass", f"Versions(0.1, Loader(), 2, 1).add({version!r})")
    workshop.model("m.py", "pass", 'Versions(0.1, Loader(), 2, 1).add("%2e%2e%2f", model_dir_suffix="../../up")')
    (workshop.root / "outside.py").write_text((workshop.models / "m.py").read_text())
    workshop.list("m.py", *(f"bad{place}.py" for place in range(4)), "../outside.py", "/etc/passwd")
    code, told = workshop.run("-r", "-u")
    assert (code, told.count("VersionsError"), told.count("must be a path within models/")) == (1, 4, 2)
    assert [row["version"] for row in workshop.truth("trained")] == ["%2e%2e%2f"]
    assert len(list((workshop.outputs / "model_dirs").iterdir())) == 1
    assert {path.name for path in workshop.root.iterdir()} == {
        *("mlp.config", "models.config", "models", "outside.py", "truth.jsonl")
    }
    for words in (("show", "../../x"), ("logs", "/etc/passwd"), ("get", "../m", "copy"), ("why", "../../etc/passwd")):
        assert workshop.run(*words)[0] == 2
    workshop.run("-r", "-u", "--host", "../../evil")
    assert not list(workshop.root.parent.glob("*evil*"))


def test_what_holds_requests_and_tokens_is_the_owners_alone(workshop: Workshop) -> None:
    old = os.umask(0)
    try:
        workshop.model("m.py", "pass")
        workshop.list("m.py")
        assert workshop.run("-r", "-u")[0] == 0
        assert workshop.run("note", "m.py", "x")[0] == 0
    finally:
        os.umask(old)
    project = Project.load(workshop.root)
    for path in (project.runs_dir, project.requests_dir, project.claims_dir):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700, path
    assert stat.S_IMODE(project.ledger_path.stat().st_mode) == 0o600


def test_nothing_is_unpickled() -> None:
    """Code that unpickles runs whatever the file's writer wanted.

    The records of workflows hold whatever their steps return. Each is signed by its user, and no other is read:
    test_what_somebody_else_has_written_is_not_read.
    """
    found = []
    for path in Path(mlpipeline.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found += [f"{path.name}: {name}" for name in names if name.partition(".")[0] in UNSAFE]
    assert found == ["recorder.py: pickle"]


UNSAFE = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "pickletools"}
