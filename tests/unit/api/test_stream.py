"""One sampler for all who listen, and no queue for those who do not read."""

from __future__ import annotations

import http.client
import itertools
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from sensor.api.client import NoAnswerError, RefusedError, Stream
from sensor.api.server import ApiServer, Endpoint, open_unix
from sensor.api.stream import MOST_LISTENERS, EventStream
from tests.unit.api.test_server import UnixConnection, get
from tests.unit.daemon_bench import until

PERIOD_SECONDS = 0.02


class Source:
    """Counts how often it is asked, and fails when it is told to."""

    def __init__(self) -> None:
        self.taken = 0
        self.failure: Exception | None = None
        self.ballast = ""

    def take(self) -> dict[str, Any]:
        self.taken += 1
        if self.failure is not None:
            raise self.failure
        return {"taken": self.taken, "ballast": self.ballast}


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def stream(source: Source) -> EventStream:
    return EventStream(source.take, PERIOD_SECONDS)


@contextmanager
def serving(path: Path, stream: EventStream) -> Iterator[ApiServer]:
    with open_unix(path) as listener:
        app = Starlette(routes=[Route("/api/stream", stream, methods=["GET"])])
        server = ApiServer([Endpoint(listener, app, close=stream.close)])
        server.start()
        try:
            yield server
        finally:
            server.stop()
    assert not server._thread.is_alive()


@pytest.fixture
def path(tmp_path: Path, stream: EventStream) -> Iterator[Path]:
    with serving(tmp_path / "s", stream):
        yield tmp_path / "s"


@pytest.fixture
def once(tmp_path: Path, source: Source) -> Iterator[tuple[Path, ApiServer]]:
    """A stream with one sample an hour."""
    with serving(tmp_path / "once", EventStream(source.take, period_seconds=3600)) as server:
        yield tmp_path / "once", server


def test_events_are_numbered_samples(path: Path) -> None:
    with Stream(path) as events:
        first, second = itertools.islice(events, 2)
    assert (first.kind, second.kind) == ("sample", "sample")
    assert (second.number, second.data["taken"]) == (first.number + 1, first.data["taken"] + 1)


def test_the_bytes_are_those_of_server_sent_events(path: Path) -> None:
    connection = UnixConnection(path)
    connection.request("GET", "/api/stream")
    response = connection.getresponse()
    assert response.headers["content-type"].startswith("text/event-stream")
    lines = [response.readline() for _ in range(4)]
    assert lines == [b"event: sample\n", b"id: 1\n", b'data: {"taken":1,"ballast":""}\n', b"\n"]
    connection.close()


def test_all_clients_share_one_sampler_that_rests_when_they_are_gone(
    path: Path, source: Source, stream: EventStream
) -> None:
    assert source.taken == 0, "nobody listens"
    streams = [Stream(path) for _ in range(MOST_LISTENERS)]
    readers = [iter(stream) for stream in streams]
    seen = [{next(reader).data["taken"] for _ in range(20)} for reader in readers]
    assert source.taken <= max(map(max, seen)) + 2, "each client sees what the others see"
    for one in streams:
        one.interrupt()
        one.close()
    until(lambda: stream._sampling is not None and stream._sampling.done())
    resting = source.taken
    with Stream(path) as events:
        assert next(iter(events)).data["taken"] == resting + 1


def test_coming_and_going_does_not_sample_more_often(once: tuple[Path, ApiServer], source: Source) -> None:
    for _ in range(5):
        with Stream(once[0]) as events:
            assert next(iter(events)).number == 1
    assert source.taken == 1


def test_one_client_too_many_is_turned_away_until_one_leaves(path: Path) -> None:
    streams = [Stream(path) for _ in range(MOST_LISTENERS)]
    with pytest.raises(RefusedError, match=f"{MOST_LISTENERS} clients listen already") as refused:
        Stream(path)
    assert refused.value.status == 503
    streams.pop().close()

    def admitted() -> bool:
        try:
            streams.append(Stream(path))
        except RefusedError:
            return False
        return True

    until(admitted)
    for one in streams:
        one.close()


def test_a_client_that_does_not_read_loses_samples_and_holds_nobody_up(path: Path, source: Source) -> None:
    source.ballast = "x" * 300_000
    slow = Stream(path)
    with Stream(path) as events:
        latest = [event.number for event in itertools.islice(events, 60)][-1]
    numbers = [event.number for event in itertools.islice(slow, 40)]
    gaps = [later - earlier for earlier, later in itertools.pairwise(numbers)]
    slow.close()
    # What the kernel and the server held for it is a few samples, far from the sixty that were taken.
    assert max(gaps) > 20, (latest, numbers)


def test_a_core_that_fails_is_told_and_ends_the_stream(path: Path, source: Source) -> None:
    with Stream(path) as events:
        reader = iter(events)
        next(reader)
        source.failure = RuntimeError("the engine does not run")
        told = list(reader)
    assert [event.data for event in told if event.kind == "error"] == [{"error": "RuntimeError"}]
    assert told[-1].kind == "error"
    source.failure = None
    with Stream(path) as events:
        assert next(iter(events)).kind == "sample"


def test_a_stop_ends_the_streams_at_once(once: tuple[Path, ApiServer], caplog: pytest.LogCaptureFixture) -> None:
    with Stream(once[0]) as events:
        reader = iter(events)
        next(reader)
        once[1].stop()
        assert list(reader) == []
    assert not caplog.records


def test_a_waiting_reader_is_woken_by_an_interrupt(once: tuple[Path, ApiServer]) -> None:
    events = Stream(once[0])
    reader = iter(events)
    next(reader)
    ends: list[object] = []

    def read() -> None:
        try:
            ends.extend(reader)
        except NoAnswerError as error:
            ends.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    events.interrupt()
    thread.join(5)
    assert not thread.is_alive()
    events.close()


def test_only_get_is_answered(path: Path) -> None:
    connection: http.client.HTTPConnection = UnixConnection(path)
    connection.request("POST", "/api/stream")
    assert connection.getresponse().status == 405
    connection.close()


def test_nobody_at_the_socket_is_no_answer(tmp_path: Path) -> None:
    with pytest.raises(NoAnswerError, match="No such file"):
        Stream(tmp_path / "none")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "stale"))
        with pytest.raises(NoAnswerError, match="refused"):
            Stream(tmp_path / "stale")


def test_what_is_no_stream_is_refused(path: Path) -> None:
    assert get(UnixConnection(path), "/api/nothing")[0] == 404
