"""Beacons through the whole sensor, from frames to incidents."""

from pathlib import Path

import pytest

from sensor import offline
from sensor.alerts.incident import Event, Kind
from sensor.alerts.rows import BeaconRow
from sensor.config import engine_settings, load
from sensor.engine import Engine
from sensor.frames import Reading
from tests.traffic.beacons import BEACONS, office_with_beacons
from tests.traffic.build import write_pcap

native = pytest.importorskip("sensor._native")


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("beacons") / "office.pcap"
    write_pcap(path, office_with_beacons(1))
    return path


def _incidents(capture: Path, **settings: object) -> list[Event]:
    config = load(None, {"eve.path": None, "alerts.log": None, **settings})
    events: list[Event] = []
    reading, listeners = Reading([str(capture)]), offline.Listeners(on_event=events.append)
    offline.analyse(config, reading, lambda: native.Watchlists.compile([]), listeners)
    return [event for event in events if event.rule == "host.beacon"]


def _remotes(events: list[Event]) -> set[tuple[str, str]]:
    ends = (event.groups[0] for event in events if event.kind is Kind.CLOSE)
    return {(host, remote) for host, remote in (end.split(" -> ") for end in ends)}


def test_each_beacon_is_an_incident_and_nothing_else_is(capture: Path) -> None:
    events = _incidents(capture)
    assert _remotes(events) == BEACONS
    minute = next(event for event in events if event.kind is Kind.CLOSE and "updates-cdn" in event.groups[0])
    assert minute.groups[1].startswith("every ")
    assert 50 <= float(minute.groups[1].split()[1]) <= 70


def test_it_is_the_same_for_any_number_of_workers_and_ends_where_it_is_ignored(capture: Path) -> None:
    ignore = ["203.0.113.12/32", "flux.example"]
    one, three = (
        _incidents(capture, **{"capture.workers": workers, "detect.beacon.ignore": ignore}) for workers in (1, 3)
    )
    assert one == three
    known = {("10.20.3.12", "203.0.113.12:8443"), ("10.20.3.14", "flux.example:443")}
    assert BEACONS - _remotes(one) == known


def test_the_core_gives_the_columns_that_the_policy_reads(capture: Path) -> None:
    engine = Engine(engine_settings(load(None, {"eve.path": None}), "read", [str(capture)]))
    engine.start()
    rows: list[BeaconRow] = []
    while not (batch := engine.poll(1)).ended:
        rows += batch.beacons
    engine.stop()
    assert {frozenset(row) for row in rows} == {frozenset(BeaconRow.__annotations__) - {"machine"}}
    hosts = engine.counters()["hosts"]
    assert hosts["beacon_pairs"] > len(BEACONS)
    assert hosts["beacon_pairs_evicted"] == 0
