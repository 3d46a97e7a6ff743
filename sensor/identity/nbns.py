"""NetBIOS name service (RFC 1002): machines that register and refresh their names."""

from collections.abc import Iterator

import dpkt

from sensor.identity.addresses import machine_address
from sensor.identity.dns import Message
from sensor.identity.facts import Evidence, PuntedFrame
from sensor.identity.names import clean_name

# Opcodes of NAME REGISTRATION REQUEST and NAME REFRESH REQUEST, which some send as 9 (RFC 1002, 4.2.1.1).
_CLAIMS = (5, 8, 9)
_WORKSTATION, _SERVER = 0x00, 0x20
_ENCODED_CHARACTERS, _NAME_BYTES = 32, 15
_FLAGS_BYTES, _RDATA_BYTES = 2, 6
_HALF_OCTETS = str.maketrans("ABCDEFGHIJKLMNOP", "0123456789abcdef")


def read(frame: PuntedFrame) -> Iterator[Evidence]:
    """Give the names that a machine claims for itself; groups, which many machines are in, are left out."""
    message = Message(frame.message)
    if message.qr != dpkt.dns.DNS_Q or message.opcode not in _CLAIMS:
        return
    for record in message.ar:
        if record.type != dpkt.netbios.NS_NB or len(record.rdata) != _RDATA_BYTES:
            continue
        name = _name(record.name)
        ip = machine_address(record.rdata[_FLAGS_BYTES:])
        if name is None or ip is None or int.from_bytes(record.rdata[:_FLAGS_BYTES]) & dpkt.netbios.NS_NAME_G:
            continue
        own = ip == frame.addresses[0]
        yield Evidence(frame.time_ns, "nbns", ip, frame.link_mac if own else None, name)


def _name(encoded: str) -> str | None:
    """Undo the first-level encoding (RFC 1001, 14.1); the sixteenth byte says what the name is of."""
    label = encoded.partition(".")[0]
    if len(label) != _ENCODED_CHARACTERS:
        return None
    decoded = bytes.fromhex(label.translate(_HALF_OCTETS))
    return clean_name(decoded[:_NAME_BYTES]) if decoded[_NAME_BYTES] in (_WORKSTATION, _SERVER) else None
