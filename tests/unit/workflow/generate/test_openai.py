"""The generator that asks an endpoint, against a small one on loopback that speaks the same protocol."""

from __future__ import annotations

import ast
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from mlpipeline import errors
from mlpipeline.errors import MlpipelineError, UsageError
from mlpipeline.workflow import load
from mlpipeline.workflow.components.text_generators.openai import OpenAITextGenerator
from mlpipeline.workflow.generate import docstrings, write

pytest.importorskip("openai", reason="openai is not installed: pip install 'mlpipeline[llm]'")
KEY = "sk-test-opensesame-0123"
SOURCE = "class A:\n    def f(self):  # why\n        return 1\n"


class Endpoint(ThreadingHTTPServer):
    """Answers every question in the same words, and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer: str | None = ""
        self.status = 200
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Endpoint

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append(json.loads(content) | {"path": self.path})
        self.server.keys.append(self.headers["Authorization"])
        message = {"role": "assistant", "content": self.server.answer}
        done: dict[str, Any] = {
            "id": "1", "object": "chat.completion", "created": 1, "model": "small",
            "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
        }  # fmt: skip
        if self.server.status != 200:
            done = {"error": {"message": f"wrong key {self.headers['Authorization']}", "code": "refused"}}
        body = json.dumps(done).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Prints nothing."""


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    server = Endpoint()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("OPENAI_MODEL", "small")
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_docstrings_come_from_the_endpoint_and_code_from_the_file(endpoint: Endpoint, tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text(SOURCE)
    endpoint.answer = 'Sure:\n```python\nclass A:\n    def f(self):\n        """Gives one."""\n        return 2\n```\n'
    write("docstrings", path, "A", generator="OpenAITextGenerator", output=path)
    assert docstrings.collect(ast.parse(path.read_text())) == {"A.f": "Gives one."}
    assert "# why" in path.read_text()
    assert "return 1" in path.read_text()
    (asked,) = endpoint.asked
    assert (asked["path"], asked["model"], asked["temperature"]) == ("/v1/chat/completions", "small", 0.0)
    assert asked["messages"][1] == {"role": "user", "content": SOURCE}
    assert "Google style" in asked["messages"][0]["content"]
    assert endpoint.keys == [f"Bearer {KEY}"]


def test_markdown_keeps_its_own_fences(endpoint: Endpoint) -> None:
    endpoint.answer = "# A\n\n```python\nA().f()\n```\n\nGood."
    assert OpenAITextGenerator().generate("documentation", SOURCE) == f"{endpoint.answer}\n"
    endpoint.answer = f"```markdown\n{endpoint.answer}\n```"
    assert OpenAITextGenerator().generate("documentation", SOURCE) == "# A\n\n```python\nA().f()\n```\n\nGood.\n"


def test_a_refusal_is_told_without_the_key(endpoint: Endpoint) -> None:
    endpoint.status = 401
    with pytest.raises(MlpipelineError, match=r"127\.0\.0\.1.*AuthenticationError.*wrong key Bearer \*\*\*") as caught:
        OpenAITextGenerator().generate("tests", SOURCE)
    assert KEY not in str(caught.value)
    assert caught.value.__cause__ is None
    endpoint.status, endpoint.answer = 200, None
    with pytest.raises(MlpipelineError, match="answered nothing"):
        OpenAITextGenerator().generate("tests", SOURCE)


def test_an_endpoint_that_is_not_there_is_told(endpoint: Endpoint) -> None:
    made = OpenAITextGenerator(base_url="http://user:opensesame@127.0.0.1:9/v1", max_retries=0, timeout=5)
    with pytest.raises(MlpipelineError, match=r"http://user:\*\*\*@127\.0\.0\.1:9/v1: APIConnectionError") as caught:
        made.generate("tests", SOURCE)
    assert "opensesame" not in f"{caught.value}{made!r}"


def test_in_a_workflow_the_key_comes_from_the_environment_and_is_kept_nowhere(endpoint: Endpoint) -> None:
    endpoint.answer = "def test_a(): pass"
    runner = load(
        {
            "component": {"texts": "OpenAITextGenerator"},
            "texts": {"config": {"api_key": "${env:OPENAI_API_KEY}", "model": "other", "base_url": endpoint.url}},
        }
    )
    assert runner.texts.generate("tests", SOURCE) == "def test_a(): pass\n"
    assert endpoint.asked[0]["model"] == "other"
    assert KEY not in repr((runner.texts, runner.texts.config, runner.texts.__getstate__()))


def test_what_is_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_MODEL"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UsageError, match="OPENAI_API_KEY is not set"):
        OpenAITextGenerator().generate("tests", SOURCE)
    with pytest.raises(UsageError, match="set OPENAI_MODEL"):
        OpenAITextGenerator(api_key=KEY).generate("tests", SOURCE)
    with pytest.raises(UsageError, match="Did you mean 'tests'"):
        OpenAITextGenerator(api_key=KEY).generate("test", SOURCE)
    monkeypatch.setitem(__import__("sys").modules, "openai", None)
    with pytest.raises(errors.MissingExtra, match=r"mlpipeline\[llm\]"):
        OpenAITextGenerator(api_key=KEY, model="x").generate("tests", SOURCE)
