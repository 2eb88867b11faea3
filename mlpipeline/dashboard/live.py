"""Keeps open pages true: each is made anew once a second, once for all who watch it, and only what changed is sent."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncGenerator, Callable, Mapping

from mlpipeline.dashboard.refusal import Refusal
from mlpipeline.errors import MlpipelineError

Make = Callable[[], Mapping[str, str]]
Changes = AsyncGenerator[dict[str, str], None]
_log = logging.getLogger("mlpipeline")

INTERVAL_SECONDS = 1.0
_SHARE = 0.1
"""Of the time that making a page takes at most: one that takes long is made less often."""
_HEARTBEAT_SECONDS = 15.0


class Live:
    """The pages that somebody watches now."""

    def __init__(self, interval: float = INTERVAL_SECONDS) -> None:
        self._interval = interval
        self._topics: dict[str, _Topic] = {}

    async def changes(self, key: str, make: Make, *, is_each_turn: bool = False) -> Changes:
        """Yields the regions of a page that changed, all of them first; an empty dict where nothing did for long.

        Args:
            key: of the page; of all who give the same one only the first one's `make` is called.
            make: returns the regions' HTML; is called in a thread.
            is_each_turn: yields also where nothing changed, so that who follows can look at something else.
        """
        topic = self._topics.get(key)
        if topic is None:
            topic = self._topics[key] = _Topic(make, self._interval)
        topic.watchers += 1
        try:
            async for each in topic.changes(is_each_turn=is_each_turn):
                yield each
        finally:
            topic.watchers -= 1
            if not topic.watchers:
                topic.stop()
                self._topics.pop(key, None)

    def stop(self) -> None:
        """Ends all of them."""
        for topic in self._topics.values():
            topic.stop()


class _Topic:
    """One page, and all who watch it."""

    def __init__(self, make: Make, interval: float) -> None:
        self.watchers = 0
        self._make, self._interval = make, interval
        self._regions: Mapping[str, str] = {}
        self._made = asyncio.Event()
        self._task = asyncio.create_task(self._run())

    def stop(self) -> None:
        self._task.cancel()
        self._made.set()

    async def changes(self, *, is_each_turn: bool) -> Changes:
        sent: dict[str, str] = {}
        last = time.monotonic()
        while not self._task.done():
            changed = {name: html for name, html in self._regions.items() if sent.get(name) != html}
            if changed or is_each_turn or time.monotonic() - last > _HEARTBEAT_SECONDS:
                sent |= changed
                last = time.monotonic()
                yield changed
            made = self._made
            await made.wait()

    async def _run(self) -> None:
        while True:
            began = time.monotonic()
            try:
                self._regions = await asyncio.to_thread(self._make)
            except (MlpipelineError, Refusal, OSError) as error:
                # A directory that is being deleted, a disk that is full: the page says so, and goes on.
                self._regions = {**self._regions, "live_trouble": _escaped(str(error))}
            except Exception:  # one page's fault must not end what keeps the others true: it is logged, and said there
                _log.exception("a page could not be made")
                self._regions = {**self._regions, "live_trouble": "This page could not be made: the log says why."}
            made, self._made = self._made, asyncio.Event()
            made.set()
            await asyncio.sleep(max(self._interval, (time.monotonic() - began) / _SHARE))


def _escaped(text: str) -> str:
    from markupsafe import escape

    return str(escape(text))


def event(name: str, content: object) -> bytes:
    """Returns an event as the stream has it: JSON in one line."""
    return f"event: {name}\ndata: {json.dumps(content)}\n\n".encode()


KEEP_ALIVE = b": nothing new\n\n"
