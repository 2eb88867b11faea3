"""Dockerfiles and manifests: parsed by parsers of their own, checked against Kubernetes' schemas, without secrets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlpipeline.errors import ConfigurationError, UsageError
from mlpipeline.workflow.exports import TARGETS, export
from mlpipeline.workflow.exports.options import Options

from .conftest import STEPS, Yard

SECRET = "opensesame-42"
WITH_VARIABLES = STEPS.replace(
    "epochs: 3, import: 1, json: 1",
    "db_password: '${env:DB_PASSWORD}', url: 'postgresql://u:${env:PG_TOKEN}@h/${env:DB_NAME,main}', "
    "u: $config.url, v: $$config",
).replace("config: {", "rows: {config: {url: $config.url}}\nconfig: {")


@pytest.fixture
def secret(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workflow that reads secrets from its environment, as the connector of a database would."""
    monkeypatch.setenv("DB_PASSWORD", SECRET)
    monkeypatch.setenv("PG_TOKEN", SECRET)
    parts = (yard.root / "components/parts.py").read_text()
    yard.write("components/parts.py", parts.replace('db_password: str = ""', 'db_password: str = ""; url: str = ""'))
    text = WITH_VARIABLES.replace(", u: $config.url, v: $$config", "")
    return yard.write("models/secret.yaml", text)


def instructions(path: Path) -> list[dict[str, Any]]:
    parser = pytest.importorskip(
        "dockerfile_parse", reason="dockerfile-parse is not installed: pip install -e '.[test]'"
    )
    found: list[dict[str, Any]] = parser.DockerfileParser(str(path)).structure
    return found


def manifests(paths: tuple[Path, ...]) -> list[dict[str, Any]]:
    yaml = pytest.importorskip("yaml", reason="pyyaml is not installed: pip install 'mlpipeline[workflow]'")
    validator = pytest.importorskip(
        "kubernetes_validate", reason="kubernetes-validate is not installed: pip install -e '.[test]'"
    )
    found = [yaml.safe_load(path.read_text()) for path in paths]
    for each in found:
        validator.validate(each, validator.latest_version(), strict=True)
    return found


@pytest.mark.parametrize("name", ["steps", 'it\'s "v1.2" été', "sub dir/a.b", "UPPER_case", "x" * 120])
@pytest.mark.parametrize("schedule", [None, "@daily"])
def test_manifests_keep_the_schema(yard: Yard, name: str, schedule: str | None) -> None:
    path = yard.write(f"models/{name}.yaml", (yard.root / "models/steps.yaml").read_text())
    config, job = manifests(export("kubernetes", [path], options=Options(schedule=schedule, image="r.io/a/b:1.0")))
    assert config["kind"] == "ConfigMap"
    assert list(config["data"].values()) == [path.read_text()]
    assert job["kind"] == ("Job" if schedule is None else "CronJob")
    assert job["metadata"]["annotations"] == {"mlpipeline/workflow": Path(name).name}
    spec = job["spec"] if schedule is None else job["spec"]["jobTemplate"]["spec"]
    (container,) = spec["template"]["spec"]["containers"]
    assert container["image"] == "r.io/a/b:1.0"
    relative = f"models/{name}.yaml"
    assert container["command"] == [
        "mlpipeline", "run", "workflow", "Runner", "--config-file", relative, "--records", "/records/steps",
    ]  # fmt: skip
    (mount,) = [each for each in container["volumeMounts"] if each["name"] == "files"]
    assert (mount["mountPath"], mount["subPath"]) == (f"/app/{relative}", next(iter(config["data"])))


def test_variables_become_references_to_a_secret(yard: Yard, secret: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DB_PASSWORD")  # it need not be there
    paths = export("kubernetes", [secret])
    _, job = manifests(paths)
    found = job["spec"]["template"]["spec"]["containers"][0]["env"]
    references = {each["name"]: each["valueFrom"]["secretKeyRef"] for each in found if "valueFrom" in each}
    assert references == {
        "DB_NAME": {"name": "secret-environment", "key": "DB_NAME", "optional": True},
        "DB_PASSWORD": {"name": "secret-environment", "key": "DB_PASSWORD"},
        "PG_TOKEN": {"name": "secret-environment", "key": "PG_TOKEN"},
    }
    assert "--from-env-file" in paths[1].read_text()


@pytest.mark.parametrize("target", TARGETS)
def test_no_value_of_a_secret_is_written(yard: Yard, secret: Path, target: str) -> None:
    for path in export(target, [secret], version=None):
        assert SECRET not in path.read_text()


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    "setting",
    [f"db_password={SECRET}", f"rows.db_password=x{SECRET}${{env:DB_NAME,y}}", f"url=https://me:{SECRET}@host/"],
)
def test_a_secret_among_the_settings_is_refused(yard: Yard, secret: Path, target: str, setting: str) -> None:
    with pytest.raises(ConfigurationError, match="a secret stands here") as caught:
        export(target, [secret], settings=[setting])
    assert SECRET not in str(caught.value)
    assert not (yard.root / "exports").exists()


