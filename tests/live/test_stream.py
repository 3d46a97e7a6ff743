"""The API of a real daemon fits its description, and its stream shows traffic while it flows."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from sensor.api.client import Stream, ask
from tests.live.conftest import SensorFactory
from tests.live.lab import Lab
from tests.traffic import build
from tests.unit.api.test_openapi import check, schema_of

pytestmark = pytest.mark.live

PC = build.Endpoint("00:1b:44:11:3a:b7", "10.20.3.44", 49200)
SERVER = build.Endpoint("00:00:5e:00:01:14", "198.51.100.7", 443)
MOST_EVENTS = 30


@contextmanager
def flowing(lab: Lab) -> Iterator[None]:
    """A connection that carries a kilobyte in each frame, in VLAN 20, for as long as this lasts."""
    ended = threading.Event()
    frame = build.vlan(build.tcp(PC, SERVER, build.Segment(build.ACK, 1, 1, b"x" * 1000)), 20)

    def frames() -> Iterator[bytes]:
        while not ended.is_set():
            yield frame

    sender = threading.Thread(target=lab.send, args=(frames(),))
    sender.start()
    try:
        yield
    finally:
        ended.set()
        sender.join()


def rate_of(rows: list[dict[str, Any]], address: str) -> int:
    return sum(
        row["orig_bytes_per_second"] + row["resp_bytes_per_second"]
        for row in rows
        if address in (row["orig_ip"], row["resp_ip"])
    )


def shows_the_flow(sample: dict[str, Any]) -> bool:
    """The only flow carries what the interface captures, give or take headers and the second that is looked at."""
    captured = sample["rates"]["bytes_per_second"]
    return bool(captured) and 0.5 < rate_of(sample["flows"], SERVER.address) / captured < 2


def test_the_stream_shows_the_rate_of_a_flow_while_it_flows(lab: Lab, sensor: SensorFactory) -> None:
    daemon = sensor(networks={"internal": ["10.0.0.0/8"]}).start()
    with flowing(lab), Stream(daemon.socket) as stream:
        events = list(itertools.islice(stream, 2))
        for event in itertools.islice(stream, MOST_EVENTS):
            events.append(event)
            if shows_the_flow(event.data) and event.data["remotes"] and event.data["hosts"]:
                break
        else:
            raise AssertionError(f"the flow's rate did not show in {MOST_EVENTS} samples")
    for event in events:
        check(event.data, schema_of("/api/stream", "text/event-stream"))
    numbers = [event.number for event in events]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    last = events[-1].data
    (flow,) = last["flows"]
    assert (flow["local"], flow["orig_ip"], flow["resp_ip"]) == ("orig", PC.address, SERVER.address)
    assert [(row["ip"], row["hosts"], row["ports"]) for row in last["remotes"]] == [(SERVER.address, 1, ["tcp/443"])]
    assert [(row["vlan"], row["flows"]) for row in last["vlans"]] == [([20], 1)]
    assert [row["ip"] for row in last["hosts"]] == [PC.address]
    page = ask(daemon.socket, f"hosts/{PC.address}")
    check(page, schema_of("/api/hosts/{address}"))
    assert (page["host"]["ip"], page["flows"][0]["resp_ip"]) == (PC.address, SERVER.address)
    for question in ("status", "hosts", "flows", "alerts"):
        check(ask(daemon.socket, question), schema_of(f"/api/{question}"))
    assert daemon.stop() == 0


def test_a_stop_of_the_daemon_ends_the_stream_and_says_nothing_of_it(sensor: SensorFactory) -> None:
    daemon = sensor().start()
    with Stream(daemon.socket) as stream:
        events = iter(stream)
        assert next(events).kind == "sample"
        assert daemon.stop() == 0
        assert all(event.kind in ("sample", "error") for event in events)
    assert "Traceback" not in daemon.said()
    assert "Cancel" not in daemon.said()
