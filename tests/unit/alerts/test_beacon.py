from __future__ import annotations

import json
from ipaddress import ip_network

from sensor.alerts import eve
from sensor.alerts.incident import EveAlert, Event
from sensor.alerts.log import format_line
from sensor.alerts.policy import Output, Policy
from sensor.alerts.state import decode, encode
from sensor.config.detection import Suppression
from sensor.engine import Batch
from sensor.identity.naming import Identities
from tests.unit.identity.messages import PC_IP, PC_MAC, arp, dhcp, frame
from tests.unit.samples import C2, HOST, SECOND, START, beacon

MINUTE = 60 * SECOND


def take(policy: Policy, *rows: object, until: int = 0) -> list[Output]:
    return policy.take(Batch(until or START, beacons=rows))  # type: ignore[arg-type]


def lines(outputs: list[Output]) -> list[str]:
    return [format_line(output).split("  ", 2)[2] for output in outputs if isinstance(output, Event)]


def test_the_open_line_says_remote_pace_and_sums() -> None:
    (line,) = lines(take(Policy(), beacon()))
    assert line.split("  ", 1)[1] == (
        "10.20.3.44 (00:1b:44:11:3a:b7 vlan 20) -> c2.example:443 (203.0.113.9)  every 60 s, jitter 15%  "
        "21 calls, 19 kB out, 88 kB in since 08:54:03"
    )
    (nameless,) = lines(take(Policy(), beacon(name=None)))
    assert "-> 203.0.113.9:443  every" in nameless


def test_updates_come_every_ten_minutes_and_the_close_line_sums_up() -> None:
    policy = Policy()
    since = START - 1200 * SECOND
    told = take(policy, beacon(), until=START)
    for n in range(1, 16):
        row = beacon(START + n * MINUTE, calls=21 + n, bytes_out=900 * (21 + n), since_ns=since, remote="203.0.113.77")
        told += take(policy, row, until=START + n * MINUTE)
    told += take(policy, until=START + 3 * 3600 * SECOND)
    _, update, close = lines(told)
    assert update.endswith("10.20.3.44 -> c2.example:443  every 60 s, jitter 15%, 31 calls, 28 kB out, 88 kB in")
    assert close.endswith("36 calls, 32 kB out, 88 kB in in 35 min, last 09:29:03")
    assert sum(isinstance(output, EveAlert) for output in told) == 2


def test_remote_ends_are_incidents_of_their_own_and_can_be_suppressed() -> None:
    policy = Policy()
    take(policy, beacon(), beacon(name="other.example"), beacon(port=8443))
    assert policy.open_incidents == 3
    for entry in (Suppression(remote=ip_network(f"{C2}/32")), Suppression(indicator="c2.example:443")):
        assert take(Policy([entry]), beacon()) == []


def test_the_event_has_remote_and_figures() -> None:
    alert = next(output for output in take(Policy(), beacon()) if isinstance(output, EveAlert))
    event = json.loads(eve.encode(alert, "hq"))
    assert (event["src_ip"], event["dest_ip"], event["dest_port"], event["proto"]) == (HOST, C2, 443, "TCP")
    assert (event["alert"]["signature_id"], event["alert"]["severity"], event["vlan"]) == (8_000_021, 2, [20])
    assert event["spanwatch"] == {
        "name": "c2.example",
        "calls": 21,
        "interval_seconds": 60.2,
        "jitter_ratio": 0.151,
        "fit_ratio": 0.95,
        "bytes_out": 18_900,
        "bytes_in": 88_200,
        "since": "2026-11-22T00:54:03.412000+0000",
    }


def test_an_open_beacon_outlives_a_restart_and_is_described() -> None:
    policy = Policy()
    take(policy, beacon())
    later = Policy()
    later.restore(decode(encode(policy.document())))
    (view,) = later.describe()
    assert (view["rule"], view["indicator"], view["remote"]) == ("host.beacon", "c2.example:443", C2)
    assert (view["contacts"], view["bytes_out"], view["interval_seconds"]) == (21, 18_900, 60.2)
    assert take(later, beacon(START + MINUTE), until=START + MINUTE) == []


def test_the_machine_is_named() -> None:
    request = frame("dhcp", dhcp(1, 3, [(12, b"PC-0417")]))
    identities = Identities(10)
    identities.take(Batch(START, punted=[request, frame("arp", arp(PC_IP))]))
    (line,) = lines(take(Policy(name=identities.name), beacon(mac=None)))
    assert f"{PC_IP} (PC-0417 {PC_MAC} vlan 20) -> c2.example" in line
