"""Frame headers of the office capture, built for many packets at once, with correct lengths and checksums."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tests.traffic import build
from tests.traffic.flows import EXTERNAL_SERVERS, INTERNAL_SERVERS, Flows, Ints, Packets, protocols, server_ports
from tests.traffic.payloads import CLIENTS, Pool, client_address, client_mac

Bytes = NDArray[np.uint8]

ENCAPSULATIONS = ("none", "vlan", "qinq", "gre", "erspan2", "erspan3", "vxlan")
START_SECONDS = 1_795_330_800  # 2026-11-22T07:00:00Z

_RECORD_BYTES = 16
_SWITCH = build.Endpoint("00:1c:73:00:00:01", "192.0.2.1")
_COLLECTOR = build.Endpoint("00:1c:73:00:00:02", "192.0.2.2")
_OUTER = {
    "gre": build.gre(b"", _SWITCH, _COLLECTOR),
    "erspan2": build.erspan_ii(b"", _SWITCH, _COLLECTOR, build.Session(id=21, vlan=20)),
    "erspan3": build.erspan_iii(b"", _SWITCH, _COLLECTOR, build.Session(id=22, vlan=20)),
    "vxlan": build.vxlan(b"", _SWITCH, _COLLECTOR),
}
_TAGS = {"vlan": 4, "qinq": 8}
_HEADER_BYTES = {6: 32, 17: 8, 1: 8, 0: 0}  # TCP carries timestamps


class Headers:
    """Builds the rows of `packets`."""

    def __init__(self, flows: Flows, packets: Packets, pool: Pool, encapsulation: str) -> None:
        self._flows = flows
        self._packets = packets
        self._pool = pool
        self._encapsulation = encapsulation
        self._outer = np.frombuffer(_OUTER.get(encapsulation, b""), dtype=np.uint8)
        self._ether = _RECORD_BYTES + len(self._outer)
        self._ip = self._ether + 14 + _TAGS.get(encapsulation, 0)
        self._hosts = _Hosts()

    def build(self, start: int, stop: int) -> tuple[Bytes, Ints]:
        """Rows of pcap record header and frame headers, left-justified, and how many bytes of each row count."""
        rows = slice(start, stop)
        flow = self._packets.flow[rows]
        protocol = protocols()[self._flows.kind[flow]]
        ipv6 = self._flows.ipv6[flow]
        payload = self._pool.length[self._packets.payload[rows]]
        ip_header = np.where(protocol == 0, 0, np.where(ipv6, 40, 20))
        l4_header = np.select([protocol == number for number in _HEADER_BYTES], list(_HEADER_BYTES.values()))
        built = np.zeros((stop - start, self._ip + 40 + 32), dtype=np.uint8)
        lengths = self._ip + ip_header + l4_header
        self._record(built, rows, lengths + payload - _RECORD_BYTES)
        self._wrap(built, rows, lengths + payload - self._ether)
        self._link(built, rows, protocol)
        for family in (False, True):
            for number in (6, 17, 1):
                chosen = np.flatnonzero((protocol == number) & (ipv6 == family))
                if len(chosen):
                    built[chosen] = self._internet(built[chosen], start + chosen, number)
        return built, lengths

    def _record(self, built: Bytes, rows: slice, length: Ints) -> None:
        """The pcap record header, little-endian."""
        nanoseconds = (self._packets.time_seconds[rows] * 1e9).astype(np.int64)
        words = (START_SECONDS + nanoseconds // 10**9, nanoseconds % 10**9, length, length)
        built[:, :_RECORD_BYTES] = np.stack(words, axis=1).astype("<u4").view(np.uint8)

    def _wrap(self, built: Bytes, rows: slice, inner: Ints) -> None:
        """The outer headers of a tunnel: template, lengths, checksum, sequence number."""
        size = len(self._outer)
        if not size:
            return
        at = _RECORD_BYTES
        built[:, at : at + size] = self._outer
        number = np.arange(rows.start, rows.stop)
        _put(built, at + 16, 2, size - 14 + inner)
        _put(built, at + 18, 2, number & 0xFFFF)
        _put(built, at + 24, 2, 0)
        _put(built, at + 24, 2, _checksum(_words(built, at + 14, 20)))
        if self._encapsulation.startswith("erspan"):
            _put(built, at + 38, 4, number)
        if self._encapsulation == "vxlan":
            _put(built, at + 34, 2, 49152 + self._packets.flow[rows] % 16384)
            _put(built, at + 38, 2, size - 34 + inner)
            _put(built, at + 40, 2, 0)  # RFC 7348, 5: the outer UDP checksum should be zero

    def _link(self, built: Bytes, rows: slice, protocol: Ints) -> None:
        """Ethernet header and tags."""
        flow, sender = self._packets.flow[rows], self._packets.sender[rows]
        macs = self._hosts.macs
        client, server = macs[self._flows.client[flow]], macs[CLIENTS + self._flows.server[flow]]
        from_client = (sender == 0)[:, None]
        target = np.where(from_client, server, client)
        target[protocol == 0] = 0xFF
        built[:, self._ether : self._ether + 6] = target
        built[:, self._ether + 6 : self._ether + 12] = np.where(from_client, client, server)
        tag = 20 + self._flows.client[flow] % 8
        at = self._ether + 12
        if self._encapsulation == "qinq":
            _put(built, at, 4, 0x88A80000 | 100)
            at += 4
        if self._encapsulation in _TAGS:
            _put(built, at, 4, 0x81000000 | tag)
            at += 4
        ipv6 = self._flows.ipv6[flow]
        _put(built, at, 2, np.where(protocol == 0, 0x0806, np.where(ipv6, 0x86DD, 0x0800)))

    def _internet(self, built: Bytes, rows: Ints, protocol: int) -> Bytes:
        """IP and transport header of packets of one family and protocol."""
        flow, sender = self._packets.flow[rows], self._packets.sender[rows]
        ipv6 = bool(self._flows.ipv6[flow[0]])
        client, server = self._flows.client[flow], CLIENTS + self._flows.server[flow]
        source, target = np.where(sender == 0, client, server), np.where(sender == 0, server, client)
        payload = self._packets.payload[rows]
        length = _HEADER_BYTES[protocol] + self._pool.length[payload]
        pseudo = length + protocol
        _put(built, self._ip + (6 if ipv6 else 9), 1, protocol)
        if ipv6:
            self._version6(built, length, source, target)
            pseudo += self._hosts.sums6[source] + self._hosts.sums6[target]
        else:
            self._version4(built, rows, length, source, target)
            pseudo += self._hosts.sums4[source] + self._hosts.sums4[target]
        at = self._ip + (40 if ipv6 else 20)
        field = self._transport(built, at, rows, protocol, length)
        total = _words(built, at, _HEADER_BYTES[protocol]) + self._pool.checksum[payload]
        checksum = _checksum(total if protocol == 1 else total + pseudo)
        _put(built, at + field, 2, np.where((checksum == 0) & (protocol == 17), 0xFFFF, checksum))
        return built

    def _version4(self, built: Bytes, rows: Ints, length: Ints, source: Ints, target: Ints) -> None:
        at = self._ip
        _put(built, at, 2, 0x4500)
        _put(built, at + 2, 2, 20 + length)
        _put(built, at + 4, 2, rows & 0xFFFF)
        _put(built, at + 6, 2, 0x4000)
        _put(built, at + 8, 1, 63)
        built[:, at + 12 : at + 16] = self._hosts.addresses4[source]
        built[:, at + 16 : at + 20] = self._hosts.addresses4[target]
        _put(built, at + 10, 2, _checksum(_words(built, at, 20)))

    def _version6(self, built: Bytes, length: Ints, source: Ints, target: Ints) -> None:
        at = self._ip
        _put(built, at, 4, 0x60000000)
        _put(built, at + 4, 2, length)
        _put(built, at + 7, 1, 63)
        built[:, at + 8 : at + 24] = self._hosts.addresses6[source]
        built[:, at + 24 : at + 40] = self._hosts.addresses6[target]

    def _transport(self, built: Bytes, at: int, rows: Ints, protocol: int, length: Ints) -> int:
        """Writes the header without its checksum; returns where the checksum belongs."""
        flow, sender = self._packets.flow[rows], self._packets.sender[rows]
        if protocol == 1:
            _put(built, at, 2, np.where(sender == 0, 0x0800, 0))
            _put(built, at + 4, 4, self._flows.client_port[flow] << 16 | 1)
            return 2
        here, there = self._flows.client_port[flow], server_ports()[self._flows.kind[flow]]
        _put(built, at, 2, np.where(sender == 0, here, there))
        _put(built, at + 2, 2, np.where(sender == 0, there, here))
        if protocol == 17:
            _put(built, at + 4, 2, length)
            return 6
        _put(built, at + 4, 4, self._packets.sequence[rows])
        _put(built, at + 8, 4, self._packets.acknowledgement[rows])
        _put(built, at + 12, 4, (8 << 12 | self._packets.flags[rows]) << 16 | 501)
        milliseconds = (self._packets.time_seconds[rows] * 1000).astype(np.int64)
        _put(built, at + 20, 4, 0x0101080A)
        _put(built, at + 24, 4, milliseconds + 1_000_000)
        _put(built, at + 28, 4, milliseconds + 1_000_000)
        return 16


class _Hosts:
    """Addresses by number: clients, then external servers, then internal servers."""

    def __init__(self) -> None:
        internal = [client_address(number) for number in range(CLIENTS)]
        external = [bytes((198, 18 + n % 2, n // 2 % 250 + 1, n // 500 + 1)) for n in range(EXTERNAL_SERVERS)]
        self.addresses4 = _matrix(internal + external + internal[:INTERNAL_SERVERS])
        prefixes = [b"\xfd\x00\x20" + bytes(9)] * CLIENTS + [b"\x20\x01\x0d\xb8" + bytes(8)] * EXTERNAL_SERVERS
        prefixes += [b"\xfd\x00\x20" + bytes(9)] * INTERNAL_SERVERS
        self.addresses6 = np.hstack((_matrix(prefixes), self.addresses4))
        macs = [client_mac(number) for number in range(CLIENTS)]
        router = bytes.fromhex("00005e000114")
        self.macs = _matrix(macs + [router] * EXTERNAL_SERVERS + macs[:INTERNAL_SERVERS])
        self.sums4 = _words(self.addresses4, 0, 4)
        self.sums6 = _words(self.addresses6, 0, 16)


def _matrix(rows: list[bytes]) -> Bytes:
    return np.frombuffer(b"".join(rows), dtype=np.uint8).reshape(len(rows), -1)


def _put(built: Bytes, at: int, size: int, values: Ints | int) -> None:
    """Writes big-endian integers of `size` bytes into a column."""
    for byte in range(size):
        built[:, at + byte] = values >> 8 * (size - 1 - byte) & 0xFF


def _words(built: Bytes, at: int, size: int) -> Ints:
    """The sum of the big-endian 16-bit words of each row's bytes from `at` on."""
    part = built[:, at : at + size].astype(np.int64)
    total: Ints = part[:, ::2].sum(axis=1) * 256 + part[:, 1::2].sum(axis=1)
    return total


def _checksum(total: Ints) -> Ints:
    """The Internet checksum of a sum of words (RFC 1071)."""
    total = (total & 0xFFFF) + (total >> 16)
    total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
