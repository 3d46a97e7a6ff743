"""Cisco's discovery protocol: the switch says its name and which of its ports this is."""

import struct
from collections.abc import Iterator

import dpkt

from sensor.identity.facts import Neighbour, PuntedFrame
from sensor.identity.names import clean_text

_TLV = struct.Struct("!HH")
# Router, transparent bridge, source-route bridge, switch.
_SWITCHES = 0x01 | 0x02 | 0x04 | 0x08


def read(frame: PuntedFrame) -> Iterator[Neighbour]:
    """Give the port. What says of itself that it neither bridges nor routes is a telephone, and no switch."""
    values: dict[int, bytes] = {}
    for tlv in dpkt.cdp.CDP(frame.message).tlvs:
        kind, length = _TLV.unpack_from(tlv)
        values.setdefault(kind, tlv[_TLV.size : length])
    capabilities = values.get(dpkt.cdp.CDP_CAPABILITIES)
    if capabilities is not None and not int.from_bytes(capabilities) & _SWITCHES:
        return
    switch = clean_text(values.get(dpkt.cdp.CDP_SYSTEM_NAME, b"") or values.get(dpkt.cdp.CDP_DEVID, b""))
    port = clean_text(values.get(dpkt.cdp.CDP_PORTID, b""))
    vlan = int.from_bytes(values.get(dpkt.cdp.CDP_NATIVE_VLAN, b"")[:2]) or None
    if switch is not None and port is not None:
        yield Neighbour(frame.time_ns, "cdp", frame.source, switch, port, None, vlan)
