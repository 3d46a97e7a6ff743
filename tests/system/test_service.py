"""The sensor as a systemd service: start, privileges, alerts, reload, rotation, restart, watchdog, stop."""

from __future__ import annotations

import json
import re
import stat
from time import sleep
from typing import Any

import pytest

from tests.live.lab import until
from tests.system.service import ALERTS_LOG, EVE_LOG, UNIT, Service, contact, incident_id
from tests.traffic.build import Endpoint, udp

CAP_NET_RAW = 13
HARDENED_AT_MOST = 2.0


def test_it_is_ready_only_as_a_notified_service_with_a_watchdog(service: Service) -> None:
    assert service.property("ActiveState") == "active"
    assert service.property("Type") == "notify"
    assert service.property("WatchdogUSec") == "30s"
    until("the sensor telling systemd what it does", lambda: service.property("StatusText"))


def test_it_runs_as_its_own_user_with_one_capability(service: Service) -> None:
    process = service.container.path(f"/proc/{service.property('MainPID')}/status")
    status = dict(line.split(":\t", 1) for line in process.read_text().splitlines() if ":\t" in line)
    user = int(service.container.run("id", "-u", "spanwatch"))
    assert user != 0
    assert [int(uid) for uid in status["Uid"].split()] == [user] * 4
    for kind in ("CapEff", "CapPrm", "CapBnd"):
        assert int(status[kind], 16) == 1 << CAP_NET_RAW, kind
    assert status["NoNewPrivs"] == "1"


@pytest.mark.parametrize("unit", [UNIT, "spanwatch@eth1.service"])
def test_its_exposure_is_low(service: Service, unit: str) -> None:
    report = service.container.run("systemd-analyze", "security", "--no-pager", unit)
    found = re.search(r"Overall exposure level for \S+ ([0-9.]+)", report)
    assert found, report
    print(f"systemd-analyze security {unit}: {found[1]}")
    assert float(found[1]) <= HARDENED_AT_MOST, report


def test_systemd_finds_nothing_to_say_about_the_units(installed: Service) -> None:
    units = [UNIT, "spanwatch@mirror0.service", "spanwatch-nic@mirror0.service"]
    assert installed.container.run("systemd-analyze", "verify", *units) == ""


def test_the_nic_unit_makes_a_silent_listener(service: Service) -> None:
    link = json.loads(service.container.run("ip", "-json", "-details", "link", "show", "mirror0"))[0]
    assert {"NOARP", "PROMISC", "UP"} <= set(link["flags"])
    assert "MULTICAST" not in link["flags"]
    features = service.container.run("ethtool", "--show-offload", "mirror0")
    for feature in ("generic-receive-offload", "generic-segmentation-offload", "tcp-segmentation-offload"):
        assert f"{feature}: off" in features


def test_a_watchlisted_contact_is_told_and_its_packets_are_kept(service: Service) -> None:
    service.watch("203.0.113.9")
    service.reload()
    frames = contact("203.0.113.9")
    service.send(frames)
    line = service.alerted("203.0.113.9")
    assert "10.20.3.44" in line
    assert "high" in line
    until("the event", lambda: alert_events(service, "203.0.113.9"))
    assert alert_events(service, "203.0.113.9")[0]["vlan"] == [20]
    until("all frames in the ring", lambda: set(frames) <= service.stored())


def test_its_files_are_for_its_own_group_only(service: Service) -> None:
    service.told_of("203.0.113.8")
    until("an event", lambda: alert_events(service, "203.0.113.8"))
    user = int(service.container.run("id", "-u", "spanwatch"))
    files = [service.container.path(log) for log in (ALERTS_LOG, EVE_LOG)] + service.ring_files()
    for file in files:
        status = file.stat()
        assert status.st_uid == user, file
        assert stat.S_IMODE(status.st_mode) & 0o137 == 0, file


