"""The two applications: metrics and health for the network, everything for the Unix socket."""

import hmac
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any

from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from sensor.alerts.text import escape
from sensor.api.alerts import AlertQuery
from sensor.api.host import host_page
from sensor.api.openapi import DOCUMENT
from sensor.api.sample import Sampler
from sensor.api.server import Endpoint
from sensor.api.stream import EventStream
from sensor.api.view import SensorView, TableQuery, UnknownError
from sensor.metrics import registry_of


class BearerToken:
    """Lets only requests with the token through (RFC 6750, section 2.1)."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401 without the token."""
        if scope["type"] == "http" and not self._is_allowed(scope):
            refusal = _error(401, "a bearer token is needed")
            refusal.headers["WWW-Authenticate"] = "Bearer"
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_allowed(self, scope: Scope) -> bool:
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        return len(given) == 1 and hmac.compare_digest(given[0], self._expected)


def network_app(view: SensorView, token: str | None) -> ASGIApp:
    """Make the application for TCP: `/metrics` and `/healthz`, behind the token if there is one."""
    app = _application(_common_routes(view))
    return BearerToken(app, token) if token else app


def socket_endpoint(listener: socket.socket, view: SensorView) -> Endpoint:
    """Make what answers on the Unix socket, whose file mode is its lock."""
    stream = EventStream(Sampler(view).take)
    return Endpoint(listener, socket_app(view, stream), close=stream.close)


def socket_app(view: SensorView, stream: EventStream) -> Starlette:
    """Make the application for the Unix socket."""
    return _application(
        [
            *_common_routes(view),
            Route("/api/openapi.json", _answer(lambda _: DOCUMENT)),
            Route("/api/status", _answer(lambda _: view.status())),
            Route("/api/hosts", _answer(_table(view.hosts), TableQuery.PARAMETERS)),
            Route("/api/hosts/{address}", _answer(lambda asked: host_page(view, asked["address"]))),
            Route("/api/flows", _answer(_table(view.flows), TableQuery.PARAMETERS)),
            Route("/api/alerts", _answer(_alerts(view), AlertQuery.PARAMETERS)),
            Route("/api/stream", stream, methods=["GET"]),
        ]
    )


def _application(routes: list[BaseRoute]) -> Starlette:
    return Starlette(routes=routes, exception_handlers={HTTPException: _http_error, Exception: _failure})


def _common_routes(view: SensorView) -> list[BaseRoute]:
    registry = registry_of(view.scrape)

    async def metrics(request: Request) -> Response:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        page = await run_in_threadpool(encode, registry)
        return Response(page, headers={"content-type": content_type})

    async def healthz(_: Request) -> Response:
        alive = await run_in_threadpool(view.alive)
        return PlainTextResponse("ok\n" if alive else "a worker stands still\n", 200 if alive else 503)

    return [Route("/healthz", healthz), Route("/metrics", metrics)]


def _answer(
    answer: Callable[[Mapping[str, str]], Any], parameters: frozenset[str] = frozenset()
) -> Callable[[Request], Any]:
    """Make an endpoint from a function of the request's parameters, those in the path included."""

    async def endpoint(request: Request) -> Response:
        unknown = set(request.query_params) - parameters
        if unknown:
            return _error(400, f"unknown parameter: {', '.join(sorted(unknown))}")
        asked = {**request.query_params, **request.path_params}
        try:
            return JSONResponse(await run_in_threadpool(answer, asked))
        except UnknownError as error:
            return _error(404, str(error))
        except ValueError as error:
            return _error(400, str(error))

    return endpoint


def _table(ask: Callable[[str, str, int], list[dict[str, Any]]]) -> Callable[[Mapping[str, str]], Any]:
    def answer(asked: Mapping[str, str]) -> list[dict[str, Any]]:
        query = TableQuery.parse(asked)
        return ask(query.filter_text, query.order, query.limit)

    return answer


def _alerts(view: SensorView) -> Callable[[Mapping[str, str]], Any]:
    return lambda asked: AlertQuery.parse(asked, time.time_ns()).answer(view)


async def _http_error(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    reason = error.detail if isinstance(error, HTTPException) else "failed"
    return _error(status, reason)


async def _failure(_: Request, error: Exception) -> Response:
    return _error(500, f"the sensor failed to answer: {type(error).__name__}")


def _error(status: int, reason: str) -> JSONResponse:
    return JSONResponse({"error": escape(reason)}, status)
