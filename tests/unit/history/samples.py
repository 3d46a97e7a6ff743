"""Records of the real core, for tests of the history."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

import sensor
from sensor.alerts.text import HOUR, NS_PER_SECOND
from sensor.config.outputs import History as Settings
from sensor.history.tree import Hour
from tests.traffic.build import Endpoint, udp, write_pcap

if TYPE_CHECKING:
    from sensor._native import RecordBatch

NOON = 1_795_348_800 // HOUR
"""The hour that the records are of, if nothing else is said: 2026-11-22 12:00 UTC."""

FLOWS = Hour(NOON, "flow")


def flow_batch(flows: int, hour: int = NOON, first: int = 0) -> RecordBatch:
    """Flow records of one packet each; number n goes to port 1024 + n, from one of 200 hosts."""
    frames = []
    for number in range(first, first + flows):
        client = Endpoint("02:00:00:00:00:01", f"10.0.0.{number % 200 + 1}", 1024 + number)
        server = Endpoint("02:00:00:00:00:02", f"203.0.113.{number % 50 + 1}", 9)
        # A flow record is of the time when its silence is noticed, a minute later.
        time_ns = (hour * HOUR + 60) * NS_PER_SECOND + number * 10_000_000
        frames.append((time_ns, udp(client, server, bytes(20))))
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "flows.pcap"
        write_pcap(path, frames)
        with sensor.open(path) as capture:
            (batch,) = capture.batches("flow")
    return batch


def settings(root: Path, **changes: Any) -> Settings:
    """Settings under which nothing is deleted, except by what changes."""
    return Settings.model_validate({"directory": root, "max_age": 0, "min_free": 0, **changes}, strict=False)


def query(statement: str) -> list[tuple[Any, ...]]:
    """What a DuckDB of its own answers."""
    return duckdb.connect(":memory:").execute(statement).fetchall()


def rows(root: Path, kind: str, columns: str = "*", *, order: str = "ALL") -> list[tuple[Any, ...]]:
    """What any DuckDB finds, by globbing the tree as it lies."""
    found = f"read_parquet('{root}/kind={kind}/*/*/*.parquet', hive_partitioning = true)"
    return query(f"SELECT {columns} FROM {found} ORDER BY {order}")


def ports(root: Path) -> list[int]:
    """The client ports of all flow records, which number them."""
    return [port for (port,) in rows(root, "flow", "src_port")]
