from sensor.demo.frames import address_bytes
from sensor.identity.facts import Evidence
from tests.unit.identity.messages import PC_IP, PC_MAC, dhcp, evidence, facts, frame
from tests.unit.samples import START

SERVER = "10.20.0.53"
REQUEST, ACK, NAK, RELEASE = 3, 5, 6, 7
PC_NUMBER = int.from_bytes(address_bytes(PC_IP))


def test_a_request_names_the_machine_but_a_wish_is_no_address() -> None:
    message = dhcp(1, REQUEST, [(50, address_bytes(PC_IP)), (12, b"PC-0417"), (60, b"MSFT 5.0")])
    (found,) = facts(frame("dhcp", message))
    assert found == Evidence(START, "dhcp", None, PC_MAC, "PC-0417", "MSFT 5.0")


def test_a_renewal_says_the_address_that_the_machine_has() -> None:
    assert evidence(frame("dhcp", dhcp(1, REQUEST, [], ciaddr=PC_NUMBER))) == [(PC_IP, PC_MAC, None)]


def test_an_acknowledgement_says_address_and_server() -> None:
    (found,) = facts(frame("dhcp", dhcp(2, ACK, [(54, address_bytes(SERVER))], yiaddr=PC_NUMBER)))
    assert found == Evidence(START, "dhcp", PC_IP, PC_MAC, server=SERVER)


def test_a_refusal_and_a_release_say_nothing() -> None:
    assert facts(frame("dhcp", dhcp(2, NAK, [], yiaddr=PC_NUMBER))) == []
    assert facts(frame("dhcp", dhcp(1, RELEASE, [], ciaddr=PC_NUMBER))) == []


def test_the_first_label_of_a_domain_name_stands_in_for_a_host_name() -> None:
    plain = dhcp(1, REQUEST, [(81, b"\x00\0\0pc-7.corp.example")])
    wire = dhcp(1, REQUEST, [(81, b"\x05\0\0\x04pc-8\x04corp\0")])
    assert [evidence(frame("dhcp", message))[0][2] for message in (plain, wire)] == ["pc-7", "pc-8"]


def test_a_hostile_name_is_harmless() -> None:
    (found,) = facts(frame("dhcp", dhcp(1, REQUEST, [(12, b"\x1b[2Jx  vlan 1) -> 8.8.8.8"), (60, b"\x07a\nb")])))
    assert isinstance(found, Evidence)
    assert (found.name, found.vendor_class) == ("??2Jx??vlan?1??-??8.8.8.8", "?a b")
