from sensor.demo.frames import mac_bytes
from sensor.identity.facts import Neighbour
from tests.unit.identity.messages import ROUTER_MAC, facts, frame, lldp
from tests.unit.samples import START

CHASSIS, PORT = (1, b"\x04" + mac_bytes(ROUTER_MAC)), (2, b"\x05Gi1/0/24")
BRIDGE, STATION = (7, b"\x00\x14\x00\x04"), (7, b"\x00\x80\x00\x80")
VLAN = (127, b"\x00\x80\xc2\x01\x00\x14")


def test_a_switch_says_name_port_and_vlan() -> None:
    message = lldp(CHASSIS, PORT, (3, b"\0\x78"), (4, b"to  the sensor"), (5, b"core-1"), BRIDGE, VLAN)
    expected = Neighbour(START, "lldp", "eth1", "core-1", "Gi1/0/24", "to the sensor", 20)
    assert facts(frame("lldp", message)) == [expected]


def test_a_switch_without_a_name_is_known_by_its_mac() -> None:
    assert facts(frame("lldp", lldp(CHASSIS, PORT))) == [Neighbour(START, "lldp", "eth1", ROUTER_MAC, "Gi1/0/24")]


def test_a_telephone_is_no_switch_and_a_cut_message_ends_early() -> None:
    assert facts(frame("lldp", lldp(CHASSIS, PORT, (5, b"phone"), STATION))) == []
    assert facts(frame("lldp", lldp(CHASSIS) + b"\x04\xff")) == []
