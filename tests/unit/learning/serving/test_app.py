"""What each path answers, without a process: statuses, pages, documents, and who may ask."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from mlpipeline.learning.serving.access import Access
from mlpipeline.learning.serving.app import Application
from mlpipeline.learning.serving.catalog import Offer
from mlpipeline.learning.serving.limits import Limits
from mlpipeline.learning.serving.lineup import Lineup
from mlpipeline.learning.serving.measures import Measures
from mlpipeline.listening import is_loopback
from tests.unit.learning.serving.conftest import ROW
from tests.unit.learning.serving.test_lineup import Listed

httpx = pytest.importorskip("httpx", reason="httpx is missing")
Ask = Callable[..., Any]
LIMITS = Limits(body_bytes=4096, rows=10)


@pytest.fixture
def ask(saved: Offer, load: Callable[[str], Any]) -> Ask:
    """Asks an application, each time a new one."""

    def asked(method: str, path: str, token: str | None = None, host: str = "127.0.0.1:80", **more: Any) -> Any:
        async def inside() -> Any:
            measures = Measures()
            lineup = Lineup(Listed(saved), load, LIMITS, measures)  # type: ignore[arg-type]
            await lineup.renew()
            application = Application(lineup, Access(token), LIMITS, measures)
            async with httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url=f"http://{host}") as one:
                found = await one.request(method, path, **more)
            lineup.stop()
            return found

        return asyncio.run(inside())

    return asked


def error(found: Any, status: int) -> Any:
    assert found.status_code == status, found.text
    assert found.headers["content-type"] == "application/json"
    told = found.json()["error"]
    assert told.keys() == {"status", "reason", "message", "row", "column"}
    assert told["status"] == status
    return told


def test_a_prediction_by_body_and_by_query_are_the_same(ask: Ask) -> None:
    by_list, by_object = (ask("POST", "/guests/predict", json=body).json() for body in ([ROW], {"rows": [ROW]}))
    query = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in ROW.items()}
    assert by_list == by_object == ask("GET", "/guests/predict", params=query).json()
    assert by_list == {"model": "guests", "run": "r1", "predictions": [by_list["predictions"][0]]}
    assert isinstance(by_list["predictions"][0], bool)


def test_probabilities_come_with_their_classes(ask: Ask) -> None:
    found = ask("POST", "/guests/predict?output=proba", json=[ROW, ROW]).json()
    assert found["classes"] == [False, True]
    assert [sum(row) for row in found["probabilities"]] == [pytest.approx(1.0)] * 2
    assert error(ask("POST", "/guests/predict?output=x", json=[ROW]), 400)["reason"] == "unknown_output"


def test_bad_requests_have_their_own_statuses(ask: Ask) -> None:
    assert "Did you mean 'guests'" in error(ask("POST", "/guest/predict", json=[ROW]), 404)["message"]
    assert error(ask("GET", "/a/b/c"), 404)["reason"] == "not_found"
    found = ask("DELETE", "/guests/predict")
    assert error(found, 405)["reason"] == "wrong_method"
    assert "POST" in found.headers["allow"]
    assert error(ask("POST", "/guests/predict", data={"age": "1"}), 415)["reason"] == "wrong_type"
    assert error(ask("POST", "/guests/predict", json=[ROW], headers={"content-encoding": "gzip"}), 415)
    latin = {"content-type": "application/json; charset=latin-1"}
    assert error(ask("POST", "/guests/predict", content=b"[]", headers=latin), 415)
    assert error(ask("POST", "/guests/predict", json=[ROW] * 11), 413)["reason"] == "too_many_rows"
    big = ask("POST", "/guests/predict", json=[ROW | {"town": "x" * 5000}])
    assert error(big, 413)["reason"] == "too_large"
    assert error(ask("POST", "/guests/predict", json=[ROW | {"age": "x"}]), 400)["column"] == "age"
    assert error(ask("GET", "/guests/predict?age=1"), 400)["reason"] == "missing_column"


def test_a_body_of_unknown_length_has_the_same_limit(ask: Ask) -> None:
    async def parts() -> Any:
        for _ in range(100):
            yield b" " * 100

    found = ask("POST", "/guests/predict", content=parts(), headers={"content-type": "application/json"})
    assert error(found, 413)["reason"] == "too_large"


def test_without_a_token_only_this_machine_is_addressed(ask: Ask) -> None:
    assert error(ask("GET", "/", host="evil.example"), 421)["reason"] == "wrong_host"
    assert error(ask("POST", "/guests/predict", host="evil.example:80", json=[ROW]), 421)
    for host in ("localhost:8321", "127.0.0.1", "[::1]:80"):
        assert ask("GET", "/", host=host).status_code == 200


def test_a_token_is_asked_for_everywhere_but_for_health(ask: Ask) -> None:
    for path in ("/", "/docs", "/metrics", "/openapi.json", "/guests", "/guests/predict", "/nobody/predict"):
        found = ask("GET", path, token="s3cret")
        assert error(found, 401)["reason"] == "no_token"
        assert found.headers["www-authenticate"].startswith("Basic")
    assert ask("GET", "/healthz", token="s3cret").json() == {"status": "ok", "models": 1}
    basic = base64.b64encode(b"anybody:s3cret").decode()
    for value in ("Bearer s3cret", "bearer s3cret", f"Basic {basic}"):
        assert ask("GET", "/", token="s3cret", host="some.where", headers={"authorization": value}).status_code == 200
    for value in ("Bearer", "Bearer s3cre", "Basic s3cret", f"Basic {basic[:-4]}", "Digest s3cret", "Bearer \xff"):
        found = ask("GET", "/", token="s3cret", headers={"authorization": value.encode("latin-1")})
        assert error(found, 401)


def test_loopback_is_told_from_all_else() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.1.2.3", "::1", "localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "10.0.0.1", "localhost.evil.example", "", "evil")))


def test_the_document_tells_columns_types_and_what_may_be_missing(ask: Ask) -> None:
    found = ask("GET", "/openapi.json").json()
    row = found["components"]["schemas"]["guests.Row"]
    assert row["required"] == list(ROW)
    assert row["additionalProperties"] is False
    assert [each["type"] for each in row["properties"].values()] == [
        ["number", "null"],
        ["integer", "null"],
        ["string", "null"],
        ["boolean", "null"],
        ["string", "null"],
    ]
    assert "31% missing" in row["properties"]["town"]["description"]
    assert set(found["paths"]) == {"/healthz", "/metrics", "/guests/predict"}


def test_counts_tell_models_and_statuses(ask: Ask) -> None:
    page = ask("GET", "/metrics").text
    assert 'mlpipeline_swaps_total{model="guests",outcome="loaded"} 1.0' in page


def test_pages_show_scores_and_a_form_and_ask_no_other_server(ask: Ask) -> None:
    for path in ("/", "/guests", "/docs"):
        found = ask("GET", path)
        assert found.status_code == 200, found.text
        assert found.headers["content-type"].startswith("text/html")
        assert "default-src 'none'" in found.headers["content-security-policy"]
        assert "<script" not in found.text
        assert "//" not in found.text.replace("http://ADDRESS", "").replace("//127.0.0.1", ""), path
        for name in ROW:
            assert f'name="{name}"' in found.text
    assert "log_loss" in ask("GET", "/").text
    assert "color-scheme" in ask("GET", "/page.css").text


def test_the_form_predicts_and_tells_what_is_wrong(ask: Ask) -> None:
    query = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in ROW.items()}
    page = ask("GET", "/guests", params=query).text
    assert 'role="status"' in page
    assert "<meter" in page
    assert 'value="31.5"' in page
    wrong = ask("GET", "/guests", params=query | {"age": "<b>old</b>"})
    assert wrong.status_code == 400
    assert 'role="alert"' in wrong.text
    assert 'aria-invalid="true"' in wrong.text
    assert "<b>old" not in wrong.text


def test_a_prediction_that_fails_is_an_error_of_the_server(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from mlpipeline.learning.serving.served import Served

    whole = Served.answer

    def broken(self: Served, values: Any, output: str) -> Any:
        if values[1] == [666]:
            raise ZeroDivisionError("of the model")
        return whole(self, values, output)

    monkeypatch.setattr(Served, "answer", broken)
    told = error(ask("POST", "/guests/predict", json=[ROW | {"visits": 666}]), 500)
    assert "ZeroDivisionError" in told["message"]
    assert "of the model" not in told["message"]
    assert "of the model" in caplog.text
    json.dumps(told)
