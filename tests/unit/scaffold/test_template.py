"""Templates: variables in names and contents, faults with file and line, and copier's where there is a copier.yml."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mlpipeline.errors import MlpipelineError
from mlpipeline.scaffold.template import Template

Made = Callable[[dict[str, str]], Template]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    def make(files: dict[str, str]) -> Template:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        return Template(name="mine", directory=tmp_path, where="here")

    return make


def test_variables_are_filled_in_names_and_in_contents(made: Made) -> None:
    template = made({"{{ place }}/{{name}}.py.jinja": "x = '{{ name }}{{name}}'\n"})
    assert template.render({"name": "a", "place": "lib"}) == {"lib/a.py": b"x = 'aa'\n"}


def test_other_files_are_copied_as_they_are_and_leftovers_are_left_out(made: Made, tmp_path: Path) -> None:
    template = made({"data.csv": "{{ no_variable }}", "__pycache__/x.pyc": "", ".git/config": "", ".hidden.jinja": "h"})
    (tmp_path / "picture.png").write_bytes(b"\x89\xff")
    assert template.render({}) == {"data.csv": b"{{ no_variable }}", "picture.png": b"\x89\xff", ".hidden": b"h"}


def test_an_unknown_variable_is_told_with_file_and_line(made: Made) -> None:
    template = made({"a.py.jinja": "1\n2 {{ clas_name }}\n"})
    with pytest.raises(MlpipelineError, match=r"a\.py\.jinja:2: .*'clas_name'.*Did you mean 'class_name'"):
        template.render({"class_name": "X"})


def test_all_of_jinja_is_known_and_a_fault_is_told_with_file_and_line(made: Made) -> None:
    text = "{% if x == '1' %}one{% else %}more{% endif %}\n{{ x | upper }}\n"
    assert made({"a.txt.jinja": text}).render({"x": "1"}) == {"a.txt": b"one\n1\n"}
    with pytest.raises(MlpipelineError, match=r"a\.txt\.jinja:2: .*endif.*: mend the template"):
        made({"a.txt.jinja": "\n{% if x %}"}).render({"x": "1"})
    with pytest.raises(MlpipelineError, match=r"a\.txt\.jinja: .*has no attribute 'y'"):
        made({"a.txt.jinja": "{{ x.y }}"}).render({"x": "1"})


def test_layers_lie_below_the_template_and_each_over_the_one_before(made: Made, tmp_path: Path) -> None:
    template = made({"own/a": "own", "one/a": "one", "one/b": "one", "two/b": "two", "two/c": "two"})
    layered = replace(template, directory=tmp_path / "own", layers=(tmp_path / "one", tmp_path / "two"))
    assert layered.render({}) == {"a": b"own", "b": b"two", "c": b"two"}


def test_a_template_without_files_is_told(made: Made) -> None:
    with pytest.raises(MlpipelineError, match="has no files"):
        made({}).render({})


def test_with_a_copier_yml_copier_renders_and_runs_nothing(made: Made, tmp_path: Path) -> None:
    pytest.importorskip("copier", reason="copier is not installed: pip install 'mlpipeline[templates]'")
    ran = tmp_path.parent / "ran"
    template = made(
        {
            "copier.yml": f"class_name: {{type: str}}\ncolor: {{type: str, default: red}}\n_tasks: ['touch {ran}']\n",
            "{{ class_name }}.txt.jinja": "{% for each in [1, 2] %}{{ each }} {{ color }} {% endfor %}",
        }
    )
    assert template.render({"class_name": "Mine"}) == {"Mine.txt": b"1 red 2 red "}
    assert not ran.exists()


def test_a_fault_of_a_copier_template_is_told(made: Made) -> None:
    pytest.importorskip("copier", reason="copier is not installed: pip install 'mlpipeline[templates]'")
    with pytest.raises(MlpipelineError, match="template mine: "):
        made({"copier.yml": "a: [", "x.jinja": ""}).render({})
