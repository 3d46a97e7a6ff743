"""A search for packets in the ring's directory; the core does it, without the GIL."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

from sensor import _native
from sensor.config import Config
from sensor.config.units import format_size

PCAPNG_SUFFIXES = frozenset({".pcapng", ".ntar"})


class Plan(TypedDict):
    """How much there is and how much has to be read, in bytes and files of the ring."""

    segments: int
    bytes: int
    read_segments: int
    read_bytes: int
    unindexed_segments: int
    index_bytes: int


class Found(TypedDict):
    """What was found; times are nanoseconds since 1970, 0 without a packet. `limited`: a limit ended the search.

    `notes` say what the answer may lack.
    """

    packets: int
    bytes: int
    first_ns: int
    last_ns: int
    limited: bool
    read_bytes: int
    notes: list[str]


class InterfaceCounts(TypedDict):
    """What the capture of an interface has counted from one time to another; `received` includes what was dropped."""

    interface: str
    since_ns: int
    until_ns: int
    received: int
    dropped: int


@dataclass(frozen=True, slots=True)
class PacketQuestion:
    """What is looked for; None matches everything.

    `host` is an end of the innermost packet or of a tunnel around it, `peer` the other end of the same. Both
    directions, later fragments, and ICMP errors that quote such a packet belong to it.
    """

    host: str | None = None
    peer: str | None = None
    port: int | None = None
    community_id: str | None = None
    vlan: int | None = None
    filter: str = ""
    since_ns: int = 0
    until_ns: int | None = None
    limit_packets: int | None = None
    limit_bytes: int | None = None

    @property
    def is_bounded(self) -> bool:
        """Whether it asks for less than the whole ring."""
        names = ("host", "port", "community_id", "vlan", "until_ns", "limit_packets", "limit_bytes")
        return bool(self.filter or self.since_ns) or any(getattr(self, name) is not None for name in names)

    def describe(self) -> str:
        """Say what is looked for in one line, for the comment of a capture file."""
        fields = ((name, getattr(self, name)) for name in self.__slots__)
        return ", ".join(f"{name} {value}" for name, value in fields if value not in {None, "", 0}) or "everything"


def ring_of(config: Config) -> dict[str, Any]:
    """Give what the core must know to search in the configured ring: its place, and what its tunnels are known by."""
    tunnels = config.decapsulation
    return {
        "directory": str(config.pcap_ring.directory),
        "decapsulation": {
            "vxlan_ports": list(tunnels.vxlan_ports),
            "geneve_ports": list(tunnels.geneve_ports),
            "gtpu_ports": list(tunnels.gtpu_ports),
            "tzsp_ports": list(tunnels.tzsp_ports),
        },
    }


class PacketSearch:
    """A search on its way.

    Making it raises ValueError for a question that is wrong, and OSError if the ring's directory cannot be read.
    """

    def __init__(self, config: Config, question: PacketQuestion) -> None:
        query = {name: getattr(question, name) for name in question.__slots__} | ring_of(config)
        self._question = question
        self._missing = _missing(config)
        self._search = _native.PacketSearch(json.dumps(query))
        self.plan: Plan = json.loads(self._search.plan)

    def write(
        self, path: str, show: Callable[[int], None] = lambda _: None, counts: Sequence[InterfaceCounts] = ()
    ) -> Found:
        """Search, and write what is found; `-` is standard output. `show` is told the bytes read, a few times a second.

        A name that ends in .pcapng gives that format; otherwise it is pcap, or pcapng where several link types meet. No
        file is made where nothing is found, and until it is whole its name ends in .tmp. `counts` are put into pcapng.
        Raises OSError if it cannot be written.
        """
        pcapng = True if Path(path).suffix in PCAPNG_SUFFIXES else None
        comment = "; ".join([f"spanwatch pcap: {self._question.describe()}", *self._missing])
        self._search.write_to(path, pcapng=pcapng, comment=comment, statistics=json.dumps(counts))
        while self._search.step():
            show(self._search.read_bytes)
        found: Found = json.loads(self._search.finish())
        return {**found, "notes": [*found["notes"], *self._missing]}


def _missing(config: Config) -> list[str]:
    """Say what is not in the ring by intent, or nothing."""
    flow_bytes = config.pcap_ring.flow_cutoff
    return (
        [f"pcap_ring.flow_cutoff is {format_size(flow_bytes)}: the rest of most flows is not in the ring"]
        if flow_bytes
        else []
    )