@pytest.mark.parametrize("target", ["dockerfile", "kubernetes"])
def test_a_secret_in_the_file_is_refused_where_the_file_goes_along(yard: Yard, secret: Path, target: str) -> None:
    secret.write_text(secret.read_text() + f"versions:\n  a: {{rows__db_password: {SECRET}}}\n")
    with pytest.raises(ConfigurationError, match=r"secret.yaml:\d+:26: a secret stands here") as caught:
        export(target, [secret])
    assert SECRET not in str(caught.value)
    export("prefect", [secret])  # the file stays where it is


def test_a_secret_by_what_it_is_used_for_is_refused(yard: Yard, secret: Path) -> None:
    text = secret.read_text().replace("config: {train", f"config: {{pw: $5{SECRET}, train")
    secret.write_text(text.replace("'${env:DB_PASSWORD}'", "$config.pw"))
    with pytest.raises(ConfigurationError, match=r"configmap.yaml is not written: a secret") as caught:
        export("kubernetes", [secret])
    assert SECRET not in str(caught.value)
    secret.write_text(text.replace("pw:", "password:").replace("'${env:DB_PASSWORD}'", "$config.password"))
    with pytest.raises(ConfigurationError, match="a secret stands here"):
        export("dockerfile", [secret])


def test_what_kubernetes_would_expand_is_escaped(yard: Yard) -> None:
    path = yard.write("models/$(HOME).yaml", (yard.root / "models/steps.yaml").read_text())
    _, job = manifests(export("kubernetes", [path]))
    assert "models/$$(HOME).yaml" in job["spec"]["template"]["spec"]["containers"][0]["command"]
    path = yard.write("models/a:b.yaml", (yard.root / "models/steps.yaml").read_text())
    with pytest.raises(UsageError, match="colon"):
        export("kubernetes", [path])


@pytest.mark.parametrize("name", ["steps", 'it\'s "v1.2" $HOME', "été\\n"])
def test_a_dockerfile_runs_the_workflow(yard: Yard, name: str) -> None:
    path = yard.write(f"models/{name}.yaml", (yard.root / "models/steps.yaml").read_text())
    paths = export("dockerfile", [path], options=Options(image="r.io/a:1"))
    found = instructions(paths[0])
    words = [each["instruction"] for each in found if each["instruction"] != "COMMENT"]
    assert words[0] == "FROM"
    assert words[-2:] == ["USER", "ENTRYPOINT"]
    assert set(words) <= {"FROM", "ENV", "RUN", "COPY", "ARG", "WORKDIR", "USER", "ENTRYPOINT"}
    entry = json.loads(found[-1]["value"])
    assert entry == ["mlpipeline", "run", "workflow", "Runner", "--config-file", f"models/{name}.yaml"]
    (copied, _) = (each["value"] for each in found if each["instruction"] == "COPY")
    assert (yard.root / json.loads(copied)[0]).is_file()
    assert paths[1].name == "Dockerfile.dockerignore"
    assert {".git", "**/.env", "**/outputs"} <= set(paths[1].read_text().splitlines())


def test_requirements_are_exact_or_those_of_the_projects_lock(yard: Yard) -> None:
    path = yard.root / "models/steps.yaml"
    text = export("dockerfile", [path])[2].read_text()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert any(line.startswith("click==") for line in lines)
    assert all("==" in line or " @ " in line for line in lines)
    yard.write("requirements.lock", "lightgbm==4.6.0\n")
    paths = export("dockerfile", [path], overwrite=True)
    assert paths[2].read_text() == "lightgbm==4.6.0\n"
    assert any("libgomp1" in each["value"] for each in instructions(paths[0]))
