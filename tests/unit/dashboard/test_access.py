"""Who may look at a dashboard, and who may change something through it."""

from __future__ import annotations

import pytest

from mlpipeline import requests
from mlpipeline.project import Project

from .conftest import PORT, Ask

access = pytest.importorskip("mlpipeline.dashboard.access")
refusal = pytest.importorskip("mlpipeline.dashboard.refusal")

PAGES = ("/", "/compare", "/models", "/machine", "/runs/20261121-040406-aaaaaa", "/metrics", "/machine/samples")
HOLD = {"target": "digits.py"}


def test_a_link_works_once() -> None:
    found = access.Access(port=PORT)
    first, second = found.new_link(), found.new_link()
    session = found.redeem(first)
    assert session != first
    with pytest.raises(refusal.Refusal, match="has been used"):
        found.redeem(first)
    assert found.redeem(second) != session
    for wrong in ("", "x", "ä\udc80"):
        with pytest.raises(refusal.Refusal):
            found.redeem(wrong)


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_shown_without_a_session(ask: Ask, path: str) -> None:
    found = ask("GET", path, is_open=False)
    assert found.status_code == 401
    assert "digits" not in found.text
    assert ask("GET", path).status_code == 200


def test_a_program_with_the_token_may_look_and_not_ask(ask: Ask, project: Project) -> None:
    headers = {"authorization": "Bearer program"}
    assert "mlpipeline_runs" in ask("GET", "/metrics", is_open=False, headers=headers).text
    assert ask("GET", "/metrics", is_open=False, headers={"authorization": "Bearer x"}).status_code == 401
    assert ask("POST", "/actions/hold", is_open=False, headers=headers, json=HOLD).status_code == 401
    assert requests.pending(project) == []


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8320", "", "10.0.0.1"]
)
def test_another_name_is_not_answered(ask: Ask, host: str) -> None:
    found = ask("GET", "/", headers={"host": host or "nowhere"})
    assert found.status_code == 421
    assert "digits" not in found.text


def test_a_public_one_is_called_by_number_or_its_own_name_only(ask: Ask) -> None:
    names = frozenset({"gpu7"})
    for host, status in (("10.0.0.1:8320", 200), ("gpu7:8320", 200), ("evil.example:8320", 421)):
        assert ask("GET", "/", names=names, headers={"host": host}).status_code == status


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": ""},
        {"origin": "null"},
        {"origin": "http://evil.example"},
        {"origin": "http://127.0.0.1:8321"},
        {"origin": "https://127.0.0.1:8320"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site"},
    ],
)
@pytest.mark.parametrize("path", ["/actions/hold", "/order", "/order/undo", "/link", "/session"])
def test_a_change_is_asked_from_a_page_of_the_dashboard_only(
    ask: Ask, project: Project, headers: dict[str, str], path: str
) -> None:
    before = project.models_config.read_bytes()
    assert ask("POST", path, headers=headers, json=HOLD).status_code == 403
    assert requests.pending(project) == []
    assert project.models_config.read_bytes() == before


@pytest.mark.parametrize("path", ["/actions/hold", "/order", "/order/undo", "/link", "/session"])
def test_no_effect_has_a_get(ask: Ask, project: Project, path: str) -> None:
    assert ask("GET", path, params=HOLD).status_code in (404, 405)
    assert requests.pending(project) == []


def test_a_form_of_another_site_cannot_speak_its_language(ask: Ask, project: Project) -> None:
    assert (
        ask(
            "POST", "/actions/hold", content=b'{"target": "digits.py"}', headers={"content-type": "text/plain"}
        ).status_code
        == 415
    )
    assert ask("POST", "/actions/hold", data=HOLD).status_code == 415
    assert requests.pending(project) == []
    assert ask("POST", "/actions/hold", json=HOLD).json()["state"] == "accepted"
    assert [each.target for each in requests.pending(project)] == ["digits.py"]


def test_read_only_changes_nothing_and_shows_no_button(ask: Ask, project: Project) -> None:
    for path in ("/actions/hold", "/order", "/order/undo", "/link"):
        assert ask("POST", path, is_read_only=True, json=HOLD).status_code == 403
    assert requests.pending(project) == []
    for path in PAGES[:5]:
        page = ask("GET", path, is_read_only=True).text
        assert "data-action" not in page
        assert "data-move" not in page
        assert "data-form" not in page
    assert "data-action" in ask("GET", "/").text


def test_pages_may_load_nothing_from_elsewhere(ask: Ask) -> None:
    for path in (*PAGES, "/static/page.js", "/nothing"):
        headers = ask("GET", path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"


def test_the_cookie_is_for_this_server_alone(ask: Ask) -> None:
    assert ask("POST", "/session", is_open=False, json={"token": "x"}).status_code == 401
    found = access.Access(port=1)
    assert found.cookie != access.Access(port=2).cookie
