"""What [RAY] may say, and what is said where it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlpipeline.errors import ConfigurationError
from mlpipeline.execution import ray_settings
from mlpipeline.project import Project


def read(root: Path, *lines: str) -> ray_settings.RaySettings:
    (root / "mlp.config").write_text("\n".join(("[MLP]", "host = here", "[RAY]", *lines, "")))
    return ray_settings.read(Project.load(root))


def test_defaults_find_the_cluster_of_this_machine(tmp_path: Path) -> None:
    found = read(tmp_path)
    assert found.address == "auto"
    assert found.needs({"threads": 2}) == {"num_cpus": 2.0, "num_gpus": 0.0}
    assert found.namespace.startswith("mlpipeline-here-")


def test_two_projects_have_names_apart(tmp_path: Path) -> None:
    places = [tmp_path / name for name in "ab"]
    for each in places:
        each.mkdir()
    assert len({read(each).namespace for each in places}) == 2


def test_needs_are_those_of_the_model_then_of_the_section(tmp_path: Path) -> None:
    found = read(tmp_path, "cpus = 0.5", "gpus = 1", "memory = 2 GB", "resources = fast_disk=1, licence = 0.25")
    needs = {"num_cpus": 0.5, "num_gpus": 1.0, "memory": 2 * 10**9, "resources": {"fast_disk": 1.0, "licence": 0.25}}
    assert found.needs({"threads": 8}) == needs
    own = found.needs({"threads": 8, "gpus": 0, "memory_limit": 10**9})
    assert own == needs | {"num_gpus": 0.0, "memory": 10**9}


def test_a_runtime_environment_stands_in_place_or_in_a_file(tmp_path: Path) -> None:
    wanted = {"env_vars": {"A": "1"}}
    assert read(tmp_path, 'runtime_env = {"env_vars": {"A": "1"}}').needs({})["runtime_env"] == wanted
    (tmp_path / "ray.json").write_text('{"env_vars": {"A": "1"}}')
    assert read(tmp_path, "runtime_env = ray.json").needs({})["runtime_env"] == wanted


def test_a_token_file_is_one_of_the_project(tmp_path: Path) -> None:
    assert read(tmp_path, "token_file = token").token_file == str(tmp_path.resolve() / "token")
    assert read(tmp_path, "token_file = /etc/token").token_file == "/etc/token"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("addresses = there:1", "unknown key 'addresses'. Did you mean 'address'?"),
        ("address = ray://there:10001", "run the queue on a machine of the cluster"),
        ("cpus = many", "a whole number is needed, or a fraction below 1"),
        ("gpus = 1.5", "a whole number is needed, or a fraction below 1"),
        ("resources = fast", "'fast' is not NAME=amount"),
        ("memory = much", "a size is needed"),
        ("runtime_env = {no}", "is no JSON"),
        ("runtime_env = missing.json", "No such file"),
        (
            'runtime_env = {"pip": ["torch"]}',
            "'pip' would change nothing for runs: they have the interpreter that `python`",
        ),
        (
            'runtime_env = {"working_dir": "."}',
            "'working_dir' would change nothing for runs: their code is what the queue",
        ),
        ('runtime_env = {"envvars": {"A": "1"}}', "'envvars' is not known. Did you mean 'env_vars'?"),
        ('runtime_env = {"env_vars": {"A": 1}}', "env_vars: names and texts are needed"),
        ("address = ray://head:10001", "run the queue on a machine of the cluster"),
        ("poll_seconds = 0", "must be more than 0"),
        ("lease_seconds = 1", "supervisors beat every few seconds"),
    ],
)
def test_a_fault_names_its_key(tmp_path: Path, line: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, line)
    assert told in str(caught.value)
    assert "[RAY]" in str(caught.value)
