from sensor.identity.addresses import is_group, is_private, is_virtual_router, mac_text, machine_address


def test_only_a_stations_mac_is_one() -> None:
    assert mac_text(bytes.fromhex("001b44113ab7")) == "00:1b:44:11:3a:b7"
    assert [mac_text(octets) for octets in (bytes(6), b"\xff" * 6, b"\x01" + bytes(5), b"abc")] == [None] * 4


def test_bits_of_a_mac_say_group_private_and_shared() -> None:
    assert (is_group("01:00:5e:00:00:fb"), is_group("00:1b:44:11:3a:b7")) == (True, False)
    assert (is_private("02:00:00:00:00:01"), is_private("00:1b:44:11:3a:b7")) == (True, False)
    assert (is_virtual_router("00:00:5e:00:01:14"), is_virtual_router("00:00:5e:00:53:14")) == (True, False)


def test_only_an_address_that_tells_machines_apart_is_one() -> None:
    assert machine_address(b"\x0a\x00\x00\x01") == "10.0.0.1"
    assert machine_address(bytes.fromhex("fd00" + "0" * 26 + "44")) == "fd00::44"
    nobody = (b"", bytes(4), b"\xff" * 4, b"\xe0\0\0\1", b"\x7f\0\0\1", bytes(16), b"\xfe\x80" + bytes(13) + b"\1")
    assert [machine_address(octets) for octets in nobody] == [None] * len(nobody)
