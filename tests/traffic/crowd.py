"""Captures with any number of flows that are all alive at once: UDP packets of each flow in turn."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sensor.demo.pcap_file import file_header
from tests.traffic import build
from tests.traffic.headers import START_SECONDS

_CHUNK_PACKETS = 1 << 18
_SPACING_NS = 2500
_RECORD_BYTES = 16
_ADDRESS, _PORTS = _RECORD_BYTES + 14 + 12, _RECORD_BYTES + 14 + 20


def write_crowd(path: Path, packets: int, flows: int, machines: int = 199) -> None:
    """Writes `packets` packets of 80 bytes, 400,000 a second, of flows from `machines`.

    Packet number n belongs to flow n modulo `flows`.
    """
    client = build.Endpoint("02:00:00:00:00:01", "10.0.0.0", 0)
    server = build.Endpoint("02:00:00:00:00:02", "203.0.113.9", 9)
    frame = np.frombuffer(build.udp(client, server, bytes(38)), dtype=np.uint8)
    with path.open("wb") as file:
        file.write(file_header())
        for start in range(0, packets, _CHUNK_PACKETS):
            numbers = np.arange(start, min(packets, start + _CHUNK_PACKETS))
            rows = _rows(numbers, frame)
            _place(rows, numbers % flows, machines)
            file.write(rows.tobytes())


def _rows(
    numbers: np.ndarray[tuple[int], np.dtype[np.int64]],
    frame: np.ndarray[tuple[int], np.dtype[np.uint8]],
) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    rows = np.zeros((len(numbers), _RECORD_BYTES + len(frame)), dtype=np.uint8)
    rows[:, _RECORD_BYTES:] = frame
    time_ns = numbers * _SPACING_NS
    header = np.stack(
        [START_SECONDS + time_ns // 1_000_000_000, time_ns % 1_000_000_000, *[np.full_like(numbers, len(frame))] * 2], 1
    )
    rows[:, :_RECORD_BYTES] = header.astype("<u4").view(np.uint8).reshape(len(numbers), _RECORD_BYTES)
    return rows


def _place(
    rows: np.ndarray[tuple[int, int], np.dtype[np.uint8]],
    flow: np.ndarray[tuple[int], np.dtype[np.int64]],
    machines: int,
) -> None:
    """Gives each flow its ends: machines with 16 bits of ports, and as many servers as that needs, as in an office."""
    ports = np.stack([flow % 60_000 + 1024, flow // 60_000 % 50_000 + 1024], 1)
    hosts = np.stack([0x0A000000 + flow % machines + 1, 0xCB007100 + flow % 251 + 1], 1)
    rows[:, _PORTS : _PORTS + 4] = ports.astype(">u2").view(np.uint8).reshape(len(rows), 4)
    rows[:, _ADDRESS : _ADDRESS + 8] = hosts.astype(">u4").view(np.uint8).reshape(len(rows), 8)
