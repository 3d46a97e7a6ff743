from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from sensor.alerts.incident import Event, Kind
from sensor.alerts.text import NS_PER_SECOND
from sensor.engine import Batch
from sensor.history import store
from sensor.history.schema import ALERT, HOST
from sensor.history.store import FLUSH_SECONDS, GRACE_NS, History
from sensor.history.tree import HOUR_NS, files, made
from sensor.identity.facts import Evidence
from sensor.identity.naming import Identities
from tests.unit.history.samples import NOON, flow_batch, ports, rows, settings

START_NS = NOON * HOUR_NS


@dataclass
class Bench:
    """A history whose clocks are set by hand."""

    root: Path
    now: float = 100.0
    identities: Identities = field(default_factory=lambda: Identities(100))

    def open(self) -> History:
        history = History(settings(self.root), self.identities, START_NS, monotonic=lambda: self.now)
        history.scan()
        return history

    def pass_by(self, history: History, seconds: float, time_ns: int = START_NS) -> None:
        self.now += seconds
        history.take(Batch(time_ns))
        history.take_records([])


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_records_are_written_when_half_a_minute_has_passed(bench: Bench) -> None:
    history = bench.open()
    history.take_records([("flow", flow_batch(3))])
    bench.pass_by(history, FLUSH_SECONDS - 1)
    assert files(bench.root, "flow") == []
    bench.pass_by(history, 1)
    assert ports(bench.root) == [1024, 1025, 1026]
    assert history.numbers.written == {"flow": 3}
    assert history.numbers.bytes == files(bench.root, "flow")[0].stat().st_size
    assert history.sink() == {"sink": "history", "written": 3, "dropped": 0, "error": None}
    history.close()


def test_many_records_are_written_at_once(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    history = bench.open()
    history.take_records([("flow", flow_batch(4))])
    assert files(bench.root, "flow") == []
    monkeypatch.setattr(store, "BYTES_AT_ONCE", history._writer.waiting_bytes + 1)
    history.take_records([("flow", flow_batch(1, first=4))])
    assert ports(bench.root) == [1024, 1025, 1026, 1027, 1028]
    history.close()


def _is_compacting(history: History) -> bool:
    return history._compactor.busy


def test_an_hour_is_compacted_when_it_is_over(bench: Bench) -> None:
    history = bench.open()
    history.take_records([("flow", flow_batch(3))])
    bench.pass_by(history, FLUSH_SECONDS, START_NS + HOUR_NS + GRACE_NS - 1)
    assert not _is_compacting(history)
    bench.pass_by(history, FLUSH_SECONDS, START_NS + HOUR_NS + GRACE_NS)
    assert _is_compacting(history)
    process = history._compactor._process
    assert process is not None
    process.wait(30)
    bench.pass_by(history, 0)
    assert made(files(bench.root, "flow")[0]) is not None
    assert len(files(bench.root, "rollup")) == 1
    history.close()


def test_a_start_goes_on_where_the_last_run_ended(bench: Bench) -> None:
    first = bench.open()
    first.take_records([("flow", flow_batch(3))])
    first.close()
    second = bench.open()
    assert second.numbers.oldest_ns == START_NS
    second.take_records([("flow", flow_batch(3, hour=NOON + 1, first=3))])
    second.compact()
    second.close()
    assert ports(bench.root) == [1024, 1025, 1026, 1027, 1028, 1029]
    assert all(made(file) for file in files(bench.root, "flow"))


def _hear(bench: Bench, ip: str, seconds: int, **changes: object) -> None:
    time_ns = START_NS + seconds * NS_PER_SECOND
    bench.identities.learn(Evidence(time_ns, "arp", ip, mac=f"02:00:00:00:00:{ip[-2:]}", vlan=(20,), **changes))  # type: ignore[arg-type]


def test_hosts_are_told_when_they_change_and_once_an_hour(bench: Bench) -> None:
    history = bench.open()
    for seconds in range(5, 3600, 60):
        _hear(bench, "10.0.0.11", seconds, name="pc-11" if seconds > 1800 else None)
        bench.pass_by(history, 1, START_NS + (seconds + 50) * NS_PER_SECOND)
    _hear(bench, "10.0.0.12", 3700)
    bench.pass_by(history, 1, START_NS + 3700 * NS_PER_SECOND)
    history.close()
    heard = f"(last_seen_ns - {START_NS}) // {NS_PER_SECOND}"
    assert rows(bench.root, HOST, f"ip, mac, vlan, name, {heard}", order="last_seen_ns") == [
        ("10.0.0.11", "02:00:00:00:00:11", [20], None, 65),
        ("10.0.0.11", "02:00:00:00:00:11", [20], "pc-11", 1805),
        # The hour is over.
        ("10.0.0.11", "02:00:00:00:00:11", [20], "pc-11", 3545),
        ("10.0.0.12", "02:00:00:00:00:12", [20], None, 3700),
    ]


def test_two_machines_that_share_an_address_are_both_told(bench: Bench) -> None:
    history = bench.open()
    for seconds, mac in ((5, "02:00:00:00:00:01"), (6, "02:00:00:00:00:02"), (7, "02:00:00:00:00:01")):
        bench.identities.learn(Evidence(START_NS + seconds * NS_PER_SECOND, "arp", "10.0.0.9", mac=mac))
    bench.pass_by(history, 1, START_NS + 10 * NS_PER_SECOND)
    history.close()
    assert rows(bench.root, HOST, "mac") == [("02:00:00:00:00:01",), ("02:00:00:00:00:02",)]


def test_what_waits_for_a_disk_that_hangs_is_bounded(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MOST_POSTED", 2)
    history = bench.open()
    for number in range(5):
        event = Event(Kind.OPEN, START_NS, ("text",), "watchlist.ip", opened_ns=1, last_ns=2, figures={})
        history.note(replace(event, incident=f"{number:04x}", subject=f"i{number}"))
    history.note(Event(Kind.ALIVE, START_NS, ("mirror ok",)))
    history.close()
    assert rows(bench.root, ALERT, "id, indicator, opened_ns, count") == [
        ("0003", "i3", 1, None),
        ("0004", "i4", 1, None),
    ]
    assert history.sink()["dropped"] == 3
