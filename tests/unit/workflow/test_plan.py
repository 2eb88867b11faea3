"""From files to a plan: everything that may be wrong is told, at once, with its place."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest

from mlpipeline.workflow import Runner, load

from .conftest import WORKFLOW, Workbench


def test_the_parts_are_attributes_by_their_names(bench: Workbench) -> None:
    runner = bench.load()
    assert type(runner).__name__ == "My"
    assert runner.train.trainer.address == "train.trainer"
    assert runner.train.trainer.parent is runner.train
    assert runner.train.parent is runner
    assert runner.train.notifier is None
    assert runner.main() == {"mean": 2}


def test_all_that_is_missing_is_told_at_once(bench: Workbench) -> None:
    found = bench.faults("pipeline: {train: Train, again: Train}\n")
    assert [each.partition(": ")[2].split(":")[0] for each in found] == [
        "Train needs trainer, a Trainer", "Train needs the key 'rows'",
        "Train needs trainer, a Trainer", "Train needs the key 'rows'",
    ]  # fmt: skip
    assert found[0].startswith("w0.yaml:1:19: ")
    assert "MLP_ROWS in the environment" in found[1]


def test_the_environment_meets_a_need_in_validation_as_in_look_up(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLP_ROWS", "[4, 6]")
    assert bench.load("pipeline: {train: Train}\ncomponent: {trainer: Mean}\n").train.train_model() == {"mean": 5}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("train: {component: {trainer: Meen}}", "there is no component 'Meen'. Did you mean 'Mean'?"),
        ("train: {component: {trainer: Trainer}}", "Trainer has no fit(self, data): define it"),
        ("train: {component: {trainer: Train}}", "Train is no component: derive it from mlpipeline.workflow.Component"),
        ("train: {component: {trainer: Printer}}", "Train needs trainer to be a Trainer, and Printer is none"),
        ("train: {component: {trainer: none}}", "Train needs trainer, a Trainer (it is left out with `none`)"),
        ("train: {component: {trainer: null}}", "names no component: write the name of a class, or none"),
        ("train: {component: {trainer: ''}}", "names no component"),
        ("train: {component: {trainer: 3}}", "names no component"),
        ("train: {component: {trainer: {a: 1}}}", "names no component"),
        ("train: {component: [Mean]}", "component is no mapping"),
        ("train: {trainer: {config: {epochs: two}}}", "epochs is 'two': Mean takes a whole number"),
        ("train: {trainer: {config: {epochs: null}}}", "epochs is None: Mean takes a whole number"),
        ("train: {trainer: {config: {epoch: 2}}}", "reads the key 'epoch' of train.trainer. Did you mean 'epochs'?"),
        ("config: {row: [1]}", "nobody reads the key 'row' of runner. Did you mean 'rows'?"),
        ("train: {trainer: {config: {params: {dept: 2}}}}", "there is no 'dept'. Did you mean 'depth'?"),
        ("train: {trainer: {confg: {}}}", "'confg' means nothing in train.trainer. Did you mean 'config'?"),
        ("train: {config: [1]}", "config is no mapping"),
        ("train: [1]", "train is the section of a pipeline"),
        ("trian: {}", "'trian' means nothing in runner. Did you mean 'train'?"),
        ("runer: My", "'runer' means nothing in runner. Did you mean 'runner'?"),
        ("train_rows: 3", "'train_rows' means nothing in runner. Values belong under `config:`, parts are declared"),
        ("train: {trainer: {epochs: 3}}", "'epochs' means nothing in train.trainer. Values belong under `config:`"),
        ("train: {config: {trainr: 3}}", "nobody reads the key 'trainr' of train. Did you mean 'trainer'?"),
        ("component: {extra: OfflineTrain}", "is no component but a pipeline: declare it under `pipeline:`"),
        ("train: {pipeline: {x: Train}}", "'pipeline' means nothing in train"),
        ("component: {train: Mean}", "'train': is declared twice here"),
        ("component: {a.b: Mean}", "'a.b': it becomes an attribute"),
        ("component: {a/b: Mean}", "'a/b': it becomes an attribute"),
        ("component: {class: Mean}", "'class': it becomes an attribute"),
        ("component: {config: Mean}", "'config': that word means something else"),
        ("component: {versions: Mean}", "'versions': that word means something else"),
        ("component: {main: Mean}", "'main': My has a main of its own"),
        ("component: {run: Mean}", "'run': My has a run of its own"),
        ("runner: Mean", "Mean is no runner"),
        ("plugin_paths: [nowhere]", "plugin_paths: there is no 'nowhere'"),
        ("plugin_paths: [3]", "plugin_paths takes paths"),
        ("component: {x: components.parts.Men}", "no component 'Men' in components.parts. Did you mean 'Mean'?"),
        ("component: {x: 'no.such.module:Men'}", "'no.such.module:Men' cannot be loaded: ModuleNotFoundError"),
        ("component: {x: 'json:dumps'}", "component 'json:dumps' is no class but a function"),
        ("versions: [a]", "versions is a mapping"),
        ("versions: {a: 3}", "a mapping of addresses to values is needed"),
        ("versions: {a: {name: 3}}", "a parameter cannot be called 'name'"),
        ("integration_framework: [a]", "integration_framework holds levels in levels"),
        ("integration_framework: {a: , b: }", "integration_framework has a, b at its top"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_place_and_what_was_meant(bench: Workbench, change: str, told: str) -> None:
    found = bench.faults(WORKFLOW, f"{change}\n")
    (line,) = [each for each in found if told in each]
    assert re.match(r"w1.yaml:1:\d+: ", line) or ("needs trainer" in line or "twice" in line)


def test_faults_come_in_the_order_of_lines_and_once(bench: Workbench) -> None:
    found = bench.faults(
        WORKFLOW, "config: {c: 1, b: $nothing}\ntrain:\n  x: 1\n  trainer: {config: {epochs: $nothing}}\n"
    )
    assert [each.split(": ")[0] for each in found] == [
        "w1.yaml:1:13",
        "w1.yaml:1:19",
        "w1.yaml:1:19",
        "w1.yaml:3:6",
        "w1.yaml:4:30",
    ]


def test_the_real_cause_of_a_failed_import_is_told(bench: Workbench) -> None:
    bench.write("components/broken.py", "import nosuchmodule\nclass Broken: ...\n")
    bench.write("components/syntax.py", "class Odd:\n  def x(:\n")
    bench.write("components/leaves.py", "class Leaves: ...\nraise SystemExit(3)\n")
    base = "component: {x: CLASS}\n"
    (told,) = bench.faults(base.replace("CLASS", "Broken"))
    assert (
        "'Broken' cannot be loaded: components/broken.py:1: ModuleNotFoundError: No module named 'nosuchmodule'" in told
    )
    (told,) = bench.faults(base.replace("CLASS", "Odd"))
    assert "there is no component 'Odd'." in told
    assert "It may be in a file that cannot be read: components/syntax.py:2: SyntaxError" in told
    (told,) = bench.faults(base.replace("CLASS", "Leaves"))
    assert "components/leaves.py:2: SystemExit: 3" in told


def test_looking_for_a_class_imports_no_other_file(bench: Workbench) -> None:
    bench.write("components/aaa.py", "raise RuntimeError('imported')\nclass Aaa: ...\n")
    assert bench.load().main() == {"mean": 2}


def test_a_class_in_two_files_is_a_fault_that_names_both(bench: Workbench) -> None:
    bench.write("components/more.py", "class Mean: ...\n")
    (told,) = bench.faults(WORKFLOW)
    assert "component 'Mean' is defined in components/more.py and components/parts.py" in told


def test_files_of_the_same_name_do_not_clash(bench: Workbench) -> None:
    for place in ("one", "two", "odd-name"):
        name = place.title().replace("-", "")
        bench.write(f"{place}/part.py", f"from mlpipeline.workflow import Component\nclass {name}(Component): ...\n")
    runner = bench.load("plugin_paths: [one, two/part.py, odd-name]\ncomponent: {a: One, b: Two, c: OddName}\n")
    assert [type(each).__name__ for each in (runner.a, runner.b, runner.c)] == ["One", "Two", "OddName"]


def test_an_installed_class_is_found_by_its_module(bench: Workbench) -> None:
    runner = bench.load(WORKFLOW, "train: {component: {trainer: 'components.parts:Last'}}\n")
    assert runner.main() == {"mean": 3}


def test_a_class_of_the_project_comes_before_one_that_is_registered(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlpipeline import plugins

    registry = plugins.Registry()
    registry.register("component", "Mean", "nowhere:Mean")
    registry.register("component", "Registered", "components.parts:Last")
    registry.register("component", "Broken", "json:nothing")
    monkeypatch.setattr(plugins, "names", registry.names)
    monkeypatch.setattr(plugins, "load", registry.load)
    assert bench.load(WORKFLOW).main() == {"mean": 2}
    assert bench.load(WORKFLOW, "train: {component: {trainer: Registered}}\n").main() == {"mean": 3}
    (told,) = bench.faults(WORKFLOW, "component: {x: Broken}\n")
    assert "component 'Broken' (json:nothing) cannot be loaded: AttributeError" in told
    assert "Did you mean 'Registered'?" in bench.faults(WORKFLOW, "component: {x: Registred}\n")[0]


def test_what_one_pipeline_declares_its_siblings_do_not_see_in_whatever_order(bench: Workbench) -> None:
    for names in (("one", "two"), ("two", "one")):
        pipelines = ", ".join(f"{name}: Train" for name in names)
        (told,) = bench.faults(
            f"pipeline: {{{pipelines}}}\nconfig: {{rows: [1]}}\none: {{component: {{trainer: Mean}}}}\n"
        )
        assert "Train needs trainer" in told
        runner = bench.load(
            f"pipeline: {{{pipelines}}}\nconfig: {{rows: [1]}}\ncomponent: {{trainer: Mean}}\n"
            "one: {component: {trainer: Last, notifier: Printer}}\n"
        )
        assert (type(runner.one.trainer).__name__, type(runner.two.trainer).__name__) == ("Last", "Mean")
        assert (runner.two.trainer is runner.trainer, runner.two.notifier) == (True, None)


def test_a_part_may_stand_before_one_of_its_own_name_further_out(bench: Workbench) -> None:
    bench.write(
        "components/loud.py",
        """
        from components.parts import Notifier
        class Loud(Notifier):
            notifier: Notifier
            def tell(self, text):
                self.notifier.tell(f"{text}!")
        """,
    )
    runner = bench.load(WORKFLOW, "component: {notifier: Printer}\ntrain: {component: {notifier: Loud}}\n")
    runner.main()
    assert runner.notifier.told == ["2.0!"]


def test_none_hides_what_lies_further_out(bench: Workbench) -> None:
    runner = bench.load(WORKFLOW, "component: {notifier: Printer}\ntrain: {component: {notifier: none}}\n")
    assert runner.train.notifier is None
    assert runner.notifier is not None


def test_components_know_one_another_where_they_say_so_and_never_in_a_circle(bench: Workbench) -> None:
    bench.write(
        "components/peers.py",
        """
        from mlpipeline.workflow import Component
        class First(Component):
            def __init__(self):
                self.seen = self.second.value
            second: "Second"
        class Second(Component):
            value: int = 7
        class Left(Component):
            right: "Right"
        class Right(Component):
            left: Left
        """,
    )
    assert bench.load("component: {first: First, second: Second}\n").first.seen == 7
    (told,) = bench.faults("component: {left: Left, right: Right}\n")
    assert "these need one another: left → right → left" in told


def test_custom_levels_are_those_of_the_framework_section(bench: Workbench) -> None:
    bench.write("widgets/w.py", "from mlpipeline.workflow import Part\nclass Gauge(Part):\n    size: int = 3\n")
    text = (
        "integration_framework: {runner: {component: , pipeline: {component: , widget: }}}\n"
        "pipeline: {train: Train}\nconfig: {rows: [1]}\n"
        "train: {component: {trainer: Mean}, widget: {gauge: Gauge}, gauge: {config: {size: 5}}}\n"
    )
    runner = bench.load(text)
    assert (runner.train.gauge.size, runner.train.gauge.address) == (5, "train.gauge")
    assert "'widget' means nothing in runner" in bench.faults(text, "widget: {x: Gauge}\n")[0]


def test_another_name_for_the_runners_level(bench: Workbench) -> None:
    text = (
        "integration_framework: {flow: {stage: {component: }}}\nflow: My\nstage: {train: Train}\nconfig: {rows: [1]}\n"
    )
    runner = bench.load(text, "train: {component: {trainer: Mean}}\n")
    assert runner.main() == {"mean": 1}


def test_a_passed_object_is_never_changed_and_two_builds_are_equal(bench: Workbench) -> None:
    given: dict[str, Any] = {
        "runner": "My",
        "pipeline": {"train": "Train"},
        "config": {"rows": [1, 2], "p": {"rate": 2}},
        "train": {"component": {"trainer": "Mean"}, "trainer": {"config": {"params": "$config.p"}}},
    }
    before = copy.deepcopy(given)
    one, two = load(given), load(given)
    one.train.rows.append(9)
    one.train.trainer.params["rate"] = 9
    assert given == before
    assert (two.train.rows, two.train.trainer.params) == ([1, 2], {"rate": 2})
    assert [part.address for part in one.plan.order] == [part.address for part in two.plan.order]


def test_settings_find_their_way_without_the_level_config(bench: Workbench) -> None:
    runner = bench.load(
        settings=[
            "train.trainer.epochs=3",
            "train.trainer.params.depth=8",
            "rows=[7]",
            "train.component.notifier=Printer",
        ]
    )
    trainer = runner.train.trainer
    assert (trainer.epochs, trainer.params, runner.train.rows) == (3, {"rate": 0.1, "depth": 8}, [7])
    assert type(runner.train.notifier).__name__ == "Printer"
    assert trainer.config.origin("params") == "default of Mean, --set train.trainer.params.depth"


def test_a_setting_that_means_nothing_is_a_fault(bench: Workbench) -> None:
    assert bench.faults(WORKFLOW, settings=["train.trainer.epoch=3"]) == [
        "--set train.trainer.epoch: nobody reads the key 'epoch' of train.trainer. Did you mean 'epochs'?"
    ]
    assert (
        "epochs has no parts, so x cannot be set in it"
        in bench.faults(WORKFLOW, settings=["train.trainer.epochs.x=3"])[0]
    )
    assert "there is no 'dept'" in bench.faults(WORKFLOW, settings=["train.trainer.params.dept=3"])[0]


def test_a_value_that_only_links_read_is_known(bench: Workbench) -> None:
    runner = bench.load(WORKFLOW, "config: {shared: [5], rows: $config.shared}\n")
    assert runner.main() == {"mean": 5}


def test_classes_can_be_links(bench: Workbench) -> None:
    runner = bench.load(WORKFLOW, "config: {which: Last}\ntrain: {component: {trainer: $config.which}}\n")
    assert runner.main() == {"mean": 3}


def test_a_runner_without_a_file_is_a_runner(bench: Workbench) -> None:
    class Bare(Runner):
        size: int = 3

        def main(self) -> int:
            return self.size

    assert Bare().main() == 3
    assert Bare({"config": {"size": 4}}).main() == 4
