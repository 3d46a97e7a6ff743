"""Builders of frames: what a PC sends, and the ways in which a mirror port wraps it.

Everything returns whole frames as bytes, with correct lengths and checksums. dpkt does the building; the headers that
it lacks (GRE with ERSPAN, VXLAN) are packed here.
"""

from __future__ import annotations

import ipaddress
import struct
import zlib
from dataclasses import dataclass, replace

import dpkt

ETHERTYPE_VLAN = 0x8100
ETHERTYPE_QINQ = 0x88A8
GRE_ERSPAN_I_II = 0x88BE
GRE_ERSPAN_III = 0x22EB
GRE_TRANSPARENT_ETHERNET = 0x6558
VXLAN_PORT = 4789

FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10

# GRE's S bit (RFC 2890); the same bit tells ERSPAN II from ERSPAN I.
_GRE_SEQUENCE_PRESENT = 0x1000
_IPV4_BYTES = 4


@dataclass(frozen=True)
class Endpoint:
    """One end of a conversation as its network sees it: MAC (`aa:bb:…`), IPv4 or IPv6 address, and port."""

    mac: str
    address: str
    port: int = 0

    def at(self, port: int) -> Endpoint:
        """The same machine with another port."""
        return replace(self, port=port)


@dataclass(frozen=True)
class Segment:
    """What a TCP header says and carries (RFC 9293)."""

    flags: int
    sequence: int = 0
    acknowledgement: int = 0
    payload: bytes = b""


@dataclass(frozen=True)
class Session:
    """What an ERSPAN header says: session id (10 bits), VLAN of the mirrored frame, GRE sequence number."""

    id: int = 1
    vlan: int = 0
    sequence: int = 0


def tcp(source: Endpoint, destination: Endpoint, segment: Segment) -> bytes:
    """A TCP segment."""
    header = dpkt.tcp.TCP(
        sport=source.port,
        dport=destination.port,
        seq=segment.sequence & 0xFFFFFFFF,
        ack=segment.acknowledgement & 0xFFFFFFFF,
        flags=segment.flags,
        win=64240,
        data=segment.payload,
    )
    return ip(source, destination, dpkt.ip.IP_PROTO_TCP, header)


def udp(source: Endpoint, destination: Endpoint, payload: bytes) -> bytes:
    """A UDP datagram (RFC 768)."""
    header = dpkt.udp.UDP(sport=source.port, dport=destination.port, ulen=8 + len(payload), data=payload)
    return ip(source, destination, dpkt.ip.IP_PROTO_UDP, header)


def icmp_echo(source: Endpoint, destination: Endpoint, sequence: int, *, reply: bool = False) -> bytes:
    """An ICMP echo request or reply with 56 bytes of data (RFC 792)."""
    echo = dpkt.icmp.ICMP.Echo(id=source.port or 1, seq=sequence, data=bytes(range(56)))
    kind = dpkt.icmp.ICMP_ECHOREPLY if reply else dpkt.icmp.ICMP_ECHO
    return ip(source, destination, dpkt.ip.IP_PROTO_ICMP, dpkt.icmp.ICMP(type=kind, data=echo))


def arp_request(source: Endpoint, wanted: str) -> bytes:
    """A broadcast that asks who has the IPv4 address `wanted` (RFC 826), padded to Ethernet's minimum."""
    asked = dpkt.arp.ARP(
        sha=mac_bytes(source.mac), spa=address_bytes(source.address), tha=bytes(6), tpa=address_bytes(wanted)
    )
    frame = dpkt.ethernet.Ethernet(
        src=mac_bytes(source.mac), dst=b"\xff" * 6, type=dpkt.ethernet.ETH_TYPE_ARP, data=bytes(asked)
    )
    return bytes(frame).ljust(60, b"\0")


