"""What a page sends: a JSON object, and not much of it."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request

from mlpipeline.dashboard.refusal import Refusal

_LARGEST = 1 << 20


async def read(request: Request) -> dict[str, Any]:
    """Returns a request's JSON object.

    Raises:
        Refusal: it is none, or too large.
    """
    # A form of another site can send text, but not this type.
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise Refusal(415, "send application/json")
    data = b""
    async for chunk in request.stream():
        data += chunk
        if len(data) > _LARGEST:
            raise Refusal(413, "that is too much")
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        raise Refusal(400, "that is no JSON") from None
    if not isinstance(content, dict):
        raise Refusal(400, "send an object")
    return content
