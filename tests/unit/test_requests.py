"""Requests: durable before they are accepted, answered once, harmless when damaged."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpipeline import requests
from mlpipeline.errors import NotWritable, RequestRefused
from mlpipeline.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "mlp.config").write_text("[MLP]\nhost = here\n")
    return Project.load(tmp_path)


def test_a_request_is_found_pending_with_all_that_was_said(project: Project) -> None:
    identity = requests.submit(project, "stop", options={"now": True})
    (found,) = requests.pending(project)
    assert (found.id, found.action, found.target, found.options) == (identity, requests.Action.STOP, "", {"now": True})
    assert found.by


def test_only_the_owner_may_ask(project: Project) -> None:
    requests.submit(project, "retry", "run")
    assert stat.S_IMODE(project.requests_dir.stat().st_mode) == 0o700


def test_an_answered_request_is_not_pending_and_its_answer_is_kept(project: Project) -> None:
    identity = requests.submit(project, "cancel", "run")
    (found,) = requests.pending(project)
    requests.answer(project, found, requests.answered(found, False, "it has ended"))
    answer = requests.wait_answer(project, identity, timeout=0)
    assert answer is not None
    assert (answer.ok, answer.message, answer.request) == (False, "it has ended", found)
    assert requests.pending(project) == []


def test_a_crash_between_answer_and_removal_does_not_carry_it_out_twice(project: Project) -> None:
    identity = requests.submit(project, "cancel", "run")
    path = project.requests_dir / f"{identity}.json"
    content = path.read_bytes()
    requests.answer(
        project, requests.pending(project)[0], requests.answered(requests.pending(project)[0], True, "done")
    )
    path.write_bytes(content)
    assert requests.pending(project) == []


def test_requests_come_in_the_order_of_asking(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(10**18, 10**18 + 10**9, 10**7))
    monkeypatch.setattr("time.time_ns", lambda: next(clock))
    asked = [requests.submit(project, "retry", str(number)) for number in range(9)]
    assert [each.id for each in requests.pending(project)] == asked


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"id": 1}', b'{"id":"a","action":"explode","target":"","at":""}']
)
def test_damaged_and_unknown_files_are_passed_over(project: Project, content: bytes) -> None:
    project.requests_dir.mkdir(parents=True)
    name = requests.new_id(1, bytes(10))
    (project.requests_dir / f"{name}.json").write_bytes(content)
    (project.requests_dir / "notes.txt").write_bytes(content)
    assert requests.pending(project) == []


def test_an_unknown_action_is_refused(project: Project) -> None:
    with pytest.raises(RequestRefused, match="choose one of cancel"):
        requests.submit(project, "explode")


def test_without_an_answer_waiting_ends(project: Project) -> None:
    assert requests.wait_answer(project, requests.submit(project, "stop"), timeout=0) is None


def test_a_place_that_cannot_be_written_is_said(project: Project) -> None:
    project.requests_dir.parent.mkdir(parents=True)
    project.requests_dir.write_text("in the way")
    with pytest.raises(NotWritable, match=r"cannot be written \(File exists\): mend its permissions or the disk"):
        requests.submit(project, "stop")


def test_old_answers_are_forgotten_and_new_ones_kept(project: Project) -> None:
    identity = requests.submit(project, "stop")
    requests.answer(
        project, requests.pending(project)[0], requests.answered(requests.pending(project)[0], True, "stopping")
    )
    now = datetime.now(UTC)
    assert requests.forget_old(project, now) == 0
    assert requests.forget_old(project, now + timedelta(days=31)) == 1
    assert requests.read_answer(project, identity) is None


@given(st.lists(st.integers(0, 2**48 - 1), min_size=2), st.binary(min_size=10, max_size=10))
def test_ids_sort_by_time_and_have_one_length(times: list[int], randomness: bytes) -> None:
    made = [requests.new_id(each, randomness) for each in times]
    assert sorted(made) == [requests.new_id(each, randomness) for each in sorted(times)]
    assert {len(each) for each in made} == {26}
