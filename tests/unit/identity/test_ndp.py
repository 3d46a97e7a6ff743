from sensor.demo.frames import address_bytes, mac_bytes
from sensor.identity.facts import RouterMac
from tests.unit.identity.messages import PC_MAC, ROUTER_MAC, evidence, facts, frame

PC6, ROUTER6 = "fd00:20::44", "fd00:20::1"
SOURCE, TARGET = (bytes((kind, 1)) + mac_bytes(PC_MAC) for kind in (1, 2))


def test_a_solicitation_says_the_senders_pair_and_an_advertisement_its_targets() -> None:
    asking = frame("ndp", address_bytes(ROUTER6) + SOURCE, (PC6, "ff02::1:ff00:1"), kind=135)
    assert evidence(asking) == [(PC6, PC_MAC, None)]
    answering = frame("ndp", address_bytes(PC6) + b"\x0e\x01\0\0\0\0\0\0" + TARGET, ("fe80::1", PC6), kind=136)
    assert evidence(answering) == [(PC6, PC_MAC, None)]


def test_an_advertising_router_is_known_by_its_mac() -> None:
    message = bytes(8) + b"\x01\x01" + mac_bytes(ROUTER_MAC)
    assert facts(frame("ndp", message, ("fe80::1", "ff02::1"), kind=134)) == [RouterMac(ROUTER_MAC)]


def test_without_an_address_or_mac_there_is_no_evidence() -> None:
    duplicate_check = frame("ndp", address_bytes(PC6), ("::", "ff02::1:ff00:44"), kind=135)
    assert evidence(duplicate_check) == []
    endless = frame("ndp", address_bytes(ROUTER6) + b"\x01\x00" + bytes(30), (PC6, ROUTER6), kind=135)
    assert evidence(endless) == []