def ip(source: Endpoint, destination: Endpoint, protocol: int, payload: dpkt.Packet | bytes) -> bytes:
    """An Ethernet frame with an IPv4 or IPv6 packet, by the kind of the addresses."""
    here, there = address_bytes(source.address), address_bytes(destination.address)
    if len(here) == _IPV4_BYTES:
        packet = dpkt.ip.IP(src=here, dst=there, p=protocol, ttl=64, id=_identification(payload), data=payload)
        ethertype = dpkt.ethernet.ETH_TYPE_IP
    else:
        packet = dpkt.ip6.IP6(src=here, dst=there, nxt=protocol, hlim=64, plen=len(payload), data=payload)
        ethertype = dpkt.ethernet.ETH_TYPE_IP6
    return mac_bytes(destination.mac) + mac_bytes(source.mac) + int(ethertype).to_bytes(2) + bytes(packet)


def vlan(frame: bytes, *ids: int) -> bytes:
    """`frame` with 802.1Q tags, outermost first; with more than one the outer ones are 802.1ad (QinQ)."""
    tags = b""
    for position, tag in enumerate(ids):
        last = position == len(ids) - 1
        tags += struct.pack("!HH", ETHERTYPE_VLAN if last else ETHERTYPE_QINQ, tag)
    return frame[:12] + tags + frame[12:]


def gre(frame: bytes, source: Endpoint, destination: Endpoint) -> bytes:
    """`frame` in GRE as transparent Ethernet bridging (RFC 2784, protocol 0x6558)."""
    return ip(source, destination, dpkt.ip.IP_PROTO_GRE, struct.pack("!HH", 0, GRE_TRANSPARENT_ETHERNET) + frame)


def erspan_i(frame: bytes, source: Endpoint, destination: Endpoint) -> bytes:
    """`frame` in ERSPAN type I: GRE without a sequence number, and no header of its own."""
    return ip(source, destination, dpkt.ip.IP_PROTO_GRE, struct.pack("!HH", 0, GRE_ERSPAN_I_II) + frame)


def erspan_ii(frame: bytes, source: Endpoint, destination: Endpoint, session: Session) -> bytes:
    """`frame` in ERSPAN type II (draft-foschiano-erspan-03, 4.2)."""
    gre_header = struct.pack("!HHI", _GRE_SEQUENCE_PRESENT, GRE_ERSPAN_I_II, session.sequence & 0xFFFFFFFF)
    # En = 3: the mirrored frame keeps its own tag.
    header = struct.pack("!HHI", 1 << 12 | session.vlan & 0xFFF, 3 << 11 | session.id & 0x3FF, 0)
    return ip(source, destination, dpkt.ip.IP_PROTO_GRE, gre_header + header + frame)


def erspan_iii(frame: bytes, source: Endpoint, destination: Endpoint, session: Session) -> bytes:
    """`frame` in ERSPAN type III without the platform sub-header (draft-foschiano-erspan-03, 4.3)."""
    gre_header = struct.pack("!HHI", _GRE_SEQUENCE_PRESENT, GRE_ERSPAN_III, session.sequence & 0xFFFFFFFF)
    timestamp = session.sequence * 100 & 0xFFFFFFFF
    header = struct.pack("!HHIHH", 2 << 12 | session.vlan & 0xFFF, session.id & 0x3FF, timestamp, 0, 0)
    return ip(source, destination, dpkt.ip.IP_PROTO_GRE, gre_header + header + frame)


def vxlan(frame: bytes, source: Endpoint, destination: Endpoint, network_id: int = 7) -> bytes:
    """`frame` in VXLAN on port 4789 (RFC 7348)."""
    header = struct.pack("!II", 0x08 << 24, network_id << 8)
    return udp(source.at(source.port or 49152), destination.at(VXLAN_PORT), header + frame)


def mac_bytes(mac: str) -> bytes:
    """The six bytes of `aa:bb:cc:dd:ee:ff`."""
    return bytes.fromhex(mac.replace(":", ""))


def address_bytes(address: str) -> bytes:
    """An address in network order: 4 or 16 bytes."""
    return ipaddress.ip_address(address).packed


def _identification(payload: dpkt.Packet | bytes) -> int:
    """An IPv4 identification that differs between successive packets, as a real sender's does."""
    return zlib.crc32(bytes(payload)) & 0xFFFF
