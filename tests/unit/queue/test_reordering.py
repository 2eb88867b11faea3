"""A models config in another order: lines move with their comments, and every other byte stays."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpipeline import selection
from mlpipeline.errors import RequestRefused
from mlpipeline.project import Project
from mlpipeline.queue import reordering, revisions

CONFIG = """# what this is for
[MLP]
use_blacklist = false

[WHITELISTED_MODELS]
# first things
a.py   # fast
# the long one
#   it needs a GPU
b.py = gpus=1

; a pause
c.py
[BLACKLISTED_MODELS]
z.py
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "models").mkdir()
    for name in "abc":
        (tmp_path / "models" / f"{name}.py").write_text("")
    (tmp_path / "mlp.config").write_text("")
    (tmp_path / "models.config").write_text(CONFIG)
    return Project.load(tmp_path)


def move(project: Project, *order: str) -> list[str]:
    return reordering.reorder(project, order, selection.read(project, test=False).digest)


def test_comments_move_with_the_line_below_them(project: Project) -> None:
    (project.models_config).chmod(0o640)
    assert move(project, "b.py", "c.py", "a.py")
    assert project.models_config.read_text() == CONFIG.replace(
        """a.py   # fast
# the long one
#   it needs a GPU
b.py = gpus=1

; a pause
c.py
""",
        """# the long one
#   it needs a GPU
b.py = gpus=1
; a pause
c.py

a.py   # fast
""",
    )
    assert project.models_config.stat().st_mode & 0o777 == 0o640


def test_it_is_a_revision_and_can_be_undone(project: Project) -> None:
    move(project, "c.py", "b.py", "a.py")
    assert len(revisions.kept(project)) == 2
    revisions.undo(project)
    assert project.models_config.read_text() == CONFIG


@pytest.mark.parametrize("order", [["a.py"], ["a.py", "b.py", "b.py"], ["a.py", "b.py", "c.py", "d.py"], []])
def test_another_list_is_refused(project: Project, order: list[str]) -> None:
    with pytest.raises(RequestRefused, match="not the models"):
        move(project, *order)
    assert project.models_config.read_text() == CONFIG
    assert revisions.kept(project) == []


def test_a_list_that_was_edited_meanwhile_is_not_overwritten(project: Project) -> None:
    digest = selection.read(project, test=False).digest
    edited = CONFIG.replace("a.py   # fast", "a.py   # slow")
    project.models_config.write_text(edited)
    with pytest.raises(RequestRefused, match="edited meanwhile"):
        reordering.reorder(project, ["c.py", "b.py", "a.py"], digest)
    assert project.models_config.read_text() == edited


def test_a_blacklist_has_no_order(project: Project) -> None:
    project.models_config.write_text(CONFIG.replace("use_blacklist = false", "use_blacklist = true"))
    with pytest.raises(RequestRefused, match="blacklist"):
        move(project, "a.py", "b.py", "c.py")


@given(
    before=st.lists(st.sampled_from(["", "# note", "; other"]), max_size=3),
    gaps=st.lists(st.sampled_from(["", "\n", "# of it\n", "\n# of it\n\n", "# one\n# two\n"]), min_size=5, max_size=5),
    order=st.permutations(range(5)),
    end=st.sampled_from(["", "\n", "\r\n", "\n\n# the end"]),
)
def test_nothing_is_lost_and_the_order_is_as_asked(
    before: list[str], gaps: list[str], order: list[int], end: str
) -> None:
    names = [f"m{number}.py" for number in range(5)]
    text = "".join(f"{line}\n" for line in [*before, "[WHITELISTED_MODELS]"])
    lines = []
    for gap, name in zip(gaps, names, strict=True):
        text += gap
        lines.append(text.count("\n") + 1)
        text += name + "\n"
    text = text[:-1] + end
    found = reordering.reordered(text.encode(), lines, [lines[each] for each in order]).decode()
    assert [line for line in found.splitlines() if line.endswith(".py")] == [names[each] for each in order]
    assert sorted(found.splitlines()) == sorted(text.splitlines())
    assert len(found) == len(text)
    back = [number for number, line in enumerate(found.split("\n"), 1) if line.strip().endswith(".py")]
    if order == [0, 1, 2, 3, 4]:
        assert found == text
    assert len(back) == 5
