"""Reads the body of a request, within limits of size and time."""

from __future__ import annotations

import asyncio

from starlette.requests import Request

from mlpipeline.learning.serving.limits import Limits
from mlpipeline.learning.serving.refusal import Refusal
from mlpipeline.learning.serving.rows import Reader, Values

_LARGE = 64 << 10
"""Bytes from which on JSON is read in a thread, so that other requests do not wait for it."""
_CLOSE = {"Connection": "close"}


class Body:
    """Reads bodies.

    Args:
        limits: of size and time.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    async def rows(self, request: Request, reader: Reader) -> Values:
        """Returns the rows of a body.

        Raises:
            Refusal: with status 400, 408, 413 or 415.
        """
        _check_type(request)
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                body = await self._whole(request)
        except TimeoutError:
            message = f"the body took more than {self._limits.body_seconds:g} s"
            raise Refusal(408, "too_slow", message, headers=_CLOSE) from None
        return reader.read_json(body) if len(body) < _LARGE else await asyncio.to_thread(reader.read_json, body)

    async def _whole(self, request: Request) -> bytes:
        limit = self._limits.body_bytes
        stated = request.headers.get("content-length", "0")
        is_too_large = int(stated) > limit
        if is_too_large and request.headers.get("expect"):
            raise self._too_large()
        parts: list[bytes] = []
        size = 0
        async for part in request.stream():
            size += len(part)
            if size > limit or is_too_large:
                # Read on for a while: who is still sending would see a broken connection, and not the answer.
                parts, is_too_large = [], True
                if size > 8 * limit:
                    break
            else:
                parts.append(part)
        if is_too_large:
            raise self._too_large()
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _too_large(self) -> Refusal:
        limit = self._limits.body_bytes
        message = f"the body has more than {limit:,} bytes: send several requests"
        return Refusal(413, "too_large", message, headers=_CLOSE)


def _check_type(request: Request) -> None:
    kind, _, parameters = request.headers.get("content-type", "").partition(";")
    if kind.strip().lower() != "application/json":
        message = f"the body is {kind.strip() or 'of no type'}: send Content-Type: application/json"
        raise Refusal(415, "wrong_type", message, headers={"Accept-Post": "application/json"})
    charset = parameters.lower().replace(" ", "").replace('"', "")
    encoding = request.headers.get("content-encoding", "identity").lower()
    if charset not in ("", "charset=utf-8") or encoding != "identity":
        raise Refusal(415, "wrong_type", "the body must be UTF-8, and not compressed")
