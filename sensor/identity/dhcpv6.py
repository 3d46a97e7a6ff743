"""DHCP for IPv6 (RFC 8415): names from the client's FQDN (RFC 4704), and addresses that the server has assigned."""

import struct
from collections.abc import Iterator

from sensor.identity.addresses import mac_text, machine_address
from sensor.identity.facts import Evidence, PuntedFrame
from sensor.identity.names import clean_name, clean_text
from sensor.identity.packed import values

_SOLICIT, _REQUEST, _RENEW, _REBIND, _REPLY, _INFORM = 1, 3, 5, 6, 7, 11
_FROM_CLIENT = (_SOLICIT, _REQUEST, _RENEW, _REBIND, _INFORM)
_CLIENT_ID, _IA_NA, _ADDRESS, _VENDOR_CLASS, _CLIENT_FQDN = 1, 3, 5, 16, 39
_OPTION = struct.Struct("!HH")
_HEADER_BYTES = 4
_IA_BYTES, _ADDRESS_BYTES = 12, 16
# A DUID that holds a MAC of Ethernet: with time, and without (RFC 8415, 11.2 and 11.4).
_DUIDS = {b"\x00\x01\x00\x01": 8, b"\x00\x03\x00\x01": 4}
_VENDOR_CLASS_BYTES = 6


def read(frame: PuntedFrame) -> Iterator[Evidence]:
    """Give what a client says of itself, or the addresses in a server's reply. Relayed messages are left out."""
    if not frame.message or frame.message[0] not in (*_FROM_CLIENT, _REPLY):
        return
    options = dict(values(frame.message[_HEADER_BYTES:], _OPTION))
    mac, name = _mac(options.get(_CLIENT_ID, b"")), _name(options.get(_CLIENT_FQDN, b""))
    if frame.message[0] != _REPLY:
        make = clean_text(options.get(_VENDOR_CLASS, b"")[_VENDOR_CLASS_BYTES:])
        if mac is not None:
            yield Evidence(frame.time_ns, "dhcpv6", None, mac, name, make)
        return
    for option, value in values(options.get(_IA_NA, b"")[_IA_BYTES:], _OPTION):
        ip = machine_address(value[:_ADDRESS_BYTES]) if option == _ADDRESS else None
        if ip is not None:
            yield Evidence(frame.time_ns, "dhcpv6", ip, mac, name)


def _mac(duid: bytes) -> str | None:
    start = _DUIDS.get(duid[:4])
    return mac_text(duid[start:]) if start is not None else None


def _name(fqdn: bytes) -> str | None:
    """Give the first label; in front of the name stand the flags (RFC 4704, 4)."""
    return clean_name(fqdn[2 : 2 + fqdn[1]]) if len(fqdn) > 1 else None
