"""Neighbour discovery (RFC 4861): IPv6's ARP, and routers that announce themselves."""

from collections.abc import Iterator

from sensor.identity.addresses import mac_text, machine_address
from sensor.identity.facts import Evidence, PuntedFrame, RouterMac
from sensor.identity.packed import address_octets

_ROUTER_SOLICITATION, _ROUTER_ADVERTISEMENT, _SOLICITATION, _ADVERTISEMENT = 133, 134, 135, 136
# What stands before the options, behind the first eight bytes of the message (RFC 4861, 4.1 to 4.4).
_OPTIONS_AT = {_ROUTER_SOLICITATION: 0, _ROUTER_ADVERTISEMENT: 8, _SOLICITATION: 16, _ADVERTISEMENT: 16}
_SOURCE_MAC, _TARGET_MAC = 1, 2
_UNIT_BYTES = 8


def read(frame: PuntedFrame) -> Iterator[Evidence | RouterMac]:
    """Give the pair of the sender, or in an advertisement that of its target."""
    if frame.kind not in _OPTIONS_AT:
        return
    options = dict(_options(frame.message[_OPTIONS_AT[frame.kind] :]))
    if frame.kind == _ADVERTISEMENT:
        ip, mac = machine_address(frame.message[:16]), mac_text(options.get(_TARGET_MAC, b""))
    else:
        ip, mac = machine_address(address_octets(frame.addresses[0])), mac_text(options.get(_SOURCE_MAC, b""))
    if mac is not None and frame.kind == _ROUTER_ADVERTISEMENT:
        yield RouterMac(mac)
    if ip is not None and mac is not None:
        yield Evidence(frame.time_ns, "ndp", ip, mac)


def _options(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Each option's type and value. "The value 0 is invalid" (RFC 4861, 4.6) for a length: it ends the list."""
    while len(message) >= _UNIT_BYTES and message[1]:
        length = message[1] * _UNIT_BYTES
        yield message[0], message[2:length]
        message = message[length:]
