import json

from sensor.alerts import eve
from sensor.alerts.incident import EveAlert, Event
from sensor.alerts.log import format_line
from sensor.alerts.policy import Output, Policy
from sensor.engine import Batch
from sensor.identity.naming import Identities
from tests.unit.identity.messages import PC_IP, PC_MAC, arp, dhcp, frame, lldp
from tests.unit.samples import SECOND, START, finding, hit

REQUEST = frame("dhcp", dhcp(1, 3, [(12, b"PC-0417")]))
ARP = frame("arp", arp(PC_IP))
ROUTER_MAC = "00:1c:73:00:00:01"


def _judged(batch: Batch) -> list[Output]:
    """Give what becomes of a batch from which machines are learned first."""
    identities = Identities(10)
    identities.take(batch)
    return Policy(name=identities.name).take(batch)


def test_an_alert_names_the_machine_in_both_logs() -> None:
    outputs = _judged(Batch(START, [hit(src_mac=ROUTER_MAC)], punted=[REQUEST, ARP]))
    line = next(format_line(output) for output in outputs if isinstance(output, Event))
    assert f"  {PC_IP} (PC-0417 {PC_MAC} vlan 20) -> 203.0.113.9:443  " in line
    alert = next(output for output in outputs if isinstance(output, EveAlert))
    metadata = json.loads(eve.encode(alert, "hq"))["alert"]["metadata"]
    assert metadata == {
        "rule": ["watchlist.ip"],
        "host_name": ["PC-0417"],
        "host_mac": [PC_MAC],
        "host_vendor": ["SanDisk Corporation"],
    }


def test_a_machine_that_first_speaks_in_the_batch_of_its_alert_is_named_there_whatever_comes_first() -> None:
    spoke_later = [said._replace(time_ns=START + SECOND // 2) for said in (REQUEST, ARP)]
    outputs = _judged(Batch(START, [hit()], [finding(host=PC_IP)], punted=spoke_later))
    lines = [format_line(output) for output in outputs if isinstance(output, Event)]
    assert ["PC-0417" in line for line in lines] == [True, True]


def test_behind_a_router_no_mac_is_better_than_the_routers() -> None:
    outputs = _judged(Batch(START, [hit(src_mac=ROUTER_MAC)], [finding(mac=ROUTER_MAC)], routers=[ROUTER_MAC]))
    lines = [format_line(output) for output in outputs if isinstance(output, Event)]
    assert [f"{PC_IP} (vlan 20)" in lines[0], "10.20.7.12 (vlan 100.30)" in lines[1]] == [True, True]


def test_the_listed_internal_end_is_not_the_host() -> None:
    identities = Identities(10)
    identities.take(Batch(START, punted=[REQUEST, ARP]))
    answered = hit(src_ip="203.0.113.9", dest_ip=PC_IP, src_internal=False, dest_internal=True, dest_mac=ROUTER_MAC)
    identities.name(answered)
    assert answered["machine"] is not None
    assert answered["machine"]["name"] == "PC-0417"


def test_machines_places_and_numbers_are_told() -> None:
    identities = Identities(10)
    switch = frame("lldp", lldp((1, b"\x04abcdef"), (2, b"\x05Gi1/0/24"), (5, b"core-1")))
    identities.take(Batch(START, punted=[REQUEST, ARP, switch, frame("arp", b"cut")]))
    (machine,) = identities.machines(10)
    assert (machine["ip"], machine["name"], machine["first_seen_ns"]) == (PC_IP, "PC-0417", START)
    assert [(place["switch"], place["port"]) for place in identities.places()] == [("core-1", "Gi1/0/24")]
    numbers = identities.numbers()
    assert (numbers.active, numbers.evicted, numbers.errors["arp"], numbers.errors["dhcp"]) == (1, 0, 1, 0)
