"""An office that the screen shows: a core with its rows, and a daemon's API over it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from sensor.alerts.conditions import Health
from sensor.alerts.desk import AlertDesk, EventLog
from sensor.alerts.policy import Policy
from sensor.api.app import socket_app
from sensor.api.live import LiveView
from sensor.api.sample import Sampler
from sensor.api.server import ApiServer, Endpoint, open_unix
from sensor.api.stream import EventStream
from sensor.engine import Batch
from sensor.identity.facts import Evidence
from sensor.identity.naming import Identities
from tests.unit.samples import SECOND, START, FakeEngine, finding, flow_row, hit, host_row, interface

KB = 1000
# Local address and port, remote, its port, protocol, name, kB/s, bytes, age in seconds.
_CONNECTIONS: tuple[tuple[str, int, str, int, str, str, float, int, int], ...] = (
    ("10.20.3.44", 49_200, "203.0.113.9", 443, "tls", "", 2.1, 61_000, 1300),
    ("10.20.3.17", 50_112, "198.51.100.7", 443, "tls", "download.example.com", 8412.0, 940_000_000, 131),
    ("10.20.3.17", 50_113, "198.51.100.7", 443, "tls", "download.example.com", 3127.4, 310_000_000, 130),
    ("10.20.4.8", 51_004, "192.0.2.80", 80, "http", "mirror.debian.example", 911.2, 48_200_000, 62),
    ("10.20.3.90", 60_221, "198.51.100.61", 443, "quic", "video.example.net", 642.7, 77_000_000, 412),
    ("10.20.7.12", 42_001, "198.51.100.25", 25, "smtp", "mx1.example.org", 88.0, 4_100_000, 12),
    ("10.20.7.12", 42_002, "198.51.100.26", 25, "smtp", "mx2.example.org", 71.5, 3_900_000, 9),
    ("10.20.3.21", 58_800, "198.51.100.140", 993, "tls", "imap.example.com", 12.4, 1_310_000, 7260),
    ("10.20.9.5", 5353, "198.51.100.53", 53, "dns", "www.example.com", 1.3, 840, 1),
    ("10.20.3.33", 3389, "203.0.113.77", 51_620, "rdp", "", 0.9, 220_000, 95),
    ("2001:db8:20::44", 49_900, "2001:db8:ffff::80", 443, "tls", "cdn.example.com", 0.4, 52_000, 33),
)
_DEVICES: tuple[tuple[str, str, list[int], float, int, int], ...] = (
    ("10.20.3.17", "pc-0417", [20], 11_539.4, 1_250_000_000, 31),
    ("10.20.4.8", "build-2", [30], 911.2, 48_200_000, 4),
    ("10.20.3.90", "pc-0490", [20], 642.7, 77_000_000, 18),
    ("10.20.7.12", "pc-0712", [100, 30], 159.5, 8_000_000, 22),
    ("10.20.3.44", "PC-0444", [20], 2.1, 61_000, 3),
    ("10.20.9.5", "", [], 1.3, 840, 1),
)
NAMES_WITH_TRICKS = "\x1b[2J[bold red]evil[/] \u202e"


_SUMMED = {
    "bytes_out": "orig_bytes",
    "bytes_in": "resp_bytes",
    "bytes_out_per_second": "orig_bytes_per_second",
    "bytes_in_per_second": "resp_bytes_per_second",
}


def flows() -> list[dict[str, Any]]:
    """Connections as the core gives them, the fastest first."""
    rows = []
    for number, connection in enumerate(_CONNECTIONS):
        local, local_port, remote, port, protocol, name, rate, size, age = connection
        inbound = protocol == "rdp"
        ends = (remote, port, local, local_port) if inbound else (local, local_port, remote, port)
        sides = dict(zip(("orig_ip", "orig_port", "resp_ip", "resp_port"), ends, strict=True))
        carried = {"orig_bytes": size // 20, "resp_bytes": size - size // 20, "orig_bytes_per_second": 0}
        rows.append(
            flow_row(
                flow_id=number, proto="UDP" if protocol in ("quic", "dns") else "TCP", alerted=number == 0,
                app_proto=protocol, name=name or None, vlan=[100, 30] if local.startswith("10.20.7") else [20],
                start_ns=START - age * SECOND, resp_bytes_per_second=int(rate * KB), **carried, **sides,
            )
        )  # fmt: skip
    return sorted(rows, key=lambda row: -int(row["resp_bytes_per_second"]))


def hosts() -> list[dict[str, Any]]:
    """Devices as the core gives them, the fastest first."""
    return [
        host_row(
            ip=address, name=name or None, mac=f"00:1b:44:11:3a:{number:02x}", vlan=vlan, peers=peers, flows=peers * 3,
            bytes_out=size // 20, bytes_in=size, bytes_out_per_second=int(rate * 50),
            bytes_in_per_second=int(rate * 950), last_seen_ns=START - number * SECOND,
        )
        for number, (address, name, vlan, rate, size, peers) in enumerate(_DEVICES)
    ]  # fmt: skip


def sums() -> dict[str, list[dict[str, Any]]]:
    """Remotes and VLANs as the core sums them up."""
    found: dict[str, dict[str, dict[str, Any]]] = {"remotes": {}, "vlans": {}}
    for row in flows():
        address, tags = row["resp_ip"], row["vlan"]
        remote = {"ip": address, "ports": [f"{row['proto'].lower()}/{row['resp_port']}"]}
        for table, key, named in (("remotes", address, remote), ("vlans", str(tags), {"vlan": tags})):
            group = found[table].setdefault(key, {**named, "hosts": 1, "flows": 0, **dict.fromkeys(_SUMMED, 0)})
            group["flows"] += 1
            for column, summed in _SUMMED.items():
                group[column] += row[summed]
    return {table: list(groups.values()) for table, groups in found.items()}


class Office:
    """A core, its alerts, and the API over them at `path`, which can be taken away and put back."""

    def __init__(self, path: Path, period_seconds: float = 0.1) -> None:
        self.path = path
        self.engine = FakeEngine(flow_rows=flows(), host_rows=hosts(), summed=sums())
        self.engine.changes = {"interfaces": interface(captured_frames=812_331), "mirror": MIRROR}
        self.desk = AlertDesk(Policy(), EventLog(self.engine.log_event, frozenset(), "hq"))
        self.desk.take(Batch(START, [hit(src_port=49_200)], [finding(START, rule="smtp.bulk")]))
        self._period_seconds = period_seconds
        self._frames = 812_331
        self.health: Health | None = None

    @contextmanager
    def open(self) -> Iterator[None]:
        """The daemon is there."""
        native: Any = self.engine
        identities = Identities(100, [ip_network("10.0.0.0/8"), ip_network("2001:db8:20::/48")])
        for row in filter(lambda row: row["name"], self.engine.host_rows):
            identities.learn(Evidence(row["last_seen_ns"], "dhcp", row["ip"], row["mac"], row["name"]))
        view = LiveView(native, self.desk, self._counters, tuple, identities)
        view.health = self.health or view.health
        stream = EventStream(Sampler(view).take, self._period_seconds)
        with open_unix(self.path) as listener:
            server = ApiServer([Endpoint(listener, socket_app(view, stream), close=stream.close)])
            server.start()
            try:
                yield
            finally:
                server.stop()
                self.path.unlink()

    def _counters(self) -> Any:
        self._frames += int(13_538 * self._period_seconds)
        size = self._frames * 1050
        self.engine.changes["interfaces"] = interface(captured_frames=self._frames, captured_bytes=size)
        return {**self.engine.counters(), "flows": {"active": 104_233, "max": 10**6, "ended": {"idle": 1}}}


def _source(source: str, **changes: Any) -> dict[str, Any]:
    return {
        "source": source, "interface": "eth1", "encapsulation": None, "origin": None, "session": None,
        "bits_per_second": 104_000_000, "vlans": [20, 30], "frames": 812_331, "bytes": 852_000_000,
        "sequence_lost_frames": 0, "truncated_frames": 0, "merged_frames": 0, "tcp_flows": 900,
        "tcp_one_sided_flows": 3, "duplicate_frames": {"exact": 0, "routed": 12, "vlan": 0, "both_directions": 0},
        **changes,
    }  # fmt: skip


MIRROR: dict[str, Any] = {
    "verdict": "ok",
    "reasons": [],
    "sources": [
        _source("eth1"),
        _source(
            "eth1 erspan_ii 192.0.2.1 session 7", bits_per_second=8_200_000, frames=40_112, sequence_lost_frames=24
        ),
    ],
}
