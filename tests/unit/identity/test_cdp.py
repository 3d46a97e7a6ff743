from sensor.identity.facts import Neighbour
from tests.unit.identity.messages import cdp, facts, frame
from tests.unit.samples import START

NAME, PORT, SWITCH = (1, b"core-1.corp.example"), (3, b"GigabitEthernet1/0/24"), (4, b"\0\0\0\x28")


def test_a_switch_says_name_port_and_native_vlan() -> None:
    message = cdp(NAME, (2, bytes(17)), PORT, SWITCH, (10, b"\x00\x14"))
    expected = Neighbour(START, "cdp", "eth1", "core-1.corp.example", "GigabitEthernet1/0/24", None, 20)
    assert facts(frame("cdp", message)) == [expected]


def test_a_telephone_is_no_switch() -> None:
    assert facts(frame("cdp", cdp(NAME, PORT, (4, b"\0\0\x04\x90")))) == []
