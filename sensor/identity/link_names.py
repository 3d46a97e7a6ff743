"""Multicast DNS (RFC 6762) and LLMNR (RFC 4795): names that a machine answers to on its link."""

from collections.abc import Iterator

import dpkt

from sensor.identity.addresses import machine_address
from sensor.identity.dns import Message
from sensor.identity.facts import Evidence, PuntedFrame
from sensor.identity.names import clean_name

_LOCAL = ".local"


def read_mdns(frame: PuntedFrame) -> Iterator[Evidence]:
    """Give the addresses in answers for names of the link; what they point to elsewhere is not believed."""
    message = Message(frame.message)
    if message.qr == dpkt.dns.DNS_R:
        yield from _addresses(frame, [*message.an, *message.ar], _LOCAL)


def read_llmnr(frame: PuntedFrame) -> Iterator[Evidence]:
    """Give the addresses in answers."""
    message = Message(frame.message)
    if message.qr == dpkt.dns.DNS_R:
        yield from _addresses(frame, message.an, "")


def _addresses(frame: PuntedFrame, records: list[Message.RR], suffix: str) -> Iterator[Evidence]:
    for record in records:
        if record.type not in (dpkt.dns.DNS_A, dpkt.dns.DNS_AAAA):
            continue
        ip = machine_address(record.rdata)
        host = record.name.lower().endswith(suffix)
        name = clean_name(record.name[: len(record.name) - len(suffix)]) if host else None
        if ip is not None and name is not None:
            own = ip == frame.addresses[0]
            yield Evidence(frame.time_ns, frame.protocol, ip, frame.link_mac if own else None, name)
