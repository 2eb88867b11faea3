"""Sessions that outlive a dashboard, and the key that signs them."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.requests import Request

from mlpipeline.dashboard import access, sessions

KEY = b"k" * 32


def test_a_session_is_known_to_the_next_dashboard_of_the_project() -> None:
    cookie = sessions.Sessions(KEY).begin()
    assert sessions.Sessions(KEY).knows(cookie)
    assert not sessions.Sessions(b"o" * 32).knows(cookie)
    assert cookie != sessions.Sessions(KEY).begin()


def test_a_session_ends_after_a_month() -> None:
    now = [1000.0]
    found = sessions.Sessions(KEY, clock=lambda: now[0])
    cookie = found.begin()
    now[0] += sessions.SECONDS - 1
    assert found.knows(cookie)
    now[0] += 1
    assert not found.knows(cookie)


def test_a_session_that_only_looks_does_no_more_elsewhere() -> None:
    looks, asks = sessions.Sessions(KEY, is_read_only=True), sessions.Sessions(KEY)
    assert looks.knows(looks.begin())
    assert looks.knows(asks.begin())
    assert not asks.knows(looks.begin())


@pytest.mark.parametrize("changed", ["ask.9999999999.x", "", ".", "a.b", "ä\udc80.x", "look"])
def test_what_was_not_signed_is_no_session(changed: str) -> None:
    found = sessions.Sessions(KEY)
    signature = found.begin().rpartition(".")[2]
    assert not found.knows(changed)
    assert not found.knows(f"{changed}.{signature}")
    assert not found.knows(found.begin().replace("ask", "look", 1))


def test_the_key_is_kept_where_only_the_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "private" / "dashboard.key"
    key = sessions.key_of(path)
    assert (len(key), path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (32, 0o600, 0o700)
    assert sessions.key_of(path) == key
    assert [each.name for each in path.parent.iterdir()] == ["dashboard.key"]


@pytest.mark.parametrize("spoil", ["readable", "short", "link"])
def test_a_key_that_others_may_know_is_not_believed(tmp_path: Path, spoil: str) -> None:
    path = tmp_path / "dashboard.key"
    path.write_bytes(KEY)
    path.chmod(0o600)
    assert sessions.key_of(path) == KEY
    if spoil == "readable":
        path.chmod(0o640)
    elif spoil == "short":
        path.write_bytes(KEY[:-1])
    else:
        path.rename(tmp_path / "elsewhere")
        path.symlink_to(tmp_path / "elsewhere")
    key = sessions.key_of(path)
    assert key != KEY
    assert sessions.key_of(path) == key


def test_without_a_place_for_it_the_key_is_of_this_process(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "dashboard.key"
    assert sessions.key_of(path) != sessions.key_of(path)


def test_a_link_of_a_dashboard_before_is_none_of_the_next_one() -> None:
    before, after = (access.Access(port=1, key=KEY) for _ in range(2))
    link = before.new_link()
    cookie = before.redeem(link)
    with pytest.raises(access.Refusal):
        after.redeem(link)
    request = Request({"type": "http", "headers": [(b"cookie", f"{after.cookie}={cookie}".encode())]})
    assert after.has_session(request)
    assert not access.Access(port=1).has_session(request)
