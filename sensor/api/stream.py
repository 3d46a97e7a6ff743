"""Server-sent events: one sample a second, for all who listen.

The form is that of https://html.spec.whatwg.org/multipage/server-sent-events.html.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, StreamingResponse
from starlette.types import Receive, Scope, Send

MOST_LISTENERS = 8
"""Clients at the same time; more are turned away with 503."""

_PERIOD_SECONDS = 1.0


class EventStream:
    """An ASGI application that samples while somebody listens, once a second however many do.

    Every client gets the latest sample when it can take it: a slow one loses those between, and nothing waits for it.
    """

    def __init__(self, take_sample: Callable[[], dict[str, Any]], period_seconds: float = _PERIOD_SECONDS) -> None:
        self._take_sample = take_sample
        self._period_seconds = period_seconds
        self._listeners = 0
        self._number = 0
        self._latest = b""
        self._due = 0.0
        self._closed = False
        self._news = asyncio.Event()
        self._sampling: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send events until the client goes, or the stream is closed."""
        if self._closed or self._listeners >= MOST_LISTENERS:
            reason = "the sensor stops" if self._closed else f"{MOST_LISTENERS} clients listen already"
            await JSONResponse({"error": reason}, 503)(scope, receive, send)
            return
        self._listeners += 1
        try:
            self._begin()
            headers = {"cache-control": "no-store"}
            response = StreamingResponse(self._events(), media_type="text/event-stream", headers=headers)
            await response(scope, receive, send)
        finally:
            self._listeners -= 1

    def close(self) -> None:
        """End all streams; may be called from any thread."""
        self._closed = True
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended, and all streams with it
                self._loop.call_soon_threadsafe(self._end)

    def _begin(self) -> None:
        self._loop = asyncio.get_running_loop()
        if self._sampling is None or self._sampling.done():
            self._latest = b""
            self._sampling = self._loop.create_task(self._sample())

    def _end(self) -> None:
        if self._sampling is not None:
            self._sampling.cancel()
        self._tell(b"")

    async def _sample(self) -> None:
        # A listener that comes and goes must not make it more than one sample a second.
        while await self._is_wanted():
            self._due = time.monotonic() + self._period_seconds
            try:
                sample = await run_in_threadpool(self._take_sample)
            except Exception as error:  # noqa: BLE001
                # The core has failed or is stopping; the daemon's own loop says so. Whoever listens is told, too.
                self._tell(_event("error", 0, {"error": type(error).__name__}))
                return
            self._number += 1
            self._tell(_event("sample", self._number, sample))

    async def _is_wanted(self) -> bool:
        await asyncio.sleep(max(0.0, self._due - time.monotonic()))
        return self._listeners > 0

    def _tell(self, event: bytes) -> None:
        self._latest = event
        self._news.set()
        self._news = asyncio.Event()

    async def _events(self) -> AsyncIterator[bytes]:
        sampling, event = self._sampling, self._latest
        while not self._closed:
            news = self._news
            if event:
                yield event
            if sampling is None or sampling.done():
                return
            if news is self._news:
                await news.wait()
            event = self._latest


def _event(kind: str, number: int, data: dict[str, Any]) -> bytes:
    # JSON has no line breaks of its own, so that the data is one line.
    return f"event: {kind}\nid: {number}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()
