"""Rows, counters and a core that tests of the alert side share."""

from __future__ import annotations

import json
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Any, cast

from sensor.alerts.rows import BeaconRow, FindingRow, HitRow, JudgedRow
from sensor.engine import Batch, Counters

SECOND = 1_000_000_000
# 2026-11-22T01:14:03.412Z, the moment of the lines in the interface document.
START = 1_795_310_043_412_000_000

HOST, C2 = "10.20.3.44", "203.0.113.9"
METADATA = json.dumps({"malware": "Emotet", "threat_type": "C2", "confidence": "90"})


def hit(time_ns: int = START, **changes: Any) -> HitRow:
    """The hit of the interface document: three packets out, two in."""
    row = {
        "time_ns": time_ns, "event": "open", "stage": "contact", "flow_id": 7, "community_id": "1:abc=",
        "start_ns": time_ns, "src_ip": HOST, "src_port": 50_000, "dest_ip": C2, "dest_port": 443, "proto": "TCP",
        "src_mac": "00:1b:44:11:3a:b7", "dest_mac": "00:00:5e:00:01:01", "vlan": [20],
        "tunnel_src": None, "tunnel_dest": None, "tunnel_proto": None, "tunnel_depth": 0, "in_iface": "eth1",
        "frame": None,
        "packets_toserver": 3, "packets_toclient": 2, "bytes_toserver": 180, "bytes_toclient": 120,
        "src_internal": True, "dest_internal": False, "first_sender": HOST,
        "list": "feodo", "indicator": C2, "type": "ip", "severity": 1, "metadata": METADATA, "matched": "dest",
        "observed": None, "observed_in": None,
    }  # fmt: skip
    unknown = set(changes) - set(row)
    assert not unknown, f"no such column: {unknown}"
    return cast("HitRow", {**row, **changes})


def finding(time_ns: int = START, **changes: Any) -> FindingRow:
    """A host that sends mail in bulk."""
    row = {
        "time_ns": time_ns, "rule": "smtp.bulk", "host": "10.20.7.12", "mac": "00:1b:44:11:3a:c0", "vlan": [100, 30],
        "in_iface": "eth1", "window_seconds": 600, "count": 22, "connections": 34, "servers": 22, "rejects": 0,
        "examples": ["198.51.100.1", "198.51.100.2"],
    }  # fmt: skip
    return cast("FindingRow", {**row, **changes})


def beacon(time_ns: int = START, **changes: Any) -> BeaconRow:
    """A host that has called a remote end each minute for twenty minutes."""
    row = {
        "time_ns": time_ns, "rule": "host.beacon", "host": HOST, "mac": "00:1b:44:11:3a:b7", "vlan": [20],
        "in_iface": "eth1", "name": "c2.example", "remote": C2, "port": 443, "proto": "TCP",
        "since_ns": time_ns - 1200 * SECOND, "calls": 21, "interval_seconds": 60.2, "jitter_ratio": 0.151,
        "fit_ratio": 0.95, "bytes_out": 18_900, "bytes_in": 88_200,
    }  # fmt: skip
    return cast("BeaconRow", {**row, **changes})


def judged(time_ns: int = START, **changes: Any) -> JudgedRow:
    """A campaign that has reached its threshold."""
    flow = {
        "flow_id": 9, "community_id": "1:def=", "start_ns": time_ns, "frame": None, "src_ip": "101.36.79.67",
        "src_port": 49_152, "dest_ip": "172.16.60.247", "dest_port": 25, "proto": "TCP", "app_proto": "smtp",
    }  # fmt: skip
    row = {
        "time_ns": time_ns, "rule": "mail.campaign", "severity": 2, "host": "172.16.60.247", "remote": "101.36.79.67",
        "subject": "it@t3sec.cc", "count": 1, "text": "20 mails", "notes": ["ten times the next"],
        "mac": "00:1b:44:00:00:f7", "vlan": [60], "in_iface": "eth1", "flow": flow, "context": {"messages": 20},
    }  # fmt: skip
    return cast("JudgedRow", {**row, **changes})


