"""What is packed, what is refused, and what a package is called."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from mlpipeline import plugins
from mlpipeline.errors import ConfigurationError, UsageError
from mlpipeline.project import Project
from mlpipeline.scaffold.packaging import build, settings
from mlpipeline.scaffold.packaging.contents import Collector, Contents

PART = "from mlpipeline.workflow import Component\nclass {name}(Component): ...\n"


class Yard:
    """A project that is to be packed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("mlp.config", "[MLP]\n[PACKAGE]\nname = Yard.Parts\n")

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def collect(self) -> Contents:
        project = Project.load(self.root)
        return Collector(project, settings.read(project)).collect()

    def faults(self) -> str:
        with pytest.raises(ConfigurationError) as caught:
            self.collect()
        return str(caught.value)


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    return Yard(tmp_path)


def test_parts_are_offered_by_their_names_with_what_they_import(yard: Yard) -> None:
    yard.write(
        "components/deep/one.py", f"import shared_sums\nfrom abc import abstractmethod\n{PART.format(name='One')}"
    )
    yard.write("components/names.csv", "a,b\n")
    yard.write("components/.hidden.csv", "")
    yard.write("shared_sums.py", "from models import more_sums\n")
    yard.write("models/more_sums.py", "")
    yard.write("models/unused.py", "")
    yard.write("commands/say_hi.py", "import click\n@click.command()\ndef hi(): ...\n")
    yard.write("templates/component/own/{{module_name}}.py", "{{no}}")
    found = yard.collect()
    assert sorted(found.files) == [
        "commands/say_hi.py",
        "components/deep/one.py",
        "components/names.csv",
        "models/more_sums.py",
        "shared_sums.py",
        "templates/component/own/{{module_name}}.py",
    ]
    assert found.files["components/deep/one.py"].startswith(b"from yard_parts import shared_sums\n")
    assert found.files["shared_sums.py"] == b"from yard_parts.models import more_sums\n"
    assert found.files["templates/component/own/{{module_name}}.py"] == b"{{no}}"
    assert found.parts == {
        "component": {"One": "yard_parts.components.deep.one:One"},
        "command": {"say-hi": "yard_parts.commands.say_hi:hi"},
        "template": {"component.own": "yard_parts.templates.component.own"},
    }


def test_types_private_classes_and_other_classes_are_no_parts(yard: Yard) -> None:
    yard.write(
        "components/kinds.py",
        "from abc import abstractmethod\nfrom mlpipeline.workflow import Component, Notifier\n"
        "class Kind(Component):\n    @abstractmethod\n    def f(self): ...\n"
        "class _Own(Component): ...\nclass Plain: ...\nclass Loose(Component):\n    _is_framework = True\n"
        "class Good(Kind):\n    def f(self): ...\n",
    )
    assert yard.collect().parts == {"component": {"Good": "yard_parts.components.kinds:Good"}}


def test_everything_that_cannot_be_packed_is_told_at_once(yard: Yard) -> None:
    yard.write("components/fails.py", "\nimport no_such_library\n")
    yard.write("components/broken.py", "def\n")
    yard.write("components/twice_a.py", PART.format(name="Twice"))
    yard.write("components/twice_b.py", PART.format(name="Twice"))
    yard.write(
        "components/half.py",
        "from components.half_kind import Kind\nclass Half(Kind):\n    def f(self): ...\n",
    )
    yard.write(
        "components/half_kind.py",
        "from abc import abstractmethod\nfrom mlpipeline.workflow import Component\n"
        "class Kind(Component):\n    @abstractmethod\n    def f(self, data): ...\n",
    )
    yard.write("commands/none.py", "x = 1\n")
    yard.write("templates/component/my-own/x", "")
    told = yard.faults()
    assert "components/fails.py: cannot be imported: components/fails.py:2: ModuleNotFoundError" in told
    assert "components/broken.py: cannot be imported: components/broken.py:1: SyntaxError" in told
    assert "components/twice_b.py: Twice is there twice" in told
    assert "components/half.py: Half f(self) must be f(self, data), as Kind declares it" in told
    assert "commands/none.py: it defines no command" in told
    assert "templates/component/my-own: in a package, names of templates are letters" in told


def test_a_class_that_would_be_hidden_by_a_built_in_one_is_refused(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    yard.write("components/one.py", PART.format(name="One"))
    monkeypatch.setattr(plugins, "origins", lambda kind: {"One": (plugins.BUILT_IN,)})
    assert "components/one.py: One is called like one that is built in" in yard.faults()


def test_packages_within_keep_what_their_init_says(yard: Yard) -> None:
    yard.write("components/deep/__init__.py", "from components.deep.one import One\n")
    yard.write("components/deep/one.py", PART.format(name="One"))
    files = yard.collect().files
    assert files["components/deep/__init__.py"] == b"from yard_parts.components.deep.one import One\n"


def test_what_lies_outside_of_the_project_cannot_be_packed(yard: Yard) -> None:
    (yard.root.parent / "elsewhere").mkdir(exist_ok=True)
    (yard.root.parent / "elsewhere" / "far.py").touch()
    yard.write("mlp.config", "[MLP]\nmodels_dir = ../elsewhere\n")
    yard.write("components/one.py", f"def f():\n    import far\n{PART.format(name='One')}")
    assert "components/one.py: imports ../elsewhere/far.py, which lies outside" in yard.faults()


def test_a_project_with_nothing_to_offer_is_told(yard: Yard) -> None:
    with pytest.raises(UsageError, match="no components/, pipelines/"):
        yard.collect()


@pytest.mark.parametrize(
    ("name", "version", "told"),
    [
        ("-x", None, "no name of a package"),
        ("2d", None, "begin with a letter"),
        ("json", None, "a module already"),
        ("mlpipeline", None, "a module already"),
        ("class", None, "no name of a module"),
        (None, "one", "no version of a package"),
        (None, "1.0; x", "no version of a package"),
    ],
)
def test_names_and_versions_that_pip_does_not_take(
    yard: Yard, name: str | None, version: str | None, told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        settings.read(Project.load(yard.root), name=name, version=version)


def test_settings_are_those_of_mlp_config_and_the_directory_names_the_rest(yard: Yard) -> None:
    found = settings.read(Project.load(yard.root))
    assert (found.name, found.module, found.version) == ("yard-parts", "yard_parts", "0.1.0")
    yard.write("mlp.config", '[PACKAGE]\nversion = 1.0rc1\nrequires = "pandas>=3, xgboost"\n')
    found = settings.read(Project.load(yard.root), name="other")
    assert (found.name, found.version, found.requires) == ("other", "1.0rc1", ("pandas>=3", "xgboost"))
    yard.write("mlp.config", "[PACKAGE]\nverson = 1.0\n")
    with pytest.raises(ConfigurationError, match="Did you mean 'version'"):
        settings.read(Project.load(yard.root))


def test_the_project_file_is_toml_whatever_the_texts_are(yard: Yard) -> None:
    yard.write("mlp.config", '[PACKAGE]\nname = yard\ndescription = "of \\"ours\\" \\ and ä"\n')
    found = settings.read(Project.load(yard.root))
    contents = Contents(parts={"component": {"A": "yard.components.a:A"}})
    read = tomllib.loads(build.project_file(found, contents))
    assert read["project"]["description"] == found.description
    assert read["project"]["entry-points"] == {"mlpipeline.component": {"A": "yard.components.a:A"}}
    assert read["project"]["dependencies"][0].startswith("mlpipeline[workflow]>=")
