"""The listening sockets of the daemon: opened before anything else, so that a taken one starts nothing."""

import errno
import socket
import ssl
from pathlib import Path
from types import TracebackType
from typing import Self

from sensor.api.server import ServerError, open_tcp, open_unix, tls_context
from sensor.config import Config

_SHORTEST_TOKEN = 16


class Listeners:
    """Opens what the configuration asks for; closes what was opened if one cannot be."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self.tcp: socket.socket | None = None
        self.unix: socket.socket | None = None
        self.tls: ssl.SSLContext | None = None
        self.token: str | None = None

    def __enter__(self) -> Self:
        """Open everything; ServerError."""
        metrics, api = self._config.metrics, self._config.api
        try:
            if metrics.listen is not None:
                self.tls = tls_context(metrics.tls.certificate, metrics.tls.key) if metrics.tls else None
                self.token = _read_token(metrics.token_file) if metrics.token_file else None
                self.tcp = open_tcp(metrics.listen.host, metrics.listen.port)
            if api.socket is not None:
                self.unix = open_unix(api.socket)
        except ServerError:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close what is still open."""
        self.close()

    def close(self) -> None:
        """Close the sockets; the Unix socket's file goes with it."""
        if self.tcp is not None:
            self.tcp.close()
        if self.unix is not None and self._config.api.socket is not None:
            self.unix.close()
            self._config.api.socket.unlink(missing_ok=True)
        self.tcp = self.unix = None


def _read_token(path: Path) -> str:
    try:
        token = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ServerError(errno.EINVAL, f"metrics.token_file: cannot read {path}: {error}") from error
    if len(token) < _SHORTEST_TOKEN:
        raise ServerError(errno.EINVAL, f"metrics.token_file: {path} must hold at least {_SHORTEST_TOKEN} characters")
    return token
