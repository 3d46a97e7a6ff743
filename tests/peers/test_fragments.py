"""Fragments count in the flow of their datagram: `spanwatch read` against sums that dpkt's fields give.

The sums know nothing of the sensor's table: a dictionary without bounds tells, for source, destination, identification
and protocol (in IPv6 without the protocol), which ports the first fragment had.
"""

from __future__ import annotations

import ipaddress
import struct
from collections import Counter
from pathlib import Path
from typing import Any

import dpkt
import pytest

from tests.peers.read import read

pytestmark = pytest.mark.peers

CAPTURES = {
    "dnscollector__dnsdump_ip4_fragmented+udp.pcap": 1,
    "dnscollector__dnsdump_ip6_fragmented+udp.pcap": 1,
    "ndpi__dns_fragmented.pcap": 7,
    "ndpi__ip_fragmented_garbage.pcap": 1248,
    "pcapplusplus__frag_http_req.pcap": 10,
    "pcapplusplus__ip4_fragments.pcap": 41,
}
"""Captures whose frames are IP in Ethernet, and how many fragments behind a first one each holds."""

Flow = tuple[str, tuple[tuple[str, int], ...]]


def flow(protocol: str, ends: list[tuple[str, int]]) -> Flow:
    return protocol, tuple(sorted((str(ipaddress.ip_address(end)), port) for end, port in ends))


def parts(packet: Any) -> tuple[tuple[Any, ...], bool, bool, int]:
    """What names the datagram of a packet, whether this is a fragment, and one behind the first, and its IP length."""
    if isinstance(packet, dpkt.ip.IP):
        key = (packet.src, packet.dst, packet.id, packet.p)
        return key, bool(packet.mf or packet.offset), packet.offset > 0, packet.len
    fragment = packet.extension_hdrs.get(dpkt.ip.IP_PROTO_FRAGMENT)
    if fragment is None:
        return (packet.src, packet.dst), False, False, 40 + packet.plen
    behind = fragment.frag_off > 0
    return (packet.src, packet.dst, fragment.id), bool(fragment.m_flag) or behind, behind, 40 + packet.plen


def sums(capture: Path) -> tuple[Counter[Flow], Counter[Flow], int]:
    """Packets and bytes of each flow, and the number of fragments behind a first one."""
    packets: Counter[Flow] = Counter()
    bytes_: Counter[Flow] = Counter()
    firsts: dict[tuple[Any, ...], tuple[int, int]] = {}
    later = 0
    with capture.open("rb") as file:
        for _, frame in dpkt.pcap.UniversalReader(file):
            packet = dpkt.ethernet.Ethernet(frame).data
            if not isinstance(packet, dpkt.ip.IP | dpkt.ip6.IP6):
                continue
            key, fragment, behind, length = parts(packet)
            ports = firsts.get(key, (0, 0)) if behind else struct.unpack("!HH", bytes(packet.data)[:4])
            if fragment and not behind:
                firsts[key] = ports
            later += behind
            name = {6: "TCP", 17: "UDP"}[packet.p]
            ends = [(packet.src, ports[0]), (packet.dst, ports[1])]
            packets[flow(name, ends)] += 1
            bytes_[flow(name, ends)] += length
    return packets, bytes_, later


@pytest.mark.parametrize("name", CAPTURES)
def test_later_fragments_are_in_the_flow_of_the_first(name: str, corpus: Path, spanwatch: Path, tmp_path: Path) -> None:
    capture = corpus / "pcap" / name
    packets, bytes_, later = sums(capture)
    assert later == CAPTURES[name]
    ours: tuple[Counter[Flow], Counter[Flow]] = (Counter(), Counter())
    for record in read(spanwatch, tmp_path / "out", [capture]).eve:
        if record["event_type"] == "flow":
            key = flow(
                record["proto"], [(record[f"{end}_ip"], record.get(f"{end}_port", 0)) for end in ("src", "dest")]
            )
            ours[0][key] += record["flow"]["pkts_toserver"] + record["flow"]["pkts_toclient"]
            ours[1][key] += record["flow"]["bytes_toserver"] + record["flow"]["bytes_toclient"]
    assert ours == (packets, bytes_)
    assert all(port for _, ends in packets for _, port in ends), "the first fragment comes first in all of them"
