"""Facts that exports of workflows have to get right, by their numbers in the catalogue."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from .test_workflow_facts import Site, site

__all__ = ["site"]
ROOT = Path(__file__).resolve().parents[2]
TARGETS = ("prefect", "metaflow", "airflow", "dockerfile", "kubernetes")
SECRET = "opensesame-42"
WITH_SECRET = """
from components.parts import MeanTrainer
class Remote(MeanTrainer):
    password: str
    url: str = ""
"""


def secret(site: Site) -> None:
    site.write("components/remote.py", WITH_SECRET)
    section = "{config: {password: '${env:DB_SECRET}', url: 'https://me:${env:API_TOKEN}@host/${env:PLACE,x}'}}"
    site.write("s.yaml", f"train: {{component: {{model_trainer: Remote}}, model_trainer: {section}}}\n")


def exported(site: Site, target: str, *words: str, **variables: str) -> list[Path]:
    done = site.run("export", "workflow", target, "dev.yaml", *words, "--json", **variables)
    assert done.returncode == 0, done.stderr
    assert SECRET not in done.stdout + done.stderr
    return [Path(each) for each in json.loads(done.stdout)["files"]]


def test_fact_24_generated_files_parse_and_no_secret_is_in_them(site: Site) -> None:
    dockerfile_parse = pytest.importorskip("dockerfile_parse", reason="dockerfile-parse is not installed")
    validator = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is not installed")
    yaml = pytest.importorskip("yaml", reason="pyyaml is not installed")
    secret(site)
    for target in TARGETS:
        for path in exported(site, target, "s.yaml", DB_SECRET=SECRET, API_TOKEN=SECRET):
            assert SECRET not in path.read_text()
            if path.suffix == ".py":
                ast.parse(path.read_bytes())
            elif path.suffix == ".yaml":
                validator.validate(yaml.safe_load(path.read_text()), validator.latest_version(), strict=True)
            elif path.name == "Dockerfile":
                words = [each["instruction"] for each in dockerfile_parse.DockerfileParser(str(path)).structure]
                assert words[-1] == "ENTRYPOINT"
    job = yaml.safe_load((site.root / "exports/s/kubernetes/job.yaml").read_text())
    (container,) = job["spec"]["template"]["spec"]["containers"]
    references = {each["name"] for each in container["env"] if "secretKeyRef" in each.get("valueFrom", {})}
    assert references == {"API_TOKEN", "DB_SECRET", "PLACE"}


def test_fact_24_a_secret_that_is_written_out_is_refused_and_not_repeated(site: Site) -> None:
    secret(site)
    site.write("open.yaml", f"train: {{model_trainer: {{config: {{password: {SECRET}}}}}}}\n")
    variables = {"DB_SECRET": SECRET, "API_TOKEN": SECRET}
    commands = [(target, "dev.yaml", "s.yaml", "open.yaml") for target in ("dockerfile", "kubernetes")]
    setting = f"train.model_trainer.password={SECRET}"
    commands += [(target, "dev.yaml", "s.yaml", "--set", setting) for target in TARGETS]
    for command in commands:
        done = site.run("export", "workflow", *command, **variables)
        assert (done.returncode, done.stdout) == (2, "")
        assert "a secret stands here" in done.stderr
        assert SECRET not in done.stderr
    assert not (site.root / "exports").exists()


def test_fact_25_an_export_executes_no_text_of_a_configuration(site: Site) -> None:
    hostile = "__import__('os').system('touch owned')"
    site.write("h.yaml", f'config: {{train_data: "{hostile}"}}\n')
    for target in TARGETS:
        for path in exported(site, target, "h.yaml", "--set", f"train_data=$(touch owned)`touch owned`; {hostile}"):
            if path.suffix == ".py":
                tree = ast.parse(path.read_bytes())
                called = {node.func.id for node in ast.walk(tree) if _is_named_call(node)}  # type: ignore[attr-defined]
                assert not called & {"eval", "exec", "compile", "__import__"}
                assert "shell=True" not in path.read_text()
    assert not (site.root / "owned").exists()


def _is_named_call(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name)


def test_fact_26_a_name_comes_back_as_it_is(site: Site) -> None:
    name = 'models/sub dir/it\'s "v1.2".yaml'
    site.write(name, (site.root / "dev.yaml").read_text())
    done = site.run("export", "workflow", "metaflow", name, "--json")
    (path,) = json.loads(done.stdout)["files"]
    (words,) = [
        ast.literal_eval(node.value)
        for node in ast.parse(Path(path).read_bytes()).body
        if isinstance(node, ast.Assign) and node.targets[0].id == "WORKFLOW"  # type: ignore[attr-defined]
    ]
    assert words[-1] == name
    ran = site.run(*words, "--records", "records", "--until", "1")
    assert ran.returncode == 0, ran.stderr
    assert json.loads((site.root / "records/metrics.json").read_text())["metrics"] == {"mean": 6.0, "index": 1.0}
