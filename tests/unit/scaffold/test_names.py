"""Names: written in any case, and refused where they cannot be names."""

from __future__ import annotations

import keyword

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpipeline.errors import UsageError
from mlpipeline.scaffold.names import Name


@pytest.mark.parametrize("text", ["my-trainer", "my_trainer", "MyTrainer", "My-Trainer", "MY_TRAINER", "myTrainer"])
def test_a_name_may_be_written_in_any_case(text: str) -> None:
    name = Name.read(text)
    assert (name.module, name.command, name.title) == ("my_trainer", "my-trainer", "My trainer")
    assert name.kind.lower() == "mytrainer"


@pytest.mark.parametrize(
    ("text", "module", "kind"),
    [
        ("XGBTrainer", "xgb_trainer", "XGBTrainer"),
        ("CatBoost2Trainer", "cat_boost2_trainer", "CatBoost2Trainer"),
        ("k8s-deployer", "k8s_deployer", "K8sDeployer"),
        ("x", "x", "X"),
    ],
)
def test_a_class_is_called_as_it_was_typed(text: str, module: str, kind: str) -> None:
    name = Name.read(text)
    assert (name.module, name.kind) == (module, kind)


@pytest.mark.parametrize(
    "text",
    ["", "1st", "a.b", "a/b", "../a", "a b", "_a", "a_", "a--b", "-a", "a\n", "ä", "a" * 101, "class", "None", "none"],
)
def test_what_is_no_name_is_refused_with_what_to_do(text: str) -> None:
    with pytest.raises(UsageError, match=r"is no name|choose another name"):
        Name.read(text)


@given(st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,8}([_-][A-Za-z0-9]{1,8}){0,3}", fullmatch=True))
def test_every_name_that_is_taken_is_that_of_a_module_and_of_a_class(text: str) -> None:
    try:
        name = Name.read(text)
    except UsageError:
        return
    for each in (name.module, name.kind):
        assert each.isidentifier()
        assert not keyword.iskeyword(each)
    assert name.module == name.module.lower()
    assert name.kind[0].isupper()
    assert Name.read(name.module).module == name.module
    assert Name.read(name.command).module == name.module
