"""[NOTIFY]: what it says is read with file and line, and no secret of it is ever shown."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mlpipeline.errors import ConfigurationError
from mlpipeline.observe import messenger
from mlpipeline.project import Project

HTTP = b"HTTP/1.1 "
SECRET = "https://hooks.example.org/T0/secret"


def read(root: Path, *lines: str) -> messenger.Wanted:
    (root / "mlp.config").write_text("\n".join(["[MLP]", "slots = 2", "[NOTIFY]", *lines, ""]))
    return messenger.wanted(Project.load(root), {"HOOK": SECRET})


def test_a_section_is_read(tmp_path: Path) -> None:
    found = read(
        tmp_path, "webhook = $HOOK", "urls = json://localhost mailto://a@b.c", "on = failed, lost", "every = 5m"
    )
    assert found == messenger.Wanted(
        webhook=SECRET, urls=("json://localhost", "mailto://a@b.c"), on=("failed", "lost"), every=300.0
    )
    assert "secret" not in repr(found)


def test_an_empty_section_notifies_nobody(tmp_path: Path) -> None:
    assert not read(tmp_path)
    (tmp_path / "mlp.config").unlink()
    assert not messenger.wanted(Project.load(tmp_path))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("webhok = x", "mlp.config:4: unknown key 'webhok'. Did you mean 'webhook'?"),
        ("webhook = ftp://x", "mlp.config:4: webhook: must be a URL that begins with https:// or http://"),
        ("webhook = ${NOBODY}", "mlp.config:4: webhook: $NOBODY is not set in the environment"),
        ("urls = json://a b", "mlp.config:4: urls: number 2 is no URL"),
        ("on = failed later", "mlp.config:4: on: 'later' is none of empty, failed, lost, stalled, best, gone"),
        ("every = often", "mlp.config:4: every: a number of seconds is needed"),
    ],
)
def test_a_fault_is_told_with_file_and_line(tmp_path: Path, line: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=r"mlp\.config:4") as caught:
        read(tmp_path, line)
    assert told in str(caught.value)


def answered(answer: Callable[[socket.socket], None], *, scheme: str = "http", longest: float = 20) -> str:
    """Returns what is said of a server that treats its first connection like this."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1 << 16)
                answer(connection)

        threading.Thread(target=serve, daemon=True).start()
        place = messenger.Place("the hook", f"{scheme}://127.0.0.1:{server.getsockname()[1]}/T0/secret")
        return messenger.send(place, {"title": "t", "body": "b"}, longest=longest)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"204 No Content\r\n\r\n", ""),
        (b"500 Oh\r\n\r\n", "the hook answered 500"),
        (b"302 There\r\nLocation: http://127.0.0.1:9/T0/secret\r\n\r\n", "the hook answered 302: it has moved"),
        (b"nonsense", "the hook cannot be reached: "),
    ],
)
def test_what_a_server_answers_is_said_in_words(answer: bytes, told: str) -> None:
    said = answered(lambda connection: connection.sendall(HTTP + answer))
    assert said.startswith(told)
    assert bool(said) == bool(told)
    assert "secret" not in said


def test_a_server_that_never_ends_its_answer_is_not_waited_for() -> None:
    over = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.sendall(HTTP + b"200 OK\r\n")
        while not over.wait(0.01):
            connection.sendall(b"x")

    began = time.monotonic()
    try:
        assert answered(drip, longest=0.3) == "the hook did not answer within 0 s"
    finally:
        over.set()
    assert time.monotonic() - began < 10


def test_a_server_that_speaks_no_tls_cannot_be_reached() -> None:
    said = answered(lambda connection: connection.sendall(HTTP + b"200 OK\r\n\r\n"), scheme="https")
    assert said.startswith("the hook cannot be reached: ")
    assert "secret" not in said


def test_places_are_named_without_secrets_and_apart() -> None:
    wanted = messenger.Wanted(webhook=SECRET, urls=("json://secret/a", "tgram://secret", "json://secret/b"))
    names = [place.name for place in wanted.places()]
    assert names == [
        "the webhook at hooks.example.org",
        "json:// (number 1 of urls)",
        "tgram://",
        "json:// (number 3 of urls)",
    ]
    assert "secret" not in repr(wanted.places())
