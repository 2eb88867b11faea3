"""Parts that a class has by default: where nothing is declared, in sight of inner parts, changed by address."""

from __future__ import annotations

import pytest

from mlpipeline.errors import ConfigurationError
from mlpipeline.workflow import Runner
from tests.unit.workflow.conftest import Workbench

PARTS = """
from mlpipeline.workflow import Component, Pipeline, Runner

class Sender(Component):
    to: str = "all"

class Mail(Sender): ...
class Post(Sender):
    stamps: int = 1

class Inner(Pipeline):
    sender: Sender
    other: Sender | None
    kind: str | None = None
    @classmethod
    def default_parts(cls, config):
        return {"sender": "Post" if config.get("kind") == "slow" else "Mail"}
    def main(self):
        return {"to": len(self.sender.to)}

class Outer(Runner):
    inner: Pipeline
    sender: Sender | None
    kind: str = "fast"
    @classmethod
    def default_parts(cls, config):
        return {"inner": "Inner"}
    def main(self):
        return self.inner.main()

class Sharing(Outer):
    @classmethod
    def default_parts(cls, config):
        return {"inner": "Inner", "sender": "Post"}
"""


@pytest.fixture
def site(bench: Workbench) -> Workbench:
    bench.write("components/parts.py", PARTS)
    bench.write("pipelines/more.py", "from components.parts import Inner\n")
    return bench


def kinds(runner: Runner) -> list[str]:
    return [f"{'.'.join(part.address)}:{part.kind.__name__}" for part in runner.plan.root.walk() if part.kind]


def test_where_nothing_is_declared_the_default_stands(site: Workbench) -> None:
    runner = site.load("runner: Outer")
    assert kinds(runner) == [":Outer", "inner:Inner", "inner.sender:Mail"]
    assert runner.main() == {"to": 3}
    assert runner.sender is None
    assert [part.origin for part in runner.plan.root.walk()] == ["", "default of Outer", "default of Inner"]


def test_what_is_declared_or_left_out_comes_first_also_further_out(site: Workbench) -> None:
    assert kinds(site.load("{runner: Outer, component: {sender: Post}}"))[1:] == ["sender:Post", "inner:Inner"]
    declared = site.load("{runner: Outer, pipeline: {inner: Inner}, inner: {component: {sender: Post}}}")
    assert kinds(declared)[1:] == ["inner:Inner", "inner.sender:Post"]
    assert site.faults("{runner: Outer, component: {sender: none}}") == [
        "w0.yaml:1:10: Inner needs sender, a Sender (it is left out with `none`): declare one under `component:`"
    ]


def test_an_outer_default_is_seen_by_those_within(site: Workbench) -> None:
    runner = site.load("runner: Sharing")
    assert kinds(runner) == [":Sharing", "sender:Post", "inner:Inner"]
    assert runner.inner.sender is runner.sender


def test_a_default_is_chosen_by_the_configuration_and_by_what_classes_further_out_say(site: Workbench) -> None:
    assert kinds(site.load("runner: Outer", "config: {kind: slow}"))[-1] == "inner.sender:Post"
    assert kinds(site.load("runner: Outer", settings=["kind=slow"]))[-1] == "inner.sender:Post"
    assert site.load("runner: Outer").inner.kind == "fast"  # None of the inner class says nothing


def test_its_values_have_addresses_sections_links_and_versions(site: Workbench) -> None:
    linked = "{runner: Outer, config: {name: someone}, inner: {sender: {config: {to: $config.name}}}}"
    assert site.load(linked).inner.sender.to == "someone"
    runner = site.load("{runner: Outer, versions: {long: {inner__sender__to: everybody}}}")
    runner.current_version = runner.versions["long"]
    assert runner.main() == {"to": 9}
    assert site.load("runner: Outer", settings=["inner.sender.to=me"]).main() == {"to": 2}


def test_faults_of_it_are_told_as_those_of_what_is_declared(site: Workbench) -> None:
    assert site.faults("runner: Outer", "inner: {sender: {config: {too: x}}}") == [
        "w1.yaml:1:32: nobody reads the key 'too' of inner.sender. Did you mean 'to'?"
    ]
    assert site.faults("{runner: Outer, component: [Mail]}") == [
        "w0.yaml:1:28: component is no mapping: write `name: Class` below it"
    ]


def test_a_default_that_there_is_not_is_told_with_what_is_near(site: Workbench) -> None:
    site.write("components/parts.py", PARTS.replace('else "Mail"', 'else "Male"'))
    with pytest.raises(ConfigurationError, match=r"there is no component 'Male'. Did you mean 'Mail'\?"):
        site.load("runner: Outer")


def test_a_default_of_a_class_whose_file_cannot_be_read_says_why(site: Workbench) -> None:
    site.write("components/parts.py", PARTS.replace('else "Mail"', 'else "Broken"'))
    site.write(
        "components/broken.py",
        "from components.parts import Sender\nimport nothing_like_it\nclass Broken(Sender): ...\n",
    )
    with pytest.raises(ConfigurationError, match="No module named 'nothing_like_it'"):
        site.load("runner: Outer")
