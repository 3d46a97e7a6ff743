import struct

from sensor.identity.packed import address_octets, values

HEADER = struct.Struct("!BB")


def test_entries_are_given_until_one_is_cut() -> None:
    assert list(values(b"\x01\x02ab\x07\x00\x02\x05cut", HEADER)) == [(1, b"ab"), (7, b"")]
    assert list(values(b"\x01", HEADER)) == []


def test_an_address_in_text_has_its_bytes_and_none_has_none() -> None:
    assert address_octets("10.0.0.1") == b"\x0a\0\0\1"
    assert address_octets(None) == b""
