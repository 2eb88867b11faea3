"""The application: which path does what, who may use it, and refusals as pages or as JSON."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from mlpipeline.dashboard import actions, body, measures
from mlpipeline.dashboard.access import Access
from mlpipeline.dashboard.devices import Devices
from mlpipeline.dashboard.live import KEEP_ALIVE, Live, event
from mlpipeline.dashboard.lookout import Lookout
from mlpipeline.dashboard.machine import Machine
from mlpipeline.dashboard.pages import compare, models, queue
from mlpipeline.dashboard.pages import machine as machine_page
from mlpipeline.dashboard.pages import run as run_page
from mlpipeline.dashboard.pages.chosen import Choice
from mlpipeline.dashboard.refusal import Refusal
from mlpipeline.dashboard.rendering import page, regions, static
from mlpipeline.dashboard.sessions import SECONDS
from mlpipeline.errors import MlpipelineError
from mlpipeline.observe import curves
from mlpipeline.project import Project

_log = logging.getLogger("mlpipeline")
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_LIVE = {"queue": queue, "models": models, "machine": machine_page}
_OPEN = ("/session", "/healthz")


class Application:
    """Answers requests, whatever they are.

    Args:
        project: what is shown.
        access: who may look, and who may ask.
        live: what keeps open pages true.
        machine: what is known of the machine.
    """

    def __init__(self, project: Project, access: Access, live: Live, machine: Machine) -> None:
        self._project, self._access, self._live, self._machine = project, access, live, machine
        self._lookout, self._devices = Lookout(project), Devices()
        routes = [
            *(Route(path, made) for path, made in self._pages().items()),
            Route("/runs/{run}/curves", self._curves),
            Route("/runs/{run}/details", self._details),
            Route("/runs/{run}/files/{name:path}", self._file),
            Route("/live/runs/{run}", self._live_run),
            Route("/live/{name}", self._live_page),
            Route("/machine/samples", self._samples),
            Route("/static/{name}", self._static),
            Route("/metrics", self._metrics),
            Route("/healthz", self._health),
            Route("/session", self._session, methods=["POST"]),
            Route("/link", self._link, methods=["POST"]),
            Route("/actions/{name}", self._action, methods=["POST"]),
            Route("/order", self._order, methods=["POST"]),
            Route("/order/undo", self._undo, methods=["POST"]),
        ]
        handlers: dict[Any, Callable[[Request, Exception], Awaitable[Response]]] = {
            Refusal: self._refused,
            MlpipelineError: self._refused,
            HTTPException: self._refused,
            OSError: self._refused,
            Exception: self._failed,
        }
        self._app: ASGIApp = Starlette(routes=routes, exception_handlers=handlers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request; what may not be answered goes no further than here."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Any) -> None:
            if message["type"] == "http.response.start":
                known = {name.lower() for name, _ in message["headers"]}
                message["headers"] += [
                    (name.lower().encode(), value.encode())
                    for name, value in _HEADERS.items()
                    if name.lower().encode() not in known
                ]
            await send(message)

        request = Request(scope, receive)
        try:
            self._access.check_place(request.headers)
            if request.method not in ("GET", "HEAD"):
                self._access.check_origin(request.headers)
                if request.url.path != "/session":
                    self._access.check_effect(request)
            elif not (self._access.may_look(request) or request.url.path in _OPEN or _is_static(request)):
                await _entrance()(scope, receive, guarded)
                return
        except Refusal as refusal:
            await (await self._refused(request, refusal))(scope, receive, guarded)
            return
        await self._app(scope, receive, guarded)

    def _pages(self) -> dict[str, Callable[[Request], Response]]:
        """Returns what makes each page; each runs in a thread."""
        lookout, is_read_only = self._lookout, self._access.is_read_only

        def comparison(request: Request) -> Response:
            query = request.query_params
            ids, tags = (tuple(each for each in query.getlist(name) if each) for name in ("run", "tag"))
            choice = Choice(runs=ids, model=query.get("model", ""), study=query.get("study", ""), tags=tags)
            if not (ids or choice.study or "by" in query):
                return _html(compare.LIST, compare.listing(lookout, choice, is_read_only=is_read_only))
            by, metric = "version" if query.get("by") == "version" else "run", query.get("metric", "")
            found = compare.content(lookout, choice, metric=metric, by=by, is_read_only=is_read_only)
            return _html(compare.TEMPLATE, found)

        def one_run(request: Request) -> Response:
            found = run_page.content(lookout, request.path_params["run"], is_read_only=is_read_only)
            return _html(run_page.TEMPLATE, found)

        def difference(request: Request) -> Response:
            one, other = (request.query_params.get(name, "") for name in ("one", "other"))
            return _html(run_page.DIFFERENCE, run_page.compared(lookout, one, other))

        def machine(request: Request) -> Response:
            return _html(machine_page.TEMPLATE, self._machine_content())

        def plain(module: Any) -> Callable[[Request], Response]:
            return lambda request: _html(module.TEMPLATE, module.content(lookout, is_read_only=is_read_only))

        made = {"/": plain(queue), "/models": plain(models), "/machine": machine}
        return {**made, "/compare": comparison, "/difference": difference, "/runs/{run}": one_run}

    def _machine_content(self) -> dict[str, Any]:
        return machine_page.content(self._lookout, self._devices, is_read_only=self._access.is_read_only)

    def _curves(self, request: Request) -> Response:
        run, _ = run_page.find(self._project, request.path_params["run"])
        return JSONResponse(run_page.told(curves.of_run(self._project.root, run)))

    def _details(self, request: Request) -> Response:
        found = run_page.details(self._project, request.path_params["run"])
        return _html("details.html", {**found, "reference": request.path_params["run"]})

    def _file(self, request: Request) -> Response:
        path = run_page.file(self._project, request.path_params["run"], request.path_params["name"])
        # As a file to keep: nothing that a model wrote is shown as a page of this address.
        return FileResponse(path, media_type="application/octet-stream", filename=path.name)

    def _samples(self, request: Request) -> Response:
        return JSONResponse(self._machine.to_json())

    def _static(self, request: Request) -> Response:
        name = request.path_params["name"]
        try:
            found = static(name)
        except FileNotFoundError:
            raise Refusal(404, f"there is nothing at {request.url.path}") from None
        kind = _TYPES[name.rpartition(".")[2]]
        return Response(found, media_type=kind, headers={"Cache-Control": "no-cache"})

    def _metrics(self, request: Request) -> Response:
        return Response(measures.page(self._lookout.look().picture), headers={"content-type": measures.CONTENT_TYPE})

    async def _health(self, request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def _live_page(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in _LIVE:
            raise Refusal(404, f"there is nothing at {request.url.path}")
        module = _LIVE[name]

        def make() -> Mapping[str, str]:
            if module is machine_page:
                return regions(module.TEMPLATE, self._machine_content())
            return regions(module.TEMPLATE, module.content(self._lookout, is_read_only=self._access.is_read_only))

        async def stream() -> AsyncIterator[bytes]:
            async with contextlib.aclosing(self._live.changes(name, make)) as changes:
                async for changed in changes:
                    yield event("regions", changed) if changed else KEEP_ALIVE

        return _stream(stream())

    async def _live_run(self, request: Request) -> Response:
        reference = request.path_params["run"]
        feed = await asyncio.to_thread(run_page.Feed, self._project, reference)

        def make() -> Mapping[str, str]:
            found = run_page.content(self._lookout, reference, is_read_only=self._access.is_read_only)
            return regions(run_page.TEMPLATE, found)

        async def stream() -> AsyncIterator[bytes]:
            changes = self._live.changes(f"runs/{reference}", make, is_each_turn=True)
            async with contextlib.aclosing(changes):
                async for changed in changes:
                    yield event("regions", changed) if changed else KEEP_ALIVE
                    # What stands in the way is said by the page's own regions.
                    with contextlib.suppress(Refusal, MlpipelineError, OSError):
                        for name, content in await asyncio.to_thread(feed.more):
                            yield event(name, content)

        return _stream(stream())

    async def _session(self, request: Request) -> Response:
        token = (await body.read(request)).get("token")
        session = self._access.redeem(token if isinstance(token, str) else "")
        response = JSONResponse({"state": "done"})
        response.set_cookie(self._access.cookie, session, max_age=SECONDS, httponly=True, samesite="strict", path="/")
        return response

    async def _link(self, request: Request) -> Response:
        await body.read(request)
        return JSONResponse({"link": f"{request.base_url}#token={self._access.new_link()}"})

    async def _action(self, request: Request) -> Response:
        content = await body.read(request)
        told = await asyncio.to_thread(actions.ask, self._project, request.path_params["name"], content)
        self._lookout.forget()
        return JSONResponse(told.to_json())

    async def _order(self, request: Request) -> Response:
        content = await body.read(request)
        told = await asyncio.to_thread(actions.reorder, self._project, content)
        self._lookout.forget()
        return JSONResponse(told.to_json())

    async def _undo(self, request: Request) -> Response:
        await body.read(request)
        told = await asyncio.to_thread(actions.undo, self._project)
        self._lookout.forget()
        return JSONResponse(told.to_json())

    async def _refused(self, request: Request, error: Exception) -> Response:
        status = error.status if isinstance(error, Refusal) else 503
        message = str(error)
        if isinstance(error, OSError):
            message = f"this cannot be read or written ({error.strerror or error}): mend its permissions or the disk"
        if isinstance(error, HTTPException):
            status, message = error.status_code, f"there is nothing at {request.url.path} for {request.method}"
        if "text/html" in request.headers.get("accept", ""):
            return HTMLResponse(page("refusal.html", {"status": status, "message": message}), status)
        return JSONResponse({"state": "refused", "message": message}, status)

    async def _failed(self, request: Request, error: Exception) -> Response:
        _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return await self._refused(request, Refusal(500, "this could not be made: the log says why"))


def _is_static(request: Request) -> bool:
    return request.url.path.startswith("/static/")


def _html(template: str, content: Mapping[str, Any]) -> Response:
    return HTMLResponse(page(template, content))


def _entrance() -> Response:
    """The page that changes a link for a session: what stands after the # of an address reaches no server by itself."""
    return HTMLResponse(page("entrance.html", {}), 401)


def _stream(stream: AsyncIterator[bytes]) -> Response:
    return StreamingResponse(stream, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
