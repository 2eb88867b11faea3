"""Deployers: a server that outlives who started it, exchanged without a gap; containers and clusters by their tools."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mlpipeline import plugins
from mlpipeline.cli.main import cli
from mlpipeline.errors import CommandFailed, DataFault
from mlpipeline.project import Project
from mlpipeline.workflow.components.model_deployers import deployments, local
from mlpipeline.workflow.interface import interface_faults
from mlpipeline.workflow.types import Kind, Resource
from tests.unit.workflow.components.people import people, split

ROOT = Path(__file__).resolve().parents[2]
NAME = "ship's list"
SLUG = deployments.slug(NAME)


def made(name: str, **keys: Any) -> Any:
    part: Any = plugins.load("component", name)()
    for key, value in keys.items():
        setattr(part, key, value)
    return part


def saved(place: Path, label: str, rows: int = 80) -> Resource:
    """Returns a model that always says `label`."""
    frame = people(rows)
    frame["survived"] = (frame["deck"] == 0).map({True: "rare", False: label})
    trainer = made("NaiveTrainer", drop_columns=["class", "day"]).fit(split(frame, "survived"))
    trainer.save(place)
    digest = json.loads((place / "manifest.json").read_text())["digest"]
    return Resource(
        id=f"model-{label}", kind=Kind.MODEL, name=NAME, digest=digest, created_at="2026-01-01", place=str(place)
    )


def asked(url: str) -> str:
    row = {"age": 30, "sex": "man", "alone": True, "deck": 1}
    request = urllib.request.Request(url, json.dumps([row]).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(json.load(answer)["predictions"][0])


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "mlp.config").write_text("[MLP]\nhost = here\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("MLP_SUPERVISOR", raising=False)
    monkeypatch.delenv("MLPIPELINE_TOKEN", raising=False)
    yield tmp_path
    local.stop(deployments.home(None, NAME))


@pytest.mark.parametrize("name", ["LocalDeployer", "DockerDeployer", "KubernetesDeployer"])
def test_each_keeps_the_interface(name: str) -> None:
    assert interface_faults(plugins.load("component", name)) == ()


def test_a_server_outlives_its_workflow_and_exchanges_models_without_a_gap(project: Path) -> None:
    pytest.importorskip("uvicorn")
    first, second = saved(project / "one", "no"), saved(project / "two", "never")
    code = (
        "import sys, json\nfrom mlpipeline import plugins\nfrom mlpipeline.workflow.types import Kind, Resource\n"
        "model = Resource(**json.loads(sys.argv[1]))\n"
        "print(plugins.load('component', 'LocalDeployer')().deploy_model(model))\n"
    )
    told = {name: getattr(first, name) for name in ("id", "kind", "name", "digest", "created_at", "place")}
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(told)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    url = done.stdout.strip()
    assert url.endswith(f"/{SLUG}/predict")
    assert asked(url) == "no"
    answers: list[str] = []
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            answers.append(asked(url))

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        assert made("LocalDeployer").deploy_model(second) == url
        assert asked(url) == "never"
    finally:
        over.set()
        asking.join()
    assert set(answers) <= {"no", "never"}
    assert [path.name for path in (deployments.home(None, NAME) / "models").iterdir()] == [second.digest]
    found = deployments.read(deployments.home(None, NAME))
    assert found is not None
    assert local.is_alive(found)
    made("LocalDeployer").stop(second)
    assert not local.is_alive(found)
    with pytest.raises(OSError, match="refused"):
        asked(url)
    # The same address again, once it is started again.
    assert made("LocalDeployer").deploy_model(first) == url
    assert asked(url) == "no"


def test_what_cannot_be_served_leaves_what_was_there(project: Path) -> None:
    pytest.importorskip("uvicorn")
    first = saved(project / "one", "no")
    url = made("LocalDeployer").deploy_model(first)
    damaged = saved(project / "two", "never")
    (project / "two" / "estimator.json").write_text("{}")
    with pytest.raises(CommandFailed, match=r"does not take the new model:(?s:.*)estimator.json"):
        made("LocalDeployer", wait_seconds=4.0).deploy_model(damaged)
    assert asked(url) == "no"
    assert (deployments.home(None, NAME) / "model").resolve().name == first.digest
    nothing = Resource(id="m", kind=Kind.MODEL, name=NAME, digest="0", created_at="", place=str(project / "gone"))
    with pytest.raises(DataFault, match="is no directory: keep the model first"):
        made("LocalDeployer").deploy_model(nothing)


def test_within_a_run_of_the_queue_no_server_is_started(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLP_SUPERVISOR", "1")
    told = made("LocalDeployer").deploy_model(saved(project / "one", "no"))
    assert told == f"not started yet: mlpipeline deployment run {NAME}"
    assert (deployments.home(None, NAME) / "model" / "manifest.json").is_file()


def test_a_process_of_the_same_id_is_not_ended(project: Path) -> None:
    other = deployments.Deployment(
        name=NAME, deployer="LocalDeployer", model="m", digest="0", handle=str(os.getpid()), started=1.0
    )
    deployments.write(deployments.home(None, NAME), other)
    assert local.stop(deployments.home(None, NAME)) is False


def test_a_dockerfile_names_what_is_copied_and_no_secret(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLPIPELINE_TOKEN", "hush-hush")
    deployer = made("DockerDeployer", base_image="python:3.12-slim")
    files = deployer.package_model(saved(project / "one", "no"), project / "image")
    assert {path.name for path in files} == {"Dockerfile", "requirements.txt", ".dockerignore", "model"}
    text = (project / "image" / "Dockerfile").read_text()
    words = [line.split(" ", 1) for line in text.splitlines() if not line.startswith("#")]
    assert [word for word, _ in words if word in ("FROM", "WORKDIR", "USER", "EXPOSE", "ENTRYPOINT")] == [
        "FROM", "WORKDIR", "USER", "EXPOSE", "ENTRYPOINT",
    ]  # fmt: skip
    entry = json.loads(dict(words)["ENTRYPOINT"])
    assert entry[:3] == ["mlpipeline", "serve", f"{SLUG}=/srv/model"]
    assert all((project / "image" / rest.split()[0]).exists() for word, rest in words if word == "COPY")
    assert "pandas==" in (project / "image" / "requirements.txt").read_text()
    assert not any("hush" in path.read_text() for path in (project / "image").glob("*") if path.is_file())


def test_manifests_are_what_kubernetes_takes(project: Path) -> None:
    yaml = pytest.importorskip("yaml")
    deployer = made("KubernetesDeployer", image="registry.example/list:1", namespace="ships", replicas=3)
    (path,) = deployer.package_model(saved(project / "one", "no"), project / "cluster")
    deployment, service = yaml.safe_load_all(path.read_text())
    assert (deployment["kind"], service["kind"]) == ("Deployment", "Service")
    assert deployment["spec"]["replicas"] == 3
    pod = deployment["spec"]["template"]
    assert service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
    assert deployment["spec"]["selector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    (container,) = pod["spec"]["containers"]
    assert container["image"] == "registry.example/list:1"
    assert container["env"][0]["valueFrom"]["secretKeyRef"]["name"] == f"{SLUG}-token"


@pytest.fixture
def tool(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand-ins for docker and kubectl that write down what they are told."""
    place = project / "bin"
    place.mkdir()
    for name in ("docker", "kubectl"):
        fails = '[ "$1" != "$FAIL" ] || { echo broken >&2; exit 3; }'
        (place / name).write_text(f'#!/bin/sh\necho "{name} $*" >> {project}/told.txt\n{fails}\n')
        (place / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{place}:{os.environ['PATH']}")
    return project / "told.txt"


def test_docker_builds_runs_and_removes(project: Path, tool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, deployer = saved(project / "one", "no"), made("DockerDeployer", port=9000)
    assert deployer.deploy_model(model) == f"http://127.0.0.1:9000/{SLUG}/predict"
    deployer.stop(model)
    lines = tool.read_text().splitlines()
    assert [line.split()[1] for line in lines] == ["build", "ps", "run", "rm"]
    assert f"--tag {SLUG}:{model.digest[:12]}" in lines[0]
    assert lines[2].endswith(f"--publish 127.0.0.1:9000:8321 --env MLPIPELINE_TOKEN {SLUG}:{model.digest[:12]}")
    monkeypatch.setenv("FAIL", "build")
    with pytest.raises(CommandFailed, match="ended with status 3:\nbroken"):
        deployer.deploy_model(model)


def test_kubectl_applies_and_deletes(project: Path, tool: Path) -> None:
    model, deployer = saved(project / "one", "no"), made("KubernetesDeployer", image="list:1", namespace="ships")
    assert deployer.deploy_model(model) == f"http://{SLUG}.ships/{SLUG}/predict"
    deployer.stop(model)
    assert [line.split()[1] for line in tool.read_text().splitlines()] == ["apply", "rollout", "delete"]


def told(*words: str) -> Any:
    done = CliRunner().invoke(cli, ["deployment", *words, "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_the_command_deploys_what_a_run_has_saved(project: Path) -> None:
    pytest.importorskip("uvicorn")
    run = plugins.load("learning", "by_hand")(Project.load(), object(), NAME, (Path,), {})
    saved(run.directory / "artefact", "no")
    run.succeed({}, ("", ""), [])
    files = told("package", NAME, "-o", "there")["files"]
    assert [Path(each).name for each in files] == ["model", "serve.sh"]
    url = told("run", NAME, "--set", "wait_seconds=60")["url"]
    assert asked(url) == "no"
    (listed,) = told("list")["deployments"]
    assert (listed["name"], listed["url"], listed["state"]) == (NAME, url, "answers")
    assert told("stop", NAME)["stopped"] is True
    assert told("list")["deployments"][0]["state"] == "stopped"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "gone"], "there is no saved model 'gone'"),
        (["stop", "gone"], "no model 'gone' is deployed"),
        (["run", "gone", "-d", "LocalDeployr"], "Did you mean 'LocalDeployer'?"),
        (["run", "gone", "-d", "KubernetesDeployer"], "KubernetesDeployer needs the key 'image'"),
        (["run", "gone", "--set", "prt=3"], "Did you mean 'port'?"),
    ],
)
def test_what_cannot_be_deployed_is_told(project: Path, words: list[str], message: str) -> None:
    done = CliRunner().invoke(cli, ["deployment", *words])
    assert done.exit_code != 0
    assert message in str(done.exception) + done.output


def test_a_local_server_has_no_image_to_build(project: Path) -> None:
    run = plugins.load("learning", "by_hand")(Project.load(), object(), NAME, (Path,), {})
    saved(run.directory / "artefact", "no")
    run.succeed({}, ("", ""), [])
    done = CliRunner().invoke(cli, ["deployment", "build", NAME])
    assert "LocalDeployer builds nothing" in str(done.exception) + done.output
