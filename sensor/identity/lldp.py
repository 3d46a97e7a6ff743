"""LLDP (IEEE 802.1AB): the switch says its name and which of its ports this is."""

from collections.abc import Iterator

from sensor.identity.addresses import mac_text
from sensor.identity.facts import Neighbour, PuntedFrame
from sensor.identity.names import clean_text

_CHASSIS, _PORT, _PORT_DESCRIPTION, _SYSTEM_NAME, _CAPABILITIES, _ORGANIZATION = 1, 2, 4, 5, 7, 127
_LENGTH_BITS = 9
_MAC_SUBTYPES = {_CHASSIS: 4, _PORT: 3}
# Port VLAN id of IEEE 802.1 (IEEE 802.1Q, D.2.1).
_PORT_VLAN = b"\x00\x80\xc2\x01"
_BRIDGE_OR_ROUTER = 0x04 | 0x10


def read(frame: PuntedFrame) -> Iterator[Neighbour]:
    """Give the port. What says of itself that it neither bridges nor routes is a telephone or a PC, and no switch."""
    values: dict[int, bytes] = {}
    vlan = None
    for kind, value in _values(frame.message):
        if kind == _ORGANIZATION and value.startswith(_PORT_VLAN):
            vlan = int.from_bytes(value[4:6]) or None
        values.setdefault(kind, value)
    capabilities = int.from_bytes(values.get(_CAPABILITIES, b"")[:2])
    if _CAPABILITIES in values and not capabilities & _BRIDGE_OR_ROUTER:
        return
    switch = clean_text(values.get(_SYSTEM_NAME, b"")) or _identifier(values, _CHASSIS)
    port = _identifier(values, _PORT)
    if switch is not None and port is not None:
        description = clean_text(values.get(_PORT_DESCRIPTION, b""))
        yield Neighbour(frame.time_ns, "lldp", frame.source, switch, port, description, vlan)


def _identifier(values: dict[int, bytes], kind: int) -> str | None:
    value = values.get(kind, b"")
    if value[:1] == bytes((_MAC_SUBTYPES[kind],)):
        return mac_text(value[1:])
    return clean_text(value[1:])


def _values(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Seven bits of type, nine of length, the value (IEEE 802.1AB, 8.4); the end, or what is cut, ends it."""
    at = 0
    while at + 2 <= len(message):
        header = int.from_bytes(message[at : at + 2])
        kind, length = header >> _LENGTH_BITS, header & (1 << _LENGTH_BITS) - 1
        at += 2
        if kind == 0 or at + length > len(message):
            return
        yield kind, message[at : at + length]
        at += length