def test_a_reload_keeps_the_process_and_finds_a_connection_that_is_already_open(service: Service) -> None:
    before = service.property("MainPID")
    opening, *rest = contact("203.0.113.10")
    service.send([opening])
    service.watch("203.0.113.10")
    service.reload()
    service.send(rest)
    service.alerted("203.0.113.10")
    assert service.property("MainPID") == before
    assert service.property("ActiveState") == "active"
    assert service.property("NRestarts") == "0"


def test_logrotate_moves_the_logs_and_the_sensor_goes_on_in_new_ones(service: Service) -> None:
    old = service.told_of("203.0.113.11")
    until("the event", lambda: alert_events(service, "203.0.113.11"))
    service.container.run("logrotate", "--force", "/etc/logrotate.d/spanwatch")
    assert old in service.lines("OPEN", log=f"{ALERTS_LOG}.1")
    # The sensor looks at each file once a second: a line within that second may still go to the old one.
    sleep(1.5)
    new = service.told_of("203.0.113.12")
    until("the event in the new log", lambda: alert_events(service, "203.0.113.12"))
    assert old not in service.lines("OPEN")
    assert new not in service.lines("OPEN", log=f"{ALERTS_LOG}.1")
    assert not alert_events(service, "203.0.113.11")


def test_a_stop_drains_everything(service: Service) -> None:
    sender, receiver = Endpoint("02:00:00:00:00:01", "10.20.9.9", 5000), Endpoint("02:00:00:00:00:02", "10.20.9.8", 9)
    frames = [udp(sender, receiver, number.to_bytes(4) * 50) for number in range(5000)]
    assert service.send(frames) == len(frames)
    service.systemctl("stop", UNIT)
    assert service.property("Result") == "success"
    assert service.property("ExecMainStatus") == "0"
    assert service.ring_files() == service.ring_files(finished=True)
    assert set(frames) <= service.stored()


def test_an_incident_survives_a_restart(service: Service) -> None:
    opened = incident_id(service.told_of("203.0.113.13"))
    service.systemctl("restart", UNIT)
    service.send(contact("203.0.113.13"))
    until("its second contact", lambda: service.contacts(opened) != 1)
    assert service.contacts(opened) == 2, service.incidents()
    assert len(service.lines("OPEN", "203.0.113.13")) == 1


def test_a_sensor_that_hangs_is_restarted(service: Service) -> None:
    drop_in = service.container.path(f"/run/systemd/system/{UNIT}.d/watchdog.conf")
    drop_in.parent.mkdir(parents=True, exist_ok=True)
    drop_in.write_text("[Service]\nWatchdogSec=2s\n")
    service.systemctl("daemon-reload")
    service.systemctl("restart", UNIT)
    try:
        hung = service.property("MainPID")
        service.systemctl("kill", "--signal=STOP", "--kill-whom=main", UNIT)
        until("another process", lambda: service.property("MainPID") not in {hung, "0"}, 30)
        until("the sensor ready again", lambda: service.property("ActiveState") == "active", 30)
        assert "watchdog" in service.journal().lower()
    finally:
        drop_in.unlink()
        service.systemctl("daemon-reload")
        service.systemctl("restart", UNIT)


def test_a_mistake_in_the_configuration_is_told_once_and_not_retried(service: Service) -> None:
    service.container.path("/etc/spanwatch/broken.yaml").write_text("capture:\n  snaplenn: 96\n")
    unit = "spanwatch@broken.service"
    service.container.fails("systemctl", "start", unit)
    assert service.property("ExecMainStatus", unit) == "78"
    assert service.property("NRestarts", unit) == "0"
    assert "/etc/spanwatch/broken.yaml:2:" in service.journal(unit)
    assert service.property("ActiveState", unit) == "failed"


def alert_events(service: Service, address: str) -> list[dict[str, Any]]:
    """The event log's alerts about a remote address."""
    events = [json.loads(line) for line in service.lines('"alert"', address, log=EVE_LOG)]
    return [event for event in events if (event["event_type"], event["dest_ip"]) == ("alert", address)]
