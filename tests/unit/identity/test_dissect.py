import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.identity.dissect import PROTOCOLS, Dissector
from sensor.identity.facts import Evidence
from tests.unit.identity.messages import arp, cdp, dhcp, dns_answer, frame, lldp, nbns

SEEDS = {
    "arp": arp("10.0.0.1"),
    "dhcp": dhcp(1, 3, [(12, b"PC"), (81, b"\x04\0\0\x02PC\0")]),
    "nbns": nbns("PC", "10.0.0.1"),
    "mdns": dns_answer("pc.local", "10.0.0.1"),
    "llmnr": dns_answer("pc", "10.0.0.1"),
    "lldp": lldp((1, b"\x04abcdef"), (2, b"\x05x"), (7, b"\0\x04\0\x04")),
    "cdp": cdp((1, b"core"), (3, b"Gi1"), (4, b"\0\0\0\x08")),
}


@given(st.sampled_from(PROTOCOLS), st.binary(max_size=400), st.integers(0, 255), st.data())
def test_no_bytes_break_the_dissection(protocol: str, message: bytes, kind: int, data: st.DataObject) -> None:
    seed = bytearray(SEEDS.get(protocol, b""))
    for place in data.draw(st.lists(st.integers(0, max(0, len(seed) - 1)), max_size=5)):
        if seed:
            seed[place] ^= data.draw(st.integers(1, 255))
    dissector = Dissector()
    for content in (message, bytes(seed), bytes(seed)[: len(message)], bytes(seed) + message):
        dissector.read(frame(protocol, content, kind=kind))
    assert set(dissector.errors) <= {protocol}


@pytest.mark.parametrize("protocol", sorted(SEEDS))
def test_each_protocol_cut_at_every_length_breaks_nothing(protocol: str) -> None:
    dissector = Dissector()
    for length in range(len(SEEDS[protocol])):
        dissector.read(frame(protocol, SEEDS[protocol][:length]))


def test_what_cannot_be_read_is_counted_by_protocol() -> None:
    dissector = Dissector()
    assert dissector.read(frame("arp", b"\0\1")) == []
    assert dissector.read(frame("nbns", b"\xff" * 12)) == []
    assert dissector.errors == {"arp": 1, "nbns": 1}


def test_one_message_tells_a_bounded_number_of_facts() -> None:
    many = dns_answer("pc.local", *(f"10.0.1.{number}" for number in range(200)))
    found = Dissector().read(frame("mdns", many))
    assert len(found) == 64
    assert all(isinstance(fact, Evidence) for fact in found)
