"""The application: which path does what, and errors in one shape."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from mlpipeline.errors import DataFault
from mlpipeline.learning.serving import openapi, pages
from mlpipeline.learning.serving.access import Access
from mlpipeline.learning.serving.body import Body
from mlpipeline.learning.serving.limits import Limits
from mlpipeline.learning.serving.lineup import Lineup
from mlpipeline.learning.serving.measures import Measures
from mlpipeline.learning.serving.refusal import Refusal
from mlpipeline.learning.serving.served import PREDICTIONS, Answers, Served

_log = logging.getLogger("mlpipeline")
_access_log = logging.getLogger("mlpipeline.access")
_JSON = "application/json"
# A page runs no script at all, and asks no other server.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Application:
    """Answers requests, whatever they are.

    Args:
        lineup: the models that answer.
        access: who may ask.
        limits: of the server.
        measures: what is counted.
    """

    def __init__(self, lineup: Lineup, access: Access, limits: Limits, measures: Measures) -> None:
        self._lineup, self._access, self._measures = lineup, access, measures
        self._body = Body(limits)
        routes = [
            # The first that matches is taken, and this is what most requests are for.
            Route("/{model}/predict", self._predict, methods=["GET", "POST"]),
            Route("/", self._home, methods=["GET"]),
            Route("/docs", self._docs, methods=["GET"]),
            Route("/page.css", self._style, methods=["GET"]),
            Route("/healthz", self._health, methods=["GET"]),
            Route("/metrics", self._metrics, methods=["GET"]),
            Route("/openapi.json", self._openapi, methods=["GET"]),
            Route("/{model}", self._model, methods=["GET"]),
        ]
        handlers: dict[Any, Callable[[Request, Exception], Awaitable[Response]]] = {
            Refusal: self._refused,
            HTTPException: self._not_found,
            ClientDisconnect: self._gone,
            Exception: self._failed,
        }
        self._app: ASGIApp = Starlette(routes=routes, exception_handlers=handlers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, and notes it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 0

        async def noted(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except Exception:  # Starlette raises again what `_failed` has answered and logged
            if status != 500:
                raise
        finally:
            self._note(scope, status, time.perf_counter() - started)

    async def _predict(self, request: Request) -> Response:
        served = self._allowed(request)
        request.scope["served"] = served.name
        if request.method == "POST":
            output = request.query_params.get("output", PREDICTIONS)
            served.check_output(output)
            values = await self._body.rows(request, served.reader)
        else:
            output, pairs = _output(request, served)
            served.check_output(output)
            values = served.reader.read_query(pairs)
        try:
            answers = await self._lineup.answer(served, values, output)
        except DataFault as error:
            raise Refusal(400, "not_predictable", str(error)) from error
        return Response(body_of(served, answers), media_type=_JSON)

    async def _model(self, request: Request) -> Response:
        served = self._allowed(request)
        told = None
        if request.query_params:
            told = await self._tried(request, served)
        page = pages.model(served, told, dict(request.query_params))
        return _html(page, 200 if told is None or not told.fault else 400)

    async def _tried(self, request: Request, served: Served) -> pages.Told:
        """Returns what comes of a row that was typed into the form."""
        _, pairs = _output(request, served)
        try:
            values = served.reader.read_query(pairs)
            found = await self._lineup.answer(served, values, PREDICTIONS)
            proba = await self._lineup.answer(served, values, "proba") if served.has_proba else None
        except Refusal as refusal:
            return pages.Told(fault=str(refusal), column=refusal.column)
        except DataFault as error:
            return pages.Told(fault=str(error))
        chances = list(zip(proba.classes or [], proba.rows[0], strict=True)) if proba else []
        return pages.Told(prediction=found.rows[0], chances=chances)

    async def _home(self, request: Request) -> Response:
        self._access.check(request.headers)
        return _html(pages.home(self._lineup.models))

    async def _docs(self, request: Request) -> Response:
        self._access.check(request.headers)
        return _html(pages.docs(openapi.document(self._lineup.models), self._lineup.models))

    async def _style(self, request: Request) -> Response:
        return Response(pages.style(), media_type="text/css", headers={"Cache-Control": "max-age=3600"})

    async def _health(self, request: Request) -> Response:
        return Response(json.dumps({"status": "ok", "models": len(self._lineup.models)}), media_type=_JSON)

    async def _metrics(self, request: Request) -> Response:
        self._access.check(request.headers)
        return Response(self._lineup.measure(), headers={"content-type": Measures.content_type})

    async def _openapi(self, request: Request) -> Response:
        self._access.check(request.headers)
        return Response(json.dumps(openapi.document(self._lineup.models)), media_type=_JSON)

    def _allowed(self, request: Request) -> Served:
        self._access.check(request.headers)
        return self._lineup[request.path_params["model"]]

    async def _refused(self, request: Request, refusal: Exception) -> Response:
        assert isinstance(refusal, Refusal)
        return Response(refusal.body(), refusal.status, refusal.headers, _JSON)

    async def _not_found(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        path = request.url.path
        if error.status_code == 405:
            allowed = (error.headers or {}).get("Allow", "")
            message = f"{request.method} is not for {path}: use {allowed}"
            return await self._refused(request, Refusal(405, "wrong_method", message, headers=error.headers))
        message = f"there is nothing at {path}: see / and /docs"
        return await self._refused(request, Refusal(error.status_code, "not_found", message))

    async def _gone(self, request: Request, error: Exception) -> Response:
        # Nobody reads it; 499 is what other servers write into their logs.
        return Response(status_code=499)

    async def _failed(self, request: Request, error: Exception) -> Response:
        _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        message = f"the prediction failed ({type(error).__name__}): the server's log says why"
        return await self._refused(request, Refusal(500, "failed", message))

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        model = scope.get("served")
        if model is not None:
            self._measures.request(model, status, seconds)
        if _access_log.isEnabledFor(logging.INFO):
            client = scope.get("client")
            told = {
                "client": client[0] if client else None,
                "method": scope["method"],
                "path": scope["path"],
                "status": status,
                "milliseconds": round(seconds * 1e3, 3),
            }
            _access_log.info("%s", json.dumps(told))


def body_of(served: Served, answers: Answers) -> bytes:
    """Returns predictions as JSON."""
    told: dict[str, Any] = {"model": served.name, "run": served.run}
    if answers.classes is None:
        told["predictions"] = answers.rows
    else:
        told["classes"], told["probabilities"] = answers.classes, answers.rows
    return json.dumps(told, allow_nan=False).encode()


def _output(request: Request, served: Served) -> tuple[str, list[tuple[str, str]]]:
    """Returns what is asked for, and the values of columns; a column may be called `output` as well."""
    pairs = request.query_params.multi_items()
    if "output" in served.reader.names:
        return PREDICTIONS, pairs
    stated = [text for name, text in pairs if name == "output"]
    return (stated[-1] if stated else PREDICTIONS), [pair for pair in pairs if pair[0] != "output"]


def _html(page: str, status: int = 200) -> Response:
    return Response(page, status, _HEADERS, "text/html")
