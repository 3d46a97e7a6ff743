"""The servers: sockets are opened before anything else starts, and served by one thread of their own."""

import asyncio
import errno
import logging
import socket
import ssl
import stat
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

_log = logging.getLogger(__name__)
_BACKLOG = 64
_SOCKET_MODE = 0o660
_STOP_SECONDS = 5.0
_CONNECT_SECONDS = 1.0


class ServerError(OSError):
    """An address that cannot be served, with the next step."""


def open_tcp(host: str, port: int) -> socket.socket:
    """Open a listening TCP socket; port 0 takes a free one. Raises ServerError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        taken = "; another program has it: stop that one, or change metrics.listen"
        reason = f"{error.strerror}{taken if error.errno == errno.EADDRINUSE else ''}"
        raise ServerError(error.errno, f"cannot listen on {host} port {port}: {reason}") from error
    return listener


def open_unix(path: Path) -> socket.socket:
    """Open a listening Unix socket with mode 0660 in place of one that nobody serves. Raises ServerError."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_stale(path)
        listener.bind(str(path))
        # The mode is set before anybody can connect: until listen() the kernel refuses.
        path.chmod(_SOCKET_MODE)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise ServerError(error.errno, f"cannot serve {path}: {error.strerror or error}") from error
    return listener


def _remove_stale(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise OSError(errno.EEXIST, "a file that is no socket is in the way: remove it, or change api.socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_CONNECT_SECONDS)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
        except TimeoutError:
            pass
    raise OSError(errno.EADDRINUSE, "another spanwatch serves it: stop that one, or change api.socket")


def tls_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Load a certificate with its key; raises ServerError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise ServerError(errno.EINVAL, f"cannot use the certificate {certificate} with {key}: {error}") from error
    return context


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One listening socket, what answers on it, its certificate if it has one, and what ends answers without end."""

    listener: socket.socket
    app: ASGIApp
    tls: ssl.SSLContext | None = None
    close: Callable[[], None] = lambda: None


def _make_server(endpoint: Endpoint) -> uvicorn.Server:
    config = uvicorn.Config(
        endpoint.app,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    config.load()
    config.ssl = endpoint.tls
    return uvicorn.Server(config)


class ApiServer:
    """Serves the endpoints in one thread of its own."""

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        self._endpoints = endpoints
        self._servers = [_make_server(endpoint) for endpoint in endpoints]
        self._thread = threading.Thread(target=self._run, name="api", daemon=True)

    def start(self) -> None:
        """Start to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Answer what was asked, then stop."""
        for endpoint in self._endpoints:
            endpoint.close()
        for server in self._servers:
            server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(_STOP_SECONDS)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except (OSError, RuntimeError):
            _log.exception("the API has ended; the sensor goes on without it")

    async def _serve(self) -> None:
        serving = zip(self._servers, self._endpoints, strict=True)
        await asyncio.gather(*(server.serve([endpoint.listener]) for server, endpoint in serving))
