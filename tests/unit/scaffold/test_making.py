"""Making: names that are taken are refused, and a type brings all its methods."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest

from mlpipeline.errors import MlpipelineError, UsageError
from mlpipeline.project import Project
from mlpipeline.scaffold import making, types
from mlpipeline.workflow import types as built_in
from mlpipeline.workflow.interface import interface_faults
from mlpipeline.workflow.sources import Sources

OWN_TYPE = '''
from abc import abstractmethod
from mlpipeline.workflow import Component
class Greeter(Component):
    @abstractmethod
    def greet(self, name: str, *, loud: bool = False) -> str:
        """Returns a greeting.

        Args:
            name: of somebody.
        """
    @property
    @abstractmethod
    def words(self) -> int:
        """How many words there are."""
'''


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "mlp.config").write_text("[MLP]\nmodels_dir = nets\n")
    return Project.load(tmp_path)


def files(project: Project) -> list[str]:
    return sorted(path.relative_to(project.root).as_posix() for path in project.root.rglob("*") if path.is_file())


def test_models_lie_in_the_models_directory(project: Project) -> None:
    made = making.make(project, "model", "my-net")
    assert made == ["nets/my_net.py", "tests/test_model_my_net.py"]
    assert "class MyNet(Model)" in (project.root / "nets" / "my_net.py").read_text()


def test_a_models_directory_elsewhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "mlp.config").write_text("[MLP]\nmodels_dir = ../out\n")
    with pytest.raises(UsageError, match=r"models_dir of mlp\.config is \.\./out"):
        making.make(Project.load(tmp_path / "in"), "model", "net")


@pytest.mark.parametrize("kind", ["model", "dataset", "estimator", "component", "pipeline", "runner", "test", "docs"])
@pytest.mark.parametrize("name", ["class", "a.b", "../a", "2d", ""])
def test_a_bad_name_leaves_nothing_behind(project: Project, kind: str, name: str) -> None:
    with pytest.raises(UsageError):
        making.make(project, kind, name)
    assert files(project) == ["mlp.config"]


@pytest.mark.parametrize("again", ["my-part", "my_part", "MyPart"])
def test_what_is_there_already_is_told_and_kept(project: Project, again: str) -> None:
    making.make(project, "component", "MyPart")
    path = project.root / "components" / "my_part.py"
    path.write_text("# mine\nclass MyPart: ...\n")
    before = files(project)
    with pytest.raises(MlpipelineError, match=r"class MyPart already, in components/my_part\.py") as caught:
        making.make(project, "component", again)
    assert caught.value.exit_status == 1
    assert (files(project), path.read_text()) == (before, "# mine\nclass MyPart: ...\n")


def test_a_file_that_is_there_already_is_told(project: Project) -> None:
    making.make(project, "command", "greet")
    with pytest.raises(MlpipelineError, match=r"commands/greet\.py, tests/test_command_greet\.py are there already"):
        making.make(project, "command", "Greet")


@pytest.mark.parametrize("name", ["json", "numpy", "click"])
def test_a_model_hides_no_installed_module(project: Project, name: str) -> None:
    with pytest.raises(UsageError, match=f"'{name}' is a module that is installed"):
        making.make(project, "model", name)
    assert making.make(project, "component", name)


def test_a_class_that_is_built_in_is_not_made_again(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making.plugins, "origins", lambda kind: {"GoodTrainer": ("built in",)})
    with pytest.raises(UsageError, match="'GoodTrainer' is built in"):
        making.make(project, "component", "good-trainer")


@pytest.mark.parametrize("type_name", types.BUILT_IN)
def test_every_method_of_a_type_is_there_as_the_type_declares_it(project: Project, type_name: str) -> None:
    pytest.importorskip("pandas", reason="the types' templates need pandas: pip install 'mlpipeline[data]'")
    making.make(project, "component", "my-part", type_name=type_name)
    found = Sources(project.root).load(project.root / "components" / "my_part.py").MyPart
    kind = getattr(built_in, type_name)
    assert interface_faults(found) == ()
    assert issubclass(found, kind)
    for name in kind.__abstractmethods__:
        own, declared = inspect.getattr_static(found, name), inspect.getattr_static(kind, name)
        own, declared = getattr(own, "fget", own), getattr(declared, "fget", declared)
        assert inspect.getdoc(own) == inspect.getdoc(declared), name
        assert str(inspect.signature(own)) == str(inspect.signature(declared)), name


def test_a_type_of_the_project_gives_all_its_methods(project: Project) -> None:
    (project.root / "components").mkdir()
    (project.root / "components" / "types.py").write_text(OWN_TYPE)
    made = making.make(project, "component", "polite", type_name="Greeter")
    assert made == ["components/polite.py", "tests/test_component_polite.py"]
    text = (project.root / made[0]).read_text()
    assert ast.parse(text)
    assert "from components.types import Greeter\n" in text
    assert "    def greet(self, name, *, loud=False):\n" in text
    found = Sources(project.root).load(project.root / made[0]).Polite
    assert interface_faults(found) == ()
    assert inspect.getdoc(found.greet) == "Returns a greeting.\n\nArgs:\n    name: of somebody."
    with pytest.raises(NotImplementedError, match="greet: write it"):
        found().greet("Ada")


@pytest.mark.parametrize(
    ("type_name", "told"),
    [
        ("ModelTrainr", r"no such type\. Did you mean 'ModelTrainer'"),
        ("mlpipeline.workflow.Splits", "is no type: it has no abstract methods"),
        ("gone.Type", "No module named 'gone'"),
    ],
)
def test_what_is_no_type_is_told(project: Project, type_name: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        making.make(project, "component", "mine", type_name=type_name)
    assert files(project) == ["mlp.config"]


def test_a_template_of_ones_own_is_given_all_names(project: Project) -> None:
    place = project.root / "templates" / "component" / "short" / "lib"
    place.mkdir(parents=True)
    names = "{{class_name}} {{module_name}} {{command_name}} {{title}} {{models_dir}} {{type_name}}"
    (place / "{{module_name}}.txt.jinja").write_text(names)
    assert making.make(project, "component", "my-part", template="short", type_name="Notifier") == ["lib/my_part.txt"]
    assert (project.root / "lib" / "my_part.txt").read_text() == "MyPart my_part my-part My part nets Notifier"


def test_a_project_is_never_written_over_another(tmp_path: Path) -> None:
    made = making.make_project(tmp_path / "p", "queue")
    (tmp_path / "q").mkdir()
    (tmp_path / "q" / "README.md").write_text("mine")
    with pytest.raises(MlpipelineError, match=r"^README\.md is there already"):
        making.make_project(tmp_path / "q", "queue")
    assert [each.name for each in (tmp_path / "q").iterdir()] == ["README.md"]
    assert {"mlp.config", "models.config", "models_test.config", ".gitignore", "README.md"} <= set(made)
    with pytest.raises(UsageError, match="no template 'quue' for a project"):
        making.make_project(tmp_path / "r", "quue")
    assert not (tmp_path / "r").exists()
