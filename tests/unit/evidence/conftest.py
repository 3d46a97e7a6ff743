"""A ring of a few conversations, and orders for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sensor.alerts.rules import Severity
from sensor.config import Config
from sensor.config.models import PcapRing
from sensor.config.outputs import Evidence
from sensor.demo.pcap_file import write_pcap
from sensor.evidence.order import Order
from tests.traffic import build

SECOND = 1_000_000_000
START = 1_795_333_565 * SECOND
HOST, C2, OTHER = "10.20.3.44", "203.0.113.9", "203.0.113.10"
FRAME_BYTES = 1000


def frame(source: str, destination: str, number: int) -> bytes:
    """A datagram of a known length, different from all others."""
    ends = (build.Endpoint("00:1b:44:11:3a:b7", source, 5000), build.Endpoint("00:00:5e:00:01:14", destination, 53))
    return build.udp(*ends, number.to_bytes(4, "big") * ((FRAME_BYTES - 42) // 4))


def until(condition: Callable[[], object], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Each second from 0 to 99 a frame between host and C2, and one between the host and somebody else."""
    ring, evidence = tmp_path / "ring", tmp_path / "evidence"
    ring.mkdir()
    evidence.mkdir()
    frames = [
        (START + number * SECOND + index, frame(HOST, remote, number))
        for number in range(100)
        for index, remote in enumerate((C2, OTHER))
    ]
    write_pcap(ring / "eth1-0-20261122T074605.000000Z-000001.pcap", frames)
    return Config(
        pcap_ring=PcapRing(directory=ring, min_free=0),
        evidence=Evidence.model_validate({"directory": evidence, "max_size": "8MiB", "before": "30s", "after": "10s"}),
    )


@pytest.fixture
def order() -> Callable[..., Order]:
    """Makes the order of an incident that opened in second 50."""
    opened = START + 50 * SECOND
    first = Order(
        "1f3a", "watchlist.ip", Severity.HIGH, HOST, C2, C2, opened, opened - 30 * SECOND, opened, opened + 10 * SECOND
    )

    def make(**changes: Any) -> Order:
        return replace(first, **changes)

    return make
