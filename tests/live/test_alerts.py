"""Who meets a listed address is named in the alert log, at once, whatever else goes wrong."""

import json
import subprocess
import threading
import time
from pathlib import Path

import pytest

from tests.live import ring
from tests.live.conftest import SensorFactory
from tests.live.lab import Lab, fill, until
from tests.live.sensor_process import SensorProcess, assert_accounts_close, total
from tests.live.test_ring import contact
from tests.traffic import build
from tests.traffic.office import office_frames

pytestmark = pytest.mark.live

C2 = "203.0.113.9"
PC = build.Endpoint("00:1b:44:11:3a:b7", "10.20.3.44", 49200)
ROUTER_MAC = "00:00:5e:00:01:14"
SERVER = build.Endpoint(ROUTER_MAC, C2, 443)
SWITCH = build.Endpoint("00:1c:73:00:00:01", "192.0.2.1")
COLLECTOR = build.Endpoint("00:1c:73:00:00:02", "192.0.2.2")


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    path = tmp_path / "feed.csv"
    path.write_text(f"indicator,malware,confidence\n{C2},Emotet,90\n")
    return path


def seconds_from_packet_to_line(daemon: SensorProcess, packet: bytes) -> float:
    """From the time stamp of the first such frame in the ring to the last write to the alert log."""
    written_ns = daemon.alerts_log.stat().st_mtime_ns
    first_ns = next(entry.time_ns for entry in ring.stored(daemon.ring) if entry.frame == packet)
    return (written_ns - first_ns) / 1e9


def test_a_contact_on_an_idle_link_is_in_the_alert_log_within_a_second(
    lab: Lab, sensor: SensorFactory, listed: Path
) -> None:
    daemon = sensor(watchlists=[{"path": str(listed)}]).start()
    first = contact(C2)
    lab.send([first])
    line = daemon.alerted("OPEN", "watchlist.ip", PC.address)
    late = daemon.alerts_log.stat().st_mtime_ns
    assert f"{PC.address} (00:1b:44:11:3a:b7) -> {C2}:443" in line
    assert "attempt" in line
    until("the frame in the ring", lambda: ring.stored(daemon.ring))
    assert (late - ring.stored(daemon.ring)[0].time_ns) / 1e9 < 1
    assert daemon.stop() == 0
    (event,) = daemon.events("alert")
    assert event["alert"]["signature"]
    assert (event["src_ip"], event["dest_ip"], event["dest_port"]) == (PC.address, C2, 443)
    assert event["alert"]["context"]["watchlist"]["indicator"] == C2


def test_a_contact_in_the_middle_of_traffic_is_in_the_alert_log_within_a_second(
    lab: Lab, sensor: SensorFactory, listed: Path
) -> None:
    daemon = sensor(watchlists=[{"path": str(listed)}], alerts={"heartbeat": "1h"}).start()
    noise = office_frames(40_000, seed=11)
    sender = threading.Thread(target=lab.send, args=(noise,))
    sender.start()
    daemon_busy = until("the office's frames", lambda: daemon.captured() > 2000)
    assert daemon_busy
    inside = build.erspan_ii(build.vlan(contact(C2), 20), SWITCH, COLLECTOR, build.Session(21, 20, 1))
    lab.send([inside])
    line = daemon.alerted("OPEN", "watchlist.ip", PC.address)
    assert f"{PC.address} (00:1b:44:11:3a:b7 vlan 20) -> {C2}:443" in line
    until("the frame in the ring", lambda: inside in ring.frames(daemon.ring), timeout_seconds=5)
    delay = seconds_from_packet_to_line(daemon, inside)
    sender.join()
    assert 0 <= delay < 1
    assert daemon.stop() == 0


def test_an_answer_raises_the_stage(lab: Lab, sensor: SensorFactory, listed: Path) -> None:
    daemon = sensor(watchlists=[{"path": str(listed)}]).start()
    talk = build.Conversation(PC, SERVER)
    lab.send(list(talk.open())[:1])
    assert "attempt" in daemon.alerted("OPEN", "watchlist.ip")
    lab.send(list(build.Conversation(PC, SERVER).open())[1:])
    lab.send(talk.send(b"x" * 400, from_client=True))
    lab.send(talk.send(b"y" * 400, from_client=False))
    daemon.alerted("UPDATE", "watchlist.ip")
    assert daemon.stop() == 0
    assert len({line.split("#")[1].split()[0] for line in daemon.alert_lines("watchlist.ip")}) == 1


def test_a_reload_finds_a_connection_that_is_already_open(lab: Lab, sensor: SensorFactory, tmp_path: Path) -> None:
    indicators = tmp_path / "feed.txt"
    indicators.write_text("192.0.2.77\n")
    daemon = sensor(watchlists=[{"path": str(indicators)}]).start()
    talk = build.Conversation(PC, SERVER)
    lab.send(talk.open())
    daemon.captures(3)
    indicators.write_text(f"192.0.2.77\n{C2}\n")
    daemon.reload()
    assert daemon.alert_lines("OPEN", "watchlist.ip") == []
    lab.send(talk.send(b"still there", from_client=True))
    assert C2 in daemon.alerted("OPEN", "watchlist.ip", PC.address)
    assert daemon.stop() == 0


