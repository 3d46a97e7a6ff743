"""A hunt while the sensor runs: its open connections count, and what a reload adds is hunted by itself."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sensor._native import Watchlists
from sensor.cli.main import main
from sensor.config import Config
from sensor.daemon import Daemon
from sensor.demo.messages import client_hello, server_hello
from sensor.engine import Batch
from sensor.hunt.retro import KNOWN
from sensor.reload import Lists
from tests.traffic.build import Conversation, Endpoint, write_pcap
from tests.unit.daemon_bench import Bench, until
from tests.unit.hunt.history import HistoryTree
from tests.unit.samples import flow_row

START_NS = 1_795_330_800 * 1_000_000_000
PC = Endpoint("02:00:00:00:00:01", "10.20.3.44", 50_000)
C2 = Endpoint("02:00:00:00:00:02", "203.0.113.9", 443)


class HistoryBench(Bench):
    """A daemon beside a history in which one host has met the controller."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.lists = [Lists(Watchlists.compile([]), [])]
        talk = Conversation(PC, C2)
        frames = [*talk.open(), *talk.send(client_hello("c2.example", 1), from_client=True)]
        frames += [*talk.send(server_hello(1), from_client=False), *talk.close()]
        write_pcap(directory / "c2.pcap", [(START_NS + n * 1_000_000, frame) for n, frame in enumerate(frames)])
        self.tree = HistoryTree(directory / "history")
        self.tree.add_capture(directory / "c2.pcap")

    def config(self, **overrides: object) -> Config:
        kept = {"history.enabled": True, "history.directory": str(self.directory / "history")}
        return super().config(**{**kept, **overrides})

    @contextmanager
    def hunting(self) -> Iterator[list[str]]:
        """Give the command that hunts here."""
        path = self.directory / "hunt.yaml"
        path.write_text(
            f"history: {{directory: {self.directory / 'history'}}}\napi: {{socket: {self.directory / 'api.sock'}}}\n"
            "pcap_ring: {enabled: false}\nwatchlists: []\n"
        )
        with self.running():
            yield ["hunt", "--json", "-c", str(path)]

    def open_flow(self, **changes: Any) -> dict[str, Any]:
        [recorded] = self.tree.rows("flow")
        row = flow_row() | {
            "flow_id": recorded["flow_id"] + 1, "community_id": "1:x=", "proto": "TCP", "orig_ip": PC.address,
            "orig_port": 50_001, "resp_ip": C2.address, "resp_port": 443, "orig_mac": PC.mac, "resp_mac": C2.mac,
            "vlan": [], "state": "established", "start_ns": START_NS + 10**12, "last_ns": START_NS + 2 * 10**12,
            "orig_packets": 9, "resp_packets": 9, "orig_bytes": 900, "resp_bytes": 9000, "name": "c2.example",
        }  # fmt: skip
        return row | changes


@pytest.fixture
def bench(tmp_path: Path) -> HistoryBench:
    return HistoryBench(tmp_path)


def answers(command: list[str], capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    main([*command, *words])
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize("word", ["203.0.113.9", "203.0.113.8/31", "c2.example", "*.c2.example"])
def test_open_connections_count_beside_recorded_ones(
    bench: HistoryBench, capsys: pytest.CaptureFixture[str], word: str
) -> None:
    [recorded] = bench.tree.rows("flow")
    bench.engine.flow_rows = [bench.open_flow(), flow_row(resp_ip="198.51.100.9")]
    with bench.hunting() as command:
        [row] = answers(command, capsys, word)
    assert (row["ip"], row["contacts"], row["attempts"]) == (PC.address, 2, 0)
    assert row["bytes_out"] == recorded["bytes_toserver"] + 900
    assert row["bytes_in"] == recorded["bytes_toclient"] + 9000
    assert "live" in row["seen_in"]


def test_a_connection_that_was_recorded_while_it_is_open_counts_once(
    bench: HistoryBench, capsys: pytest.CaptureFixture[str]
) -> None:
    [recorded] = bench.tree.rows("flow")
    totals = {"orig_bytes": recorded["bytes_toserver"] + 50, "resp_bytes": recorded["bytes_toclient"]}
    same = {"flow_id": recorded["flow_id"], "start_ns": recorded["start_ns"]}
    bench.engine.flow_rows = [bench.open_flow(**same, **totals)]
    with bench.hunting() as command:
        [row] = answers(command, capsys, "203.0.113.9")
    assert row["contacts"] == 1
    assert (row["bytes_out"], row["bytes_in"]) == (totals["orig_bytes"], totals["resp_bytes"])


def test_what_a_reload_adds_is_hunted_and_told_at_once(bench: HistoryBench) -> None:
    before = Watchlists.compile([("feodo", "plain", b"192.0.2.1\n", 1)])
    after = Watchlists.compile([("feodo", "csv", b"indicator,malware\n192.0.2.1,\n203.0.113.9,Emotet\n", 1)])
    (bench.directory / "added").touch()
    before.write_added(None, bench.directory / "added", bench.directory / "history" / KNOWN)
    bench.lists = [Lists(before, []), Lists(after, [])]

    def beat(daemon: Daemon) -> bool:
        bench.engine.batches.append(Batch(time.time_ns()))
        return bool(bench.alert_lines) and daemon is not None

    with bench.running() as daemon:
        daemon._reloader.request()
        until(lambda: beat(daemon), 60)
    [line] = bench.alert_lines
    assert " OPEN   high   watchlist.retro  #" in line
    assert "10.20.3.44 (02:00:00:00:00:01)  203.0.113.9: 1 contact, 0 attempts, first 2026-11-22T" in line
    assert "Emotet (feodo)" in line
    [alert] = [json.loads(event) for event in bench.engine.events if '"event_type":"alert"' in event]
    assert alert["alert"]["signature_id"] == 8_000_005
    assert alert["spanwatch"]["retro"]["contacts"] == 1
    assert alert["alert"]["context"]["watchlist"]["list"] == "feodo"
    assert alert["flow"]["start"] == "2026-11-22T07:00:00.000000+0000"
    assert (alert["src_ip"], alert["dest_ip"], alert["dest_port"]) == (PC.address, C2.address, 443)
