from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from socket import inet_aton
from typing import Any

import dpkt
import pytest

from sensor.alerts.policy import Policy
from sensor.alerts.rows import FindingRow, HitRow
from sensor.config import engine_settings, load
from sensor.engine import Batch, Engine
from tests.unit.samples import C2, HOST, SUMS, Records, counters, finding, hit

LAYERS = [{"kind": "vlan", "vlan": 20}]


@dataclass
class NativeBatch:
    time_ns: int
    hits: str = "[]"
    findings: str = "[]"
    ended: bool = False
    beacons: str = "[]"
    conditions: str = "[]"
    punted: list[tuple[Any, ...]] = field(default_factory=list)
    routers: list[str] = field(default_factory=list)
    mails: Records = field(default_factory=Records)
    logins: Records = field(default_factory=Records)
    clicks: str = "[]"
    web: str = "[]"


@dataclass
class Core:
    """The native engine, as far as the contract goes."""

    batch: NativeBatch | None = None
    asked: list[Any] = field(default_factory=list)

    def start(self) -> None:
        self.asked.append("start")

    def poll(self, timeout_seconds: float, /) -> NativeBatch:
        self.asked.append(timeout_seconds)
        assert self.batch is not None
        return self.batch

    def replace_watchlists(self, watchlists: object, /) -> int:
        self.asked.append(watchlists)
        return 4

    def counters(self) -> str:
        return json.dumps(counters())

    def flows(self, filter: str, order: str, limit: int, /) -> object:  # noqa: A002
        self.asked.append((filter, order, limit))
        return Records([{"orig_ip": C2, "orig_port": 443, "encapsulation": json.dumps(LAYERS)}])

    def hosts(self, filter: str, order: str, limit: int, /) -> object:  # noqa: A002
        raise ValueError(f"cannot order by '{order}' {filter} {limit}")

    def sums(self, limit: int, /) -> str:
        self.asked.append(limit)
        return json.dumps(SUMS)

    def log_event(self, line: str, /) -> None:
        self.asked.append(line)

    def hand_in(self, interface: int, frames: list[tuple[int, bytes]], /) -> None:
        self.asked.append((interface, frames))

    def write_frames(self, path: str, rotation: tuple[int, int, int], /) -> tuple[int, int, bool]:
        self.asked.append((path, rotation))
        return 5, 1, False

    def stop(self) -> None:
        self.asked.append("stop")


def engine_of(settings: dict[str, Any], core: Any) -> Engine:
    return Engine(settings, core)


def _without_nulls(row: Any) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None and value != row.get("examples")}


def test_a_batch_carries_rows_time_and_end() -> None:
    hits, findings = [_without_nulls(hit())], [_without_nulls(finding())]
    native = NativeBatch(17, json.dumps(hits), json.dumps(findings), ended=True)
    native.punted = [(9, "arp", 0, "eth1", [20], ("00:1b:44:11:3a:b7", "ff:ff:ff:ff:ff:ff"), (None, None), b"who")]
    native.routers = ["00:00:5e:00:01:14"]
    native.mails = Records([{"host": HOST, "rcpt_count": 2}])
    native.logins = Records([{"user": "alice", "attempts": 3}])
    beacon: Any = {"host": HOST, "contacts": 60}
    native.beacons = json.dumps([beacon])
    batch = engine_of({}, Core(native)).poll(0.1)
    assert (batch.punted[0].protocol, batch.punted[0].vlan, batch.punted[0].message) == ("arp", [20], b"who")
    assert batch.routers == ["00:00:5e:00:01:14"]
    assert list(batch.mails) == [{"host": HOST, "rcpt_count": 2}]
    assert list(batch.logins) == [{"user": "alice", "attempts": 3}]
    assert list(batch.beacons) == [beacon]
    assert (batch.time_ns, batch.ended) == (17, True)
    assert [_without_nulls(row) for row in batch.hits] == hits
    assert [_without_nulls(row) for row in batch.findings] == findings


def test_mails_and_logins_become_dictionaries_only_where_they_are_looked_at() -> None:
    native = NativeBatch(17, mails=Records([{"host": HOST}]), logins=Records([{"user": "alice"}]))
    batch = engine_of({}, Core(native)).poll(0.1)
    assert (len(batch.mails), len(batch.mail_records or ()), native.mails.times_made) == (1, 1, 0)
    assert [list(batch.mails), batch.mails[0], batch.mails[:1]] == [[{"host": HOST}], {"host": HOST}, [{"host": HOST}]]
    assert (native.mails.times_made, native.logins.times_made) == (1, 0)


def test_counters_and_tables_come_through() -> None:
    core = Core()
    engine = engine_of({}, core)
    assert engine.counters() == counters()
    assert engine.flows("443", "bytes", 5) == [{"orig_ip": C2, "orig_port": 443, "encapsulation": LAYERS}]
    assert engine.sums(7) == SUMS
    assert core.asked == [("443", "bytes", 5), 7]
    with pytest.raises(ValueError, match="cannot order"):
        engine.hosts("", "x", 5)


def test_written_frames_are_counted_by_the_core() -> None:
    core = Core()
    assert engine_of({}, core).write_frames("out.pcap", (60, 0, 3)) == (5, 1, False)
    assert core.asked == [("out.pcap", (60, 0, 3))]


