"""Asking the running daemon through its Unix socket."""

import contextlib
import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.parse import quote, urlencode

_TIMEOUT_SECONDS = 10.0
_LARGEST_ANSWER_BYTES = 64 << 20
_LONGEST_LINE_BYTES = 16 << 20


class NoAnswerError(Exception):
    """Nobody answers at the socket, or what answers cannot be understood."""


class RefusedError(Exception):
    """The daemon refuses the question; `status` is that of HTTP."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class StreamEvent(NamedTuple):
    """One event of the stream: `kind` is `sample`, or `error` before the stream ends."""

    kind: str
    number: int
    data: dict[str, Any]


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_TIMEOUT_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def ask(path: Path, question: str, **parameters: str) -> Any:  # noqa: ANN401
    """Give the answer to a question such as `hosts/10.1.2.3`. Raises NoAnswerError or RefusedError."""
    connection = _UnixConnection(path)
    try:
        query = f"?{urlencode(parameters)}" if parameters else ""
        connection.request("GET", f"/api/{quote(question)}{query}")
        response = connection.getresponse()
        answer = json.loads(response.read(_LARGEST_ANSWER_BYTES))
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _no_answer(error) from error
    finally:
        connection.close()
    _check(response.status, answer)
    return answer


class Stream:
    """The events of `/api/stream`, until the daemon ends it or `interrupt`. Raises NoAnswerError or RefusedError."""

    def __init__(self, path: Path) -> None:
        connection = _UnixConnection(path)
        try:
            connection.connect()
            self._socket: socket.socket = connection.sock
            connection.request("GET", "/api/stream")
            self._response = connection.getresponse()
            if self._response.status != http.HTTPStatus.OK:
                _check(self._response.status, json.loads(self._response.read(_LONGEST_LINE_BYTES)))
        except (OSError, http.client.HTTPException, ValueError) as error:
            connection.close()
            raise _no_answer(error) from error
        except RefusedError:
            connection.close()
            raise
        self._connection = connection

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[StreamEvent]:
        """Wait for events and give them; ends with the stream."""
        try:
            yield from self._events()
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise _no_answer(error) from error

    def interrupt(self) -> None:
        """End it from another thread: the one that waits for events is woken, and sees the end."""
        with contextlib.suppress(OSError):  # it has ended already
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End it."""
        self._response.close()
        self._connection.close()

    def _events(self) -> Iterator[StreamEvent]:
        fields: dict[str, str] = {}
        while line := self._response.readline(_LONGEST_LINE_BYTES):
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name:
                fields[name] = value
            elif fields:
                yield StreamEvent(fields["event"], int(fields["id"]), json.loads(fields["data"]))
                fields = {}


def _no_answer(error: Exception) -> NoAnswerError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return NoAnswerError(reason or type(error).__name__)


def _check(status: int, answer: Any) -> None:  # noqa: ANN401
    if status != http.HTTPStatus.OK:
        reason = answer.get("error") if isinstance(answer, dict) else None
        raise RefusedError(status, str(reason or "no reason given"))