def counters(**changes: Any) -> Counters:
    """A snapshot in which both accounts close."""
    interface = {
        "name": "eth1", "state": "up", "captured_frames": 100, "captured_bytes": 38_000, "kernel_packets": 100,
        "kernel_dropped_frames": 0, "kernel_freezes": 0, "link_type": 1, "granted_ring_bytes": 1 << 26,
    }  # fmt: skip
    row = {
        "time_ns": START,
        "interfaces": [interface],
        "fates": {"stored": 90, "cut": 0, "ring_off": 0, "dropped_slow": 0, "dropped_full": 0, "dropped_error": 0},
        "ring_in_flight_frames": 10,
        "ring_cut_bytes": 0,
        "analysis": {"flow": 95, "non_ip": 3, "duplicate": 0, "undecodable": 2, "filtered": 0, "table_full": 0},
        "decode_errors": [{"layer": "ipv4", "error": "truncated", "frames": 2}],
        "encapsulations": [{"encapsulation": "vlan", "frames": 40}],
        "ring": {
            "bytes": 4096, "segments": 2, "oldest_time_ns": START - 31 * 3600 * SECOND, "written_bytes": 8192,
            "index_errors": 0,
            "free_bytes": 1 << 33, "error": None,
        },
        "flows": {"active": 5, "max": 1000, "ended": {"idle": 1, "active": 0, "fin": 2, "evicted": 0}},
        "hosts": {
            "active": 3, "max": 100, "evicted": 0, "peers_forgotten": 0, "senders_evicted": 0, "beacon_pairs": 6,
            "beacon_pairs_evicted": 0, "clicks_forgotten": 0,
            "askers_evicted": 0,
        },
        "names": {
            "flows": [{"app_proto": "unknown", "flows": 5}, {"app_proto": "tls", "flows": 7}],
            "errors": [{"app_proto": "tls", "error": "malformed", "errors": 2}],
            "held_bytes": 4096, "given_up": 0, "smtp_messages": 3, "resolved": 11, "resolved_forgotten": 0,
        },
        "mirror": {"verdict": "ok", "reasons": [], "sources": []},
        "copies_forgotten": 0,
        "fragments_forgotten": 0,
        "flows_without_layers": 0,
        "frames_without_source": 0,
        "punted": {"handed": 20, "repeated": 5, "dropped": 1},
        "watchlist": {
            "generation": 1,
            "lists": [{"list": "feodo", "type": "ip", "indicators": 12}],
            "hits": [{"list": "feodo", "hits": 1}],
            "forgotten": 0,
        },
        "sinks": [
            {"sink": "eve", "written": 7, "dropped": 0, "error": None},
            {"sink": "alerts", "written": None, "dropped": 2, "error": None},
        ],
        "queues": [{"queue": "eve", "length": 0, "capacity": 64}],
        "workers": [{"worker": 0, "progress": 1}],
        "clock_jumps": 0,
    }  # fmt: skip
    return cast("Counters", {**row, **changes})


def flow_row(**changes: Any) -> dict[str, Any]:
    """A row of the core's flow table."""
    row = {
        "flow_id": 1, "community_id": "1:x", "proto": "TCP", "orig_ip": HOST, "orig_port": 50_000, "resp_ip": C2,
        "resp_port": 443, "orig_mac": "00:1b:44:11:3a:b7", "resp_mac": None, "vlan": [20], "tunnel": None,
        "encapsulation": [], "interface": "eth1", "state": "established", "alerted": True,
        "start_ns": START - 90 * SECOND, "last_ns": START,
        "orig_packets": 10, "resp_packets": 20, "orig_bytes": 1000, "resp_bytes": 20_000,
        "orig_bytes_per_second": 100, "resp_bytes_per_second": 2000, "app_proto": None, "name": None,
    }  # fmt: skip
    return {**row, **changes}


def host_row(**changes: Any) -> dict[str, Any]:
    """A row of the core's host table."""
    row = {
        "ip": HOST, "mac": "00:1b:44:11:3a:b7", "vlan": [20], "interface": "eth1", "first_seen_ns": START - 90 * SECOND,
        "last_seen_ns": START, "peers": 4, "flows": 9, "bytes_out": 48_000, "bytes_in": 1_200_000, "packets_out": 1,
        "packets_in": 2, "bytes_out_per_second": 10, "bytes_in_per_second": 20, "ports_served": ["tcp/445"],
    }  # fmt: skip
    return {**row, **changes}


def interface(**changes: Any) -> list[dict[str, Any]]:
    """The interfaces of a snapshot, one, with changes."""
    return [{**counters()["interfaces"][0], **changes}]


