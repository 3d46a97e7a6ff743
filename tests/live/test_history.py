"""What the running daemon keeps of the past equals what it says of the present."""

import json
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.live.conftest import SensorFactory
from tests.live.lab import Lab, until
from tests.live.sensor_process import SensorProcess
from tests.live.test_ring import capture_of, mixed_frames
from tests.traffic.office import office_frames

pytestmark = pytest.mark.live

_TYPES = ["alert", "flow", "dns", "tls", "http", "ssh"]


def _rows(root: Path, kind: str, columns: str) -> list[tuple[Any, ...]]:
    query = f"SELECT {columns} FROM '{root}/kind={kind}/*/*/*.parquet' ORDER BY ALL"
    return duckdb.connect(":memory:").execute(query).fetchall()


def _events(daemon: SensorProcess, kind: str) -> list[dict[str, Any]]:
    return [event for line in daemon.eve.read_text().splitlines() if (event := json.loads(line))["event_type"] == kind]


def test_history_holds_what_the_event_log_says(lab: Lab, sensor: SensorFactory, tmp_path: Path) -> None:
    root = tmp_path / "history"
    frames = [*mixed_frames(1000), *office_frames(3000)]
    daemon = sensor(eve={"types": _TYPES}, history={"enabled": True, "directory": str(root), "min_free": 0}).start()
    lab.replay(capture_of(tmp_path / "sent.pcap", frames), "--pps", "20000")
    daemon.captures(len(frames))
    assert daemon.stop() == 0
    flows = [
        (
            event["flow_id"],
            event["src_ip"],
            event["dest_ip"],
            event["community_id"],
            event["flow"]["pkts_toserver"],
            event["flow"]["bytes_toclient"],
        )
        for event in _events(daemon, "flow")
    ]
    columns = "flow_id, src_ip, dest_ip, community_id, packets_toserver, bytes_toclient"
    assert len(flows) > 100
    assert _rows(root, "flow", columns) == sorted(flows)
    for kind in ("dns", "tls", "http", "ssh"):
        events = Counter(event["flow_id"] for event in _events(daemon, kind))
        assert events
        assert Counter(flow for (flow,) in _rows(root, kind, "flow_id")) == events, kind


def test_a_kill_costs_what_is_not_yet_written_and_nothing_else(lab: Lab, sensor: SensorFactory, tmp_path: Path) -> None:
    root = tmp_path / "history"
    history = {"enabled": True, "directory": str(root), "min_free": 0}
    short = {"udp_idle": "1s", "tcp_idle": "1s"}
    daemon = sensor(history=history, flows=short).start()
    frames = mixed_frames(500)
    lab.replay(capture_of(tmp_path / "sent.pcap", frames), "--pps", "20000")
    daemon.captures(len(frames))
    until("records in the history", lambda: list(root.glob("kind=flow/*/*/*.parquet")), 60)
    before = _rows(root, "flow", "flow_id, time_ns")
    daemon.signal(signal.SIGKILL)
    daemon.wait()
    daemon.start()
    assert _rows(root, "flow", "flow_id, time_ns") == before
    assert daemon.stop() == 0