def test_an_event_is_one_line_and_goes_nowhere_without_an_event_log() -> None:
    core = Core()
    engine_of({"eve": None}, core).log_event("{}")
    assert core.asked == []
    engine = engine_of({"eve": {"path": "x", "types": []}}, core)
    engine.log_event("{}")
    assert core.asked == ["{}"]
    with pytest.raises(ValueError, match="one line"):
        engine.log_event("{}\n{}")


def test_stop_happens_once() -> None:
    core = Core()
    engine = engine_of({}, core)
    engine.stop()
    engine.stop()
    assert core.asked == ["stop"]


def _pcap(path: Path, frames: list[tuple[float, bytes]]) -> None:
    with path.open("wb") as stream:
        writer = dpkt.pcap.Writer(stream)
        for seconds, frame in frames:
            writer.writepkt(frame, 1_700_000_000 + seconds)


def _segment(source: str, destination: str, ports: tuple[int, int], flags: int) -> bytes:
    tcp = dpkt.tcp.TCP(sport=ports[0], dport=ports[1], flags=flags)
    packet = dpkt.ip.IP(src=inet_aton(source), dst=inet_aton(destination), p=6, data=tcp)
    return bytes(dpkt.ethernet.Ethernet(src=b"\x02" * 6, dst=b"\x04" * 6, data=packet))


def _read_all(path: Path) -> tuple[list[Any], list[Any]]:
    native = pytest.importorskip("sensor._native")
    config = load(None, {"eve.path": None})
    engine = Engine(engine_settings(config, "read", [str(path)]))
    engine.replace_watchlists(native.Watchlists.compile([("mine", "plain", f"{C2}\n".encode(), 2)]))
    engine.start()
    hits: list[Any] = []
    findings: list[Any] = []
    ended = False
    while not ended:
        batch = engine.poll(1)
        hits += batch.hits
        findings += batch.findings
        ended = batch.ended
    engine.stop()
    return hits, findings


def test_the_built_core_gives_the_columns_that_the_policy_reads(tmp_path: Path) -> None:
    syn, syn_ack = 0x02, 0x12
    path = tmp_path / "c2.pcap"
    met = [
        (0.0, _segment(HOST, C2, (50_000, 443), syn)),
        (0.1, _segment(C2, HOST, (443, 50_000), syn_ack)),
    ]
    mail = [(1 + n / 10, _segment("10.0.0.9", f"198.51.100.{n}", (40_000 + n, 25), syn)) for n in range(1, 30)]
    _pcap(path, [*met, *mail, (90.0, _segment("10.0.0.1", "192.0.2.1", (1, 2), syn))])
    hits, findings = _read_all(path)
    assert {frozenset(row) for row in hits} == {frozenset(HitRow.__annotations__) - {"machine"}}
    assert {frozenset(row) for row in findings} == {frozenset(FindingRow.__annotations__) - {"machine"}}
    assert (hits[0]["event"], hits[0]["src_ip"], hits[0]["dest_port"]) == ("open", HOST, 443)
    assert (hits[0]["list"], hits[0]["severity"], hits[0]["matched"]) == ("mine", 2, "dest")
    assert sum(row["packets_toserver"] + row["packets_toclient"] for row in hits) == 2
    assert {row["rule"] for row in findings} == {"smtp.fanout", "smtp.bulk"}
    policy = Policy(rows_tell_time=True)
    policy.take(Batch(0, hits, findings))
    assert dict(policy.opened) == {
        ("watchlist.ip", "medium"): 1,
        ("smtp.fanout", "medium"): 1,
        ("smtp.bulk", "high"): 1,
    }


def test_the_built_core_gives_the_counters_that_metrics_and_conditions_read() -> None:
    pytest.importorskip("sensor._native")
    settings = engine_settings(load(None, {"capture.interfaces": ["nosuch0"]}), "live")
    found = Engine(settings).counters()
    sample = counters()
    assert set(sample) - {"ring"} <= set(found)
    assert set(sample["interfaces"][0]) <= set(found["interfaces"][0])
    assert set(sample["fates"]) == set(found["fates"])
    assert set(sample["analysis"]) == set(found["analysis"])
    assert set(sample["watchlist"]) == set(found["watchlist"])


def test_the_built_core_counts_indicators_by_type_and_says_what_is_wrong() -> None:
    native = pytest.importorskip("sensor._native")
    ja4 = "t13d1516h2_8daaf6152771_e5627efa2ab1"
    text = f"{C2}\nevil.example\n.bad.example\nhttp://e.example/x\n{ja4}\n*.co.uk\nevil.example:443\n"
    (summary,) = native.Watchlists.compile([("names", "plain", text.encode(), 2)]).lists
    assert {kind: count for kind, count in summary["indicators"].items() if count} == {
        "ip": 1,
        "domain": 1,
        "suffix": 1,
        "url": 1,
        "ja4": 1,
    }
    assert summary["refused"] == [
        (6, 1, "all names below a single label or a public suffix; list the names that are meant"),
        (7, 13, "a name is met at any port; leave the port out"),
    ]