@pytest.mark.parametrize("spoilt", ["", "not an address\n", None])
def test_a_spoilt_list_keeps_the_last_good_one(
    lab: Lab, sensor: SensorFactory, tmp_path: Path, spoilt: str | None
) -> None:
    indicators = tmp_path / "feed.txt"
    indicators.write_text(f"{C2}\n")
    daemon = sensor(watchlists=[{"path": str(indicators)}]).start()
    if spoilt is None:
        indicators.unlink()
    else:
        indicators.write_text(spoilt)
    daemon.reload()
    daemon.alerted("OPEN", "sensor.list-stale")
    assert daemon.scrape()["spanwatch_reload_success"] == 0
    lab.send([contact(C2)])
    daemon.alerted("OPEN", "watchlist.ip", PC.address)
    indicators.write_text(f"{C2}\n")
    daemon.reload()
    assert daemon.scrape()["spanwatch_reload_success"] == 1
    assert daemon.stop() == 0


def test_bulk_mail_in_a_stacked_vlan_is_named(lab: Lab, sensor: SensorFactory) -> None:
    daemon = sensor().start()
    for number in range(22):
        server = build.Endpoint(ROUTER_MAC, f"198.51.100.{number + 1}", 25)
        talk = build.Conversation(PC.at(50_000 + number), server)
        frames = [*talk.open(), *talk.send(b"220 mx\r\n", from_client=False), *talk.close()]
        lab.send(build.vlan(frame, 100, 30) for frame in frames)
    assert f"{PC.address} (00:1b:44:11:3a:b7 vlan 100.30)" in daemon.alerted("OPEN", "smtp.fanout", PC.address)
    daemon.alerted("OPEN", "smtp.bulk", PC.address)
    assert daemon.stop() == 0


def test_logs_that_cannot_be_written_stop_nothing_and_resume(
    lab: Lab, sensor: SensorFactory, listed: Path, tmp_path: Path
) -> None:
    logs = tmp_path / "log"
    logs.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(logs)], check=True)
    try:
        daemon = sensor(watchlists=[{"path": str(listed)}]).start()
        neighbour = logs / "neighbour"
        fill(neighbour)
        lab.send([contact(C2)])
        until("a log that fails", lambda: total(daemon.scrape(), "spanwatch_sink_failing") > 0)
        frames = office_frames(2000, seed=12)
        lab.send(frames)
        daemon.captures(len(frames) + 1)
        assert_accounts_close(daemon.scrape())
        neighbour.unlink()
        daemon.alerted("OPEN", "watchlist.ip", PC.address)
        lab.send([contact_of("10.20.3.45")])
        daemon.alerted("OPEN", "watchlist.ip", "10.20.3.45")
        until("logs that work again", lambda: total(daemon.scrape(), "spanwatch_sink_failing") == 0)
        assert daemon.stop() == 0
        assert daemon.events("flow")
        assert daemon.events("alert")[-1]["src_ip"] == "10.20.3.45"
    finally:
        subprocess.run(["umount", "--lazy", str(logs)], check=True)


def test_a_renamed_log_is_followed_by_a_new_one_and_no_line_is_lost(
    lab: Lab, sensor: SensorFactory, listed: Path
) -> None:
    daemon = sensor(watchlists=[{"path": str(listed)}]).start()
    lab.send([contact_of("10.20.3.1")])
    daemon.alerted("OPEN", "watchlist.ip")
    old_alerts, old_eve = daemon.alerts_log.with_suffix(".1"), daemon.eve.with_suffix(".1")
    daemon.alerts_log.rename(old_alerts)
    daemon.eve.rename(old_eve)
    hosts = [f"10.20.3.{number}" for number in range(2, 8)]
    for host in hosts:  # longer than the second within which a new file is made
        lab.send([contact_of(host)])
        time.sleep(0.4)
    daemon.alerted("OPEN", "watchlist.ip", hosts[-1])
    assert daemon.stop() == 0
    written = old_alerts.read_text() + daemon.alerts_log.read_text()
    assert all(f" {host} (" in written for host in ["10.20.3.1", *hosts])
    events = [json.loads(line) for path in (old_eve, daemon.eve) for line in path.read_text().splitlines()]
    alerts = [event["src_ip"] for event in events if event["event_type"] == "alert"]
    assert sorted(alerts) == ["10.20.3.1", *hosts]


def contact_of(host: str) -> bytes:
    """The first packet of a connection from `host` to the listed server."""
    return build.tcp(build.Endpoint("00:1b:44:11:3a:b8", host, 49201), SERVER, build.Segment(build.SYN))


def test_an_open_incident_survives_a_restart(lab: Lab, sensor: SensorFactory, listed: Path) -> None:
    daemon = sensor(watchlists=[{"path": str(listed)}]).start()
    lab.send([contact(C2)])
    daemon.alerted("OPEN", "watchlist.ip")
    assert daemon.stop() == 0
    daemon.start()
    talk = build.Conversation(PC.at(50_123), SERVER)
    lab.send([*talk.open(), *talk.send(b"x", from_client=True), *talk.send(b"y", from_client=False)])
    daemon.alerted("UPDATE", "watchlist.ip")
    assert len(daemon.alert_lines("OPEN", "watchlist.ip")) == 1
    assert daemon.stop() == 0
