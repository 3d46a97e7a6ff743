"""Messages of control protocols as machines send them, and the frames that the core makes of them."""

from __future__ import annotations

import struct

import dpkt

from sensor.demo.frames import address_bytes, mac_bytes
from sensor.identity.dissect import Dissector
from sensor.identity.facts import Evidence, Fact, PuntedFrame
from tests.unit.samples import START

PC_MAC, SERVER_MAC, ROUTER_MAC = "00:1b:44:11:3a:b7", "00:1b:44:00:00:35", "00:1c:73:00:00:01"
PC_IP = "10.20.3.44"
BROADCAST = "ff:ff:ff:ff:ff:ff"
MULTICAST = "01:00:5e:00:00:fb"


def frame(
    protocol: str,
    message: bytes,
    addresses: tuple[str | None, str | None] = (PC_IP, "10.20.3.255"),
    receiver: str = BROADCAST,
    kind: int = 0,
) -> PuntedFrame:
    return PuntedFrame(START, protocol, kind, "eth1", [20], (PC_MAC, receiver), addresses, message)


def facts(punted: PuntedFrame) -> list[Fact]:
    """What is read from a frame; the test fails if it cannot be read."""
    dissector = Dissector()
    found = dissector.read(punted)
    assert not dissector.errors
    return found


def evidence(punted: PuntedFrame) -> list[tuple[str | None, str | None, str | None]]:
    """Address, MAC and name of each piece of evidence in a frame."""
    return [(fact.ip, fact.mac, fact.name) for fact in facts(punted) if isinstance(fact, Evidence)]


def arp(sender_ip: str, sender_mac: str = PC_MAC, operation: int = 1, target: str = "10.20.0.53") -> bytes:
    message = dpkt.arp.ARP(
        op=operation,
        sha=mac_bytes(sender_mac),
        spa=address_bytes(sender_ip),
        tha=bytes(6),
        tpa=address_bytes(target),
    )
    return bytes(message) + bytes(18)


def dhcp(operation: int, kind: int, options: list[tuple[int, bytes]], **fields: int) -> bytes:
    message = dpkt.dhcp.DHCP(op=operation, chaddr=mac_bytes(PC_MAC), opts=[(53, bytes((kind,))), *options], **fields)
    return bytes(message)


def netbios_name(name: str, suffix: int = 0) -> bytes:
    padded = name.encode().ljust(15)[:15] + bytes((suffix,))
    return b"\x20" + bytes(0x41 + half for byte in padded for half in (byte >> 4, byte & 15)) + b"\0"


def nbns(name: str, ip: str, opcode: int = 5, flags: int = 0, suffix: int = 0) -> bytes:
    header = struct.pack("!6H", 1, opcode << 11 | 0x110, 1, 0, 0, 1)
    question = netbios_name(name, suffix) + struct.pack("!HH", 0x20, 1)
    record = b"\xc0\x0c" + struct.pack("!HHIHH", 0x20, 1, 300_000, 6, flags) + address_bytes(ip)
    return header + question + record


def dns_answer(name: str, *addresses: str) -> bytes:
    labels = b"".join(bytes((len(label),)) + label.encode() for label in name.split(".")) + b"\0"
    records = b""
    for address in addresses:
        octets = address_bytes(address)
        kind = 1 if len(octets) == 4 else 28
        records += labels + struct.pack("!HHIH", kind, 0x8001, 120, len(octets)) + octets
    # As multicast DNS has it: "this host has no other records of this name" (RFC 6762, 6.1), type NSEC.
    records += labels + struct.pack("!HHIH", 47, 0x8001, 120, 5) + b"\xc0\x0c\0\1\x40"
    return struct.pack("!6H", 0, 0x8400, 0, len(addresses) + 1, 0, 0) + records


def lldp(*values: tuple[int, bytes]) -> bytes:
    return b"".join(struct.pack("!H", kind << 9 | len(value)) + value for kind, value in (*values, (0, b"")))


def cdp(*values: tuple[int, bytes]) -> bytes:
    body = b"".join(struct.pack("!HH", kind, 4 + len(value)) + value for kind, value in values)
    return b"\x02\xb4\0\0" + body
