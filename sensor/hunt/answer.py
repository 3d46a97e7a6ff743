"""From sums of connections to the answer: one line for each machine and indicator."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sensor.alerts.text import endpoint, has_ports, utc_stamp
from sensor.hunt.search import FlowOf, SpanRow, Sum
from sensor.hunt.segments import Segments
from sensor.hunt.wanted import Wanted
from sensor.identity.ends import Ends
from sensor.identity.span import Name, Span, span_at

_MOST_REMOTES = 8


@dataclass(slots=True)
class Sighting:
    """A machine inside that met an indicator. Times are nanoseconds since 1970; out is from the machine.

    `contacts` are connections that were answered, `attempts` the others and questions for a name. `seen_in` are the
    kinds of records that tell of it. `latest` is the last connection, with its ends.
    """

    wanted: Wanted
    ip: str
    mac: str | None
    name: str | None
    vlan: list[int]
    first_ns: int
    last_ns: int
    latest: FlowOf
    ends: tuple[str, str]
    contacts: int = 0
    attempts: int = 0
    bytes_out: int = 0
    bytes_in: int = 0
    packets_available: bool = False
    seen_in: set[str] = field(default_factory=set)
    remotes: dict[str, None] = field(default_factory=dict)

    def add(self, row: Sum, *, host_is_src: bool) -> None:
        """Take what connections of one hour add."""
        if row.last_ns > self.last_ns:
            self.last_ns, self.latest, self.ends = row.last_ns, row.latest, (row.src_ip, row.dest_ip)
        self.first_ns = min(self.first_ns, row.first_ns)
        self.contacts += row.contacts
        self.attempts += row.attempts
        out, back = row.to_dest_bytes, row.to_src_bytes
        self.bytes_out += out if host_is_src else back
        self.bytes_in += back if host_is_src else out
        self.seen_in.update(row.seen_in)
        # Whom a host asks for a name is not whom it meets.
        if row.seen_in != ["dns"] and len(self.remotes) < _MOST_REMOTES:
            self.remotes[_remote(row, host_is_src=host_is_src)] = None

    def describe(self) -> dict[str, Any]:
        """Give it as `--json` shows it."""
        return {
            "ip": self.ip,
            "mac": self.mac,
            "vlan": self.vlan,
            "name": self.name,
            "first_seen": utc_stamp(self.first_ns),
            "last_seen": utc_stamp(self.last_ns),
            "contacts": self.contacts,
            "attempts": self.attempts,
            "bytes_out": self.bytes_out,
            "bytes_in": self.bytes_in,
            "packets_available": self.packets_available,
            "indicator": self.wanted.indicator,
            "remotes": list(self.remotes),
            "seen_in": sorted(self.seen_in),
            "community_id": self.latest.community_id,
        }


class Machines:
    """Who had which address when, as history or a running sensor tell it."""

    def __init__(self, rows: Iterable[SpanRow]) -> None:
        self._spans: defaultdict[str, list[Span]] = defaultdict(list)
        self._vlans: dict[str, list[int]] = {}
        known: dict[tuple[str, str | None, int], Span] = {}
        # An address is told again and again; what was told last holds.
        for row in sorted(rows, key=lambda row: row.last_seen_ns):
            key = (row.ip, row.mac, row.first_seen_ns)
            if key not in known:
                known[key] = Span(row.mac, row.first_seen_ns, row.last_seen_ns)
                self._spans[row.ip].append(known[key])
            known[key].last_seen_ns = row.last_seen_ns
            if row.name:
                known[key].name = Name(row.name, "")
            self._vlans[row.ip] = row.vlan or self._vlans.get(row.ip, [])

    def at(self, ip: str, time_ns: int, frames_mac: str | None) -> tuple[str | None, str | None]:
        """Give MAC and name of the machine that had an address at a time; without more the MAC that frames show."""
        span = span_at(self._spans.get(ip, []), time_ns)
        if span is None:
            return frames_mac, None
        return span.mac or frames_mac, span.name.text if span.name else None

    def vlan(self, ip: str) -> list[int]:
        """Give the VLANs of an address as they were told last."""
        return self._vlans.get(ip, [])


def sightings(
    sums: Iterable[Sum], wanted: Mapping[int, Wanted], machines: Machines, ends: Ends, segments: Segments
) -> list[Sighting]:
    """Give each machine with each indicator that it met, the newest first; `wanted` are these by their numbers."""
    found: dict[tuple[int, str, str | None, str | None], Sighting] = {}
    for row in sums:
        host_is_src = _host_is_src(row, ends)
        ip, frames_mac = (row.src_ip, row.src_mac) if host_is_src else (row.dest_ip, row.dest_mac)
        mac, name = machines.at(ip, row.last_ns, frames_mac)
        key = (row.wanted, ip, mac, name)
        if key not in found:
            vlan = row.vlan or machines.vlan(ip)
            flow_ends = (row.src_ip, row.dest_ip)
            found[key] = Sighting(
                wanted[row.wanted], ip, mac, name, vlan, row.first_ns, row.last_ns, row.latest, flow_ends
            )
        found[key].add(row, host_is_src=host_is_src)
    for sighting in found.values():
        sighting.packets_available = segments.hold(sighting.latest.start_ns, sighting.last_ns)
    # The number is no order of anything.
    return sorted(found.values(), key=lambda sighting: (-sighting.last_ns, sighting.ip, sighting.wanted.indicator))


def _host_is_src(row: Sum, ends: Ends) -> bool:
    """Tell the host as the alerts do: the internal end, of two the one that is not wanted, of none the originator."""
    src = ends.is_internal(row.src_ip) if row.src_internal is None else row.src_internal
    dest = ends.is_internal(row.dest_ip) if row.dest_internal is None else row.dest_internal
    if src and dest:
        return row.side == "dest"
    return src or not dest


def _remote(row: Sum, *, host_is_src: bool) -> str:
    address, port = (row.dest_ip, row.latest.dest_port) if host_is_src else (row.src_ip, row.latest.src_port)
    return endpoint(address, port if host_is_src and has_ports(row.latest.proto) else None)
