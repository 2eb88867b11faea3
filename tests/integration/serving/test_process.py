"""A server as a process: it answers, ends as it should, and survives what its clients do."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.integration.serving.conftest import GENEROUS_SECONDS, ROW, Server, head, received, save, until

Start = Callable[..., Server]
BODY = json.dumps([ROW]).encode()


def test_two_models_answer_differently(start: Start, tmp_path: Path) -> None:
    save(tmp_path / "a", "yes")
    save(tmp_path / "b", "no")
    server = start("votes=a", "others=b")
    assert server.told["models"].keys() == {"votes", "others"}
    assert server.predict("votes") == "yes"
    assert server.predict("others") == "no"
    found = server.client.get("/votes/predict", params=ROW | {"output": "proba"}).json()
    assert dict(zip(found["classes"], found["probabilities"][0], strict=True))["yes"] > 0.5
    assert server.client.get("/").text.count("<article>") == 2


def test_requests_in_flight_are_answered_before_the_end(start: Start, tmp_path: Path) -> None:
    save(tmp_path / "a", "yes")
    server = start("votes=a")
    begun = [server.raw(head(len(BODY)) + BODY[:5]) for _ in range(20)]
    idle = server.raw(b"")
    # The last one was sent last: when it is known, so are the others.
    until(lambda: server.client.get("/healthz").status_code == 200, "an answer")
    server.signal(signal.SIGTERM)
    until(lambda: not server.is_open(), "no new connection")
    for client in begun:
        client.sendall(BODY[5:])
    for client in begun:
        answer = received(client)
        assert answer.startswith(b"HTTP/1.1 200"), answer
        assert b'"predictions": ["yes"]' in answer
        client.close()
    assert received(idle) == b""
    idle.close()
    assert server.wait() == 0


def test_a_second_signal_ends_it_at_once(start: Start, tmp_path: Path) -> None:
    save(tmp_path / "a", "yes")
    server = start("votes=a")
    begun = server.raw(head(len(BODY)) + BODY[:5])
    assert server.predict() == "yes"
    server.signal(signal.SIGTERM)
    until(lambda: not server.is_open(), "no new connection")
    server.signal(signal.SIGTERM)
    assert server.wait() == 128 + signal.SIGTERM
    begun.close()


def test_under_load_every_answer_is_whole_until_the_end(start: Start, tmp_path: Path) -> None:
    save(tmp_path / "a", "yes")
    server = start("votes=a")
    answered, strange, begun = [0], [], threading.Event()

    def ask() -> None:
        with httpx.Client(base_url=server.url, timeout=GENEROUS_SECONDS) as client:
            while True:
                try:
                    found = client.post("/votes/predict", json=[ROW])
                except (httpx.ConnectError, httpx.ReadError, httpx.WriteError):
                    return
                except httpx.RemoteProtocolError as error:
                    # Closed between two requests; what had begun must come whole.
                    if "without sending a response" not in str(error):
                        strange.append(str(error))
                    return
                if found.status_code != 200 or found.json()["predictions"] != ["yes"]:
                    strange.append(found.text)
                answered[0] += 1
                if answered[0] > 50:
                    begun.set()

    with ThreadPoolExecutor(8) as pool:
        for _ in range(8):
            pool.submit(ask)
        assert begun.wait(GENEROUS_SECONDS)
        server.signal(signal.SIGTERM)
    assert strange == []
    assert server.wait() == 0


def test_after_kill_9_it_starts_again_on_its_port(start: Start, tmp_path: Path) -> None:
    save(tmp_path / "a", "yes")
    server = start("votes=a")
    assert server.predict() == "yes"
    server.signal(signal.SIGKILL)
    assert server.wait() == -signal.SIGKILL
    again = start("votes=a", "--port", str(server.port))
    assert again.port == server.port
    assert again.predict() == "yes"


def test_a_port_in_use_is_said(start: Start, tmp_path: Path) -> None:
    save(tmp_path / "a", "yes")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        found = refused(tmp_path, "votes=a", "--port", str(port))
    assert f"port {port} of 127.0.0.1 is in use" in found


def test_other_addresses_need_a_token(start: Start, tmp_path: Path) -> None:
    save(tmp_path / "a", "yes")
    assert "give a token" in refused(tmp_path, "votes=a", "--address", "0.0.0.0")
    assert "no such address" in refused(tmp_path, "votes=a", "--address", "no.such.host.invalid", "--token", "x")
    server = start("votes=a", MLPIPELINE_TOKEN="s3cret")
    assert server.client.post("/votes/predict", json=[ROW]).status_code == 401
    server.client.headers["authorization"] = "Bearer s3cret"
    assert server.predict() == "yes"


def test_nothing_to_serve_is_said(start: Start, tmp_path: Path) -> None:
    assert "mlpipeline fit" in refused(tmp_path)
    assert "no saved model 'nobody'" in refused(tmp_path, "nobody")
    assert "there is nothing" in refused(tmp_path, "a=nowhere")
    assert "NAME=PLACE" in refused(tmp_path, "a=")
    place = save(tmp_path / "a", "yes")
    (place / "estimator.json").write_text("{}")
    assert "estimator.json" in refused(tmp_path, "a=a")


def refused(root: Path, *arguments: str) -> str:
    """Returns what a server says that does not start."""
    command = [sys.executable, "-m", "mlpipeline", "serve", "--port", "0", *arguments]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=GENEROUS_SECONDS)
    assert done.returncode in (1, 2), done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def test_what_clients_do_wrong_ends_nothing(start: Start, tmp_path: Path) -> None:
    save(tmp_path / "a", "yes")
    server = start("votes=a")
    huge = b"[" + b"1," * 6_000_000 + b"1]"
    found = server.client.post("/votes/predict", content=huge, headers={"content-type": "application/json"})
    assert (found.status_code, found.json()["error"]["reason"]) == (413, "too_large")
    for data, status in (
        (b"no HTTP at all\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: " + b"x" * 70_000, b"431"),
        (head(10).replace(b"Content-Length: 10", b"Content-Length: -1") + b"[]", b"400"),
    ):
        client = server.raw(data)
        answer = received(client)
        assert answer.startswith(b"HTTP/1.1 " + status), answer
        assert b'{"error": {' in answer
        client.close()
    for data in (head(1000) + b"[", head(5)[:30], b""):
        server.raw(data).close()
    assert server.predict() == "yes"


@pytest.mark.parametrize("connections", [300])
def test_many_connections_at_once_are_all_answered(start: Start, tmp_path: Path, connections: int) -> None:
    save(tmp_path / "a", "yes")
    server = start("votes=a")
    clients = [server.raw(head(len(BODY)) + BODY) for _ in range(connections)]
    for client in clients:
        part = client.recv(65536)
        while b"]}" not in part:
            part += client.recv(65536)
        assert part.startswith(b"HTTP/1.1 200")
        client.close()
    assert server.predict() == "yes"
