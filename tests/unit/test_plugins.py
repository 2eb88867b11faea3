"""The registry: parts are text until somebody asks for them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mlpipeline import plugins
from mlpipeline.errors import MissingExtra, MlpipelineError, UsageError
from mlpipeline.wiring import BUILT_IN, wire


@pytest.fixture
def registry() -> plugins.Registry:
    return plugins.Registry()


def test_a_registered_part_is_imported_when_it_is_asked_for(registry: plugins.Registry) -> None:
    sys.modules.pop("colorsys", None)
    registry.register("kind", "part", "colorsys:rgb_to_hsv")
    assert "colorsys" not in sys.modules
    assert registry.load("kind", "part")(0, 0, 0) == (0.0, 0.0, 0)
    assert registry.names("kind") == ["part"]


def test_an_unknown_part_names_the_known_ones(registry: plugins.Registry) -> None:
    registry.register("executor", "local", "os:getpid")
    with pytest.raises(UsageError, match=r"no executor 'locale'.*'local'"):
        registry.load("executor", "locale")


def test_a_name_cannot_be_taken_by_another_part(registry: plugins.Registry) -> None:
    registry.register("kind", "part", "os:getpid")
    registry.register("kind", "part", "os:getpid")
    with pytest.raises(UsageError, match="os:getpid already"):
        registry.register("kind", "part", "os:getppid")


@pytest.mark.parametrize("target", ["os", "os:", ":getpid", "a:b:c"])
def test_a_target_without_module_and_attribute_is_refused(registry: plugins.Registry, target: str) -> None:
    with pytest.raises(UsageError, match=r"package\.module:attribute"):
        registry.register("kind", "part", target)


@pytest.mark.parametrize("target", ["os:no_such_thing", "mlpipeline.no_such_module:x"])
def test_a_part_that_cannot_be_loaded_is_the_plugins_fault(registry: plugins.Registry, target: str) -> None:
    registry.register("kind", "part", target)
    with pytest.raises(MlpipelineError, match="cannot be loaded") as caught:
        registry.load("kind", "part")
    assert caught.value.__cause__ is not None


def test_installed_packages_offer_parts_but_replace_none(
    registry: plugins.Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugins, "_installed", lambda kind: {"ours": "os:getppid", "theirs": "os:getcwd"})
    registry.register("kind", "ours", "os:getpid")
    assert registry.names("kind") == ["ours", "theirs"]
    assert registry.load("kind", "ours") is __import__("os").getpid
    assert registry.load("kind", "theirs") is __import__("os").getcwd


def test_wiring_registers_every_built_in_part_and_may_be_called_again(registry: plugins.Registry) -> None:
    wire(registry.register)
    wire(registry.register)
    for kind, name, target in BUILT_IN:
        assert name in registry.names(kind)
        assert registry.target(kind, name) == target
        if kind == "executor":
            assert registry.load(kind, name).name == name
        if kind == "estimator":
            assert registry.load(kind, name).__name__.lower() == name.replace("_", "")


class Part:
    """Something that is offered."""


def test_a_part_is_known_by_the_name_under_which_it_is_offered(
    registry: plugins.Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    offers = {"broken": f"{__name__}:Absent", "mine": f"{__name__}:Part", "other": "colorsys:rgb_to_hsv"}
    monkeypatch.setattr(plugins, "_installed", lambda kind: offers)
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    assert registry.name_of("kind", Part) == "mine"
    assert registry.name_of("kind", plugins.Registry) is None
    assert "colorsys" not in sys.modules


def test_who_asks_first_finds_what_is_built_in() -> None:
    registry = plugins.Registry(filled_by="mlpipeline.wiring:wire")
    assert registry.names("executor") == ["inline", "local", "ray", "slurm"]
    registry.register("executor", "mine", "os:getpid")
    assert "mine" in registry.names("executor")
    again = plugins.Registry(filled_by="mlpipeline.wiring:wire")
    assert again.load("model_format", ".yaml").__module__ == "mlpipeline.workflow.model_file"


def test_a_name_that_two_packages_offer_is_no_ones(registry: plugins.Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    offers = {"both": {"os:getpid": "first 1.0", "os:getcwd": "second 2.0"}, "one": {"os:getpid": "first 1.0"}}
    monkeypatch.setattr(plugins, "_offers", lambda kind: offers)
    registry.register("kind", "own", "os:getppid")
    with pytest.raises(UsageError, match=r"offered by first 1\.0 \(os:getpid\) and second 2\.0 \(os:getcwd\)"):
        registry.load("kind", "both")
    assert registry.load("kind", "one") is __import__("os").getpid
    assert registry.origins("kind") == {
        "both": ("first 1.0", "second 2.0"),
        "one": ("first 1.0",),
        "own": ("built in",),
    }
    registry.register("kind", "both", "os:getppid")
    assert registry.load("kind", "both") is __import__("os").getppid
    assert registry.origins("kind")["both"] == ("built in", "first 1.0", "second 2.0")


WITHOUT_PANDAS = """
import sys

sys.modules["pandas"] = None
from mlpipeline import errors, plugins

registry = plugins.Registry()
registry.register("kind", "part", "mlpipeline.data.by_kind:ByKind")
try:
    registry.load("kind", "part")
except errors.MissingExtra as error:
    print(error)
"""


def test_a_built_in_part_whose_library_is_missing_names_the_extra() -> None:
    # In a process of its own: a package that is imported twice in one has two copies of its modules from then on.
    said = subprocess.run([sys.executable, "-c", WITHOUT_PANDAS], capture_output=True, text=True, check=True)
    assert "pip install 'mlpipeline[data]'" in said.stdout


def test_an_offered_part_whose_library_is_missing_is_no_missing_extra(
    registry: plugins.Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugins, "_offers", lambda kind: {"theirs": {"sqlite3.no_such_module:x": "theirs 1.0"}})
    with pytest.raises(MlpipelineError, match="mend or uninstall the package") as caught:
        registry.load("kind", "theirs")
    assert not isinstance(caught.value, MissingExtra)
