"""Who asks stands in a comment that nothing can break out of."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

from hypothesis import given
from hypothesis import strategies as st

from mlpipeline.data import annotate


def test_the_comment_is_that_of_sqlcommenter() -> None:
    found = annotate.comment(caller="models/a.py:3 in get_data", application="churn", extract="")
    assert found == "/*application='churn',caller='models%2Fa.py%3A3%20in%20get_data'*/"
    assert annotate.comment(extract="") == ""


@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_no_value_can_end_the_comment(value: str) -> None:
    found = annotate.comment(application=value)
    inside = found.removeprefix("/*application='").removesuffix("'*/")
    assert not set(inside) & set("'*/% ".replace("%", ""))
    assert unquote(inside) == value


def test_the_caller_is_who_asked_and_not_this_package() -> None:
    here = Path(__file__).resolve()
    found = annotate.caller(here.parent)
    assert found.startswith("test_annotate.py:")
    assert found.endswith(" in test_the_caller_is_who_asked_and_not_this_package")
    assert annotate.caller(Path("/elsewhere")).startswith("test_annotate.py:")
