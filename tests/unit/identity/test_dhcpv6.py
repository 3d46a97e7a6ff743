import struct

from sensor.demo.frames import address_bytes, mac_bytes
from tests.unit.identity.messages import PC_MAC, evidence, frame

PC6 = "fd00:20::44"


def option(kind: int, value: bytes) -> bytes:
    return struct.pack("!HH", kind, len(value)) + value


CLIENT = option(1, b"\x00\x01\x00\x01" + bytes(4) + mac_bytes(PC_MAC))
NAME = option(39, b"\x00\x07PC-0417\x04corp\0")
ADDRESS = option(3, bytes(12) + option(5, address_bytes(PC6) + bytes(8)))


def test_a_solicitation_names_the_machine_and_a_reply_gives_its_address() -> None:
    assert evidence(frame("dhcpv6", b"\x01abc" + CLIENT + NAME)) == [(None, PC_MAC, "PC-0417")]
    assert evidence(frame("dhcpv6", b"\x07abc" + CLIENT + NAME + ADDRESS)) == [(PC6, PC_MAC, "PC-0417")]


def test_an_identifier_without_a_mac_leaves_the_address_its_name() -> None:
    reply = b"\x07abc" + option(1, b"\x00\x04" + bytes(16)) + NAME + ADDRESS
    assert evidence(frame("dhcpv6", reply)) == [(PC6, None, "PC-0417")]


def test_an_advertisement_and_a_relayed_message_say_nothing() -> None:
    assert evidence(frame("dhcpv6", b"\x02abc" + CLIENT + NAME + ADDRESS)) == []
    assert evidence(frame("dhcpv6", b"\x0d" + bytes(33) + CLIENT)) == []
