"""An alert leads to a desk: who the host is comes from what machines say of themselves on the mirrored network."""

import json
import subprocess
from pathlib import Path

import pytest

from sensor.demo import messages
from sensor.demo.frames import mac_bytes
from tests.live.conftest import SensorFactory
from tests.live.lab import Lab, until
from tests.live.sensor_process import SensorProcess
from tests.traffic import build

pytestmark = pytest.mark.live

C2 = "203.0.113.9"
ROUTER_MAC = "00:1c:73:00:00:01"
PC = build.Endpoint("00:1b:44:11:3a:b7", "10.20.3.44", 49200)
DHCP_SERVER = build.Endpoint("00:1b:44:00:00:35", "10.20.0.53", 67)
EVERYBODY = build.Endpoint("ff:ff:ff:ff:ff:ff", "255.255.255.255", 67)
HOSTILE_NAME = "PC\x1b]0;x\x07 vlan 1)"


def starts_up(name: str) -> list[bytes]:
    """A PC asks for its address, gets it and announces it, as an ERSPAN session shows it from VLAN 20."""
    mac = mac_bytes(PC.mac)
    frames = [
        build.udp(build.Endpoint(PC.mac, "0.0.0.0", 68), EVERYBODY, messages.dhcp_request(mac, name)),  # noqa: S104
        build.udp(DHCP_SERVER, PC.at(68), messages.dhcp_ack(mac, PC.address, DHCP_SERVER.address)),
        build.arp_request(PC, PC.address),
    ]
    switch, collector = build.Endpoint(ROUTER_MAC, "192.0.2.1"), build.Endpoint("00:1c:73:00:00:02", "192.0.2.2")
    sessions = (build.Session(21, 20, number) for number in range(len(frames)))
    return [build.erspan_ii(build.vlan(frame, 20), switch, collector, next(sessions)) for frame in frames]


def routed_contact() -> bytes:
    """The first packet to the controller, behind the router: the frame has another MAC than the PC."""
    sender = build.Endpoint(ROUTER_MAC, PC.address, PC.port)
    receiver = build.Endpoint("00:1c:73:00:00:09", C2, 443)
    return build.tcp(sender, receiver, build.Segment(build.SYN))


def hosts(spanwatch: Path, daemon: SensorProcess, *options: str) -> str:
    command = [str(spanwatch), "hosts", "--socket", str(daemon.socket), *options]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    path = tmp_path / "feed.txt"
    path.write_text(f"{C2}\n")
    return path


def test_a_dhcp_exchange_names_the_host_of_an_alert(
    lab: Lab, sensor: SensorFactory, listed: Path, spanwatch: Path
) -> None:
    daemon = sensor(watchlists=[{"path": str(listed)}]).start()
    lab.send(starts_up("PC-0417"))
    until("an identity", lambda: daemon.scrape().get("spanwatch_identities_active", 0) > 0)
    lab.send([routed_contact()])
    line = daemon.alerted("OPEN", "watchlist.ip", PC.address)
    assert f"{PC.address} (PC-0417 {PC.mac}) -> {C2}:443" in line
    until("the host", lambda: PC.address in hosts(spanwatch, daemon))
    (row,) = [
        row for row in map(json.loads, hosts(spanwatch, daemon, "--json").splitlines()) if row["ip"] == PC.address
    ]
    assert (row["name"], row["mac"], row["vendor"]) == ("PC-0417", PC.mac, "SanDisk Corporation")
    assert [past["mac"] for past in row["history"]] == [PC.mac]
    assert daemon.stop() == 0
    (alert,) = daemon.events("alert")
    assert (alert["alert"]["metadata"]["host_name"], alert["alert"]["metadata"]["host_mac"]) == (["PC-0417"], [PC.mac])


def test_a_hostile_name_reaches_no_terminal_and_forges_no_column(
    lab: Lab, sensor: SensorFactory, listed: Path, spanwatch: Path
) -> None:
    daemon = sensor(watchlists=[{"path": str(listed)}]).start()
    lab.send(starts_up(HOSTILE_NAME))
    until("an identity", lambda: daemon.scrape().get("spanwatch_identities_active", 0) > 0)
    lab.send([routed_contact()])
    assert f"(PC??0?x??vlan?1? {PC.mac}) ->" in daemon.alerted("OPEN", "watchlist.ip", PC.address)
    until("the host", lambda: "PC??0?x??vlan?1?" in hosts(spanwatch, daemon))
    assert "\x1b" not in hosts(spanwatch, daemon) + hosts(spanwatch, daemon, "--json")
    assert daemon.stop() == 0
    assert "\x1b" not in daemon.alerts_log.read_text() + daemon.eve.read_text()


def test_a_restart_forgets_nobody(lab: Lab, sensor: SensorFactory, spanwatch: Path) -> None:
    first = sensor().start()
    lab.send(starts_up("PC-0417"))
    until("an identity", lambda: first.scrape().get("spanwatch_identities_active", 0) > 0)
    assert first.stop() == 0
    second = sensor().start()
    lab.send([routed_contact()])
    until("the host", lambda: "PC-0417" in hosts(spanwatch, second))
    assert second.stop() == 0