_SUMMED = {
    "hosts": 2,
    "flows": 3,
    "bytes_out": 22_000,
    "bytes_in": 41_000,
    "bytes_out_per_second": 2200,
    "bytes_in_per_second": 4100,
}
SUMS: dict[str, list[dict[str, Any]]] = {
    "remotes": [{"ip": C2, "ports": ["tcp/22", "tcp/443"], **_SUMMED}],
    "vlans": [{"vlan": [20], **_SUMMED}],
}
"""What the core sums up."""


@dataclass
class FakeEngine:
    """Stands in for `sensor.engine.Engine`: gives the batches it is told to, and remembers what it is given."""

    settings: dict[str, Any] = field(default_factory=dict)
    batches: deque[Batch | Exception] = field(default_factory=deque)
    events: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    kept: deque[tuple[str, Any]] = field(default_factory=deque)
    watchlists: list[object] = field(default_factory=list)
    web_rules: list[object] = field(default_factory=list)
    progress: int = 0
    advances: bool = True
    changes: dict[str, Any] = field(default_factory=dict)
    wake: threading.Event = field(default_factory=threading.Event)
    flow_rows: list[dict[str, Any]] = field(default_factory=lambda: [flow_row()])
    host_rows: list[dict[str, Any]] = field(default_factory=lambda: [host_row()])
    summed: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: SUMS)
    asked: list[tuple[str, str, str, int]] = field(default_factory=list)

    def start(self) -> None:
        self.calls.append("start")

    def poll(self, timeout_seconds: float) -> Batch:
        if not self.batches:
            if "stop" in self.calls:
                return Batch(START, ended=True)
            self.wake.wait(min(timeout_seconds, 0.01))
        if not self.batches:
            return Batch(0)
        batch = self.batches.popleft()
        if isinstance(batch, Exception):
            raise batch
        return batch

    def records(self, timeout_seconds: float) -> list[tuple[str, Any]] | None:
        if "stop" in self.calls:
            return None
        self.wake.wait(min(timeout_seconds, 0.01))
        return [self.kept.popleft()] if self.kept else []

    def replace_watchlists(self, watchlists: object) -> int:
        self.calls.append("replace_watchlists")
        self.watchlists.append(watchlists)
        return len(self.watchlists)

    def replace_web_rules(self, rules: object) -> None:
        self.calls.append("replace_web_rules")
        self.web_rules.append(rules)

    def counters(self) -> Counters:
        self.progress += self.advances
        return counters(**{"workers": [{"worker": 0, "progress": self.progress}], **self.changes})

    def flows(self, filter_text: str, order: str, limit: int) -> list[dict[str, Any]]:
        return self._rows("flows", self.flow_rows, (filter_text, order, limit))

    def hosts(self, filter_text: str, order: str, limit: int) -> list[dict[str, Any]]:
        return self._rows("hosts", self.host_rows, (filter_text, order, limit))

    def sums(self, limit: int) -> dict[str, list[dict[str, Any]]]:
        self.asked.append(("sums", "", "", limit))
        return self.summed

    def traffic(self, limit: int) -> dict[str, Any]:
        raise RuntimeError(f"traffic is not added up, and there are no {limit} rows")

    def _rows(self, table: str, rows: list[dict[str, Any]], question: tuple[str, str, int]) -> list[dict[str, Any]]:
        filter_text, order, limit = question
        if order not in ("", "rate", "bytes", "start", "last"):
            raise ValueError(f"cannot order by '{order}'")
        if "!" in filter_text:
            raise ValueError(f"'{filter_text}' is no address, network, port, protocol or vlan:ID")
        self.asked.append((table, filter_text, order, limit))
        return [dict(row) for row in rows[:limit]]

    def log_event(self, line: str) -> None:
        self.events.append(line)

    def hand_in(self, interface: int, frames: list[tuple[int, bytes]]) -> None:
        self.calls.append(f"hand_in {interface} {len(frames)}")

    def write_frames(self, path: str, rotation: tuple[int, int, int]) -> tuple[int, int, bool]:
        self.calls.append(f"write_frames {path} {rotation}")
        return 0, 0, False

    def stop(self) -> None:
        self.calls.append("stop")


class Records:
    """Rows as the core hands them over."""

    def __init__(self, rows: list[dict[str, Any]] | None = None) -> None:
        self._rows = rows or []
        self.times_made = 0

    def __len__(self) -> int:
        return len(self._rows)

    def rows(self) -> list[dict[str, Any]]:
        self.times_made += 1
        return self._rows
