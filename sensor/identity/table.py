"""The table of identities: which machine has had which address, and when."""

from collections import OrderedDict, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypedDict

from sensor.identity.addresses import is_virtual_router
from sensor.identity.claims import system_of
from sensor.identity.facts import Evidence
from sensor.identity.span import Card, Name, Said, Span, better, say, span_at, span_for
from sensor.identity.vendor import vendor_of

MOST_ADDRESSES_OF_A_MACHINE = 16
"""IPv4 addresses that one MAC may answer ARP for; with more it is a router's or a proxy's, and names no machine."""

_MOST_ROUTERS = 4096
_WITHOUT_MAC = frozenset({"agent", "krb5", "ntlm"})


class Machine(TypedDict):
    """Who had an address. `mac_from` is `frames` where no protocol has told the MAC."""

    name: str | None
    name_from: str | None
    mac: str | None
    mac_from: str | None
    vendor: str | None
    vendor_class: str | None


class SaidRow(TypedDict):
    """A user or an agent of a machine, and when it was first and last heard of."""

    text: str
    first_seen_ns: int
    last_seen_ns: int


class Inside(TypedDict):
    """Users and programs of a machine, the last one last, and the system that the programs show."""

    users: list[SaidRow]
    agents: list[SaidRow]
    system: str | None


class PastMachine(Machine, Inside):
    """The same, with its VLAN and the time in which it was heard."""

    vlan: list[int]
    first_seen_ns: int
    last_seen_ns: int


@dataclass(slots=True)
class Memory:
    """All that is remembered, and outlives a restart."""

    addresses: OrderedDict[str, list[Span]] = field(default_factory=OrderedDict)
    cards: OrderedDict[str, Card] = field(default_factory=OrderedDict)
    routers: set[str] = field(default_factory=set)


class IdentityTable:
    """At most `most` addresses and cards; those of which nothing was heard longest go first, and are counted."""

    def __init__(self, most: int) -> None:
        self.evicted = 0
        self._most = max(1, most)
        self._memory = Memory()
        self._answers: defaultdict[str, set[str]] = defaultdict(set)

    @property
    def memory(self) -> Memory:
        """All that is remembered."""
        return self._memory

    def restore(self, memory: Memory) -> None:
        """Go on with what an earlier run remembered, as much as there is room for, the newest first."""
        for known in (memory.addresses, memory.cards):
            while len(known) > self._most:
                known.popitem(last=False)
        self._memory = memory
        self._answers.clear()
        for ip, spans in memory.addresses.items():
            for span in spans[-1:]:
                if span.mac is not None and "arp" in span.protocols:
                    self._answers[span.mac].add(ip)

    def __len__(self) -> int:
        return len(self._memory.addresses)

    def learn(self, evidence: Evidence) -> None:
        """Take what a protocol says of a machine; its strings must be clean already."""
        if evidence.mac is not None:
            self._learn_card(evidence.mac, evidence)
        if evidence.ip is not None:
            self._learn_address(evidence.ip, evidence)

    def learn_routers(self, macs: Iterable[str]) -> None:
        """Take MACs that are routers': frames with them say nothing of who has sent what they carry."""
        for mac in macs:
            if len(self._memory.routers) < _MOST_ROUTERS:
                self._memory.routers.add(mac)

    def who(self, ip: str, time_ns: int, frame_mac: str | None = None) -> Machine | None:
        """Say who had an address at a time; `frame_mac` is what its frames show. None where nothing is known."""
        span = span_at(self._memory.addresses.get(ip, []), time_ns)
        if span is None:
            span = Span(None, time_ns, time_ns)
        machine = self._machine(span, None if self._is_router(frame_mac) else frame_mac)
        return machine if machine["name"] or machine["mac"] else None

    def history(self, ip: str) -> list[PastMachine]:
        """Give all machines that had an address, the first one first."""
        spans = sorted(self._memory.addresses.get(ip, []), key=lambda span: (span.first_seen_ns, span.last_seen_ns))
        return [
            {
                **self._machine(span, None),
                **_inside(span),
                "vlan": span.vlan,
                "first_seen_ns": span.first_seen_ns,
                "last_seen_ns": span.last_seen_ns,
            }
            for span in spans
        ]

    def inside(self, ip: str, time_ns: int) -> Inside:
        """Say who and what was heard of the machine that had an address at a time."""
        return _inside(span_at(self._memory.addresses.get(ip, []), time_ns))

    def addresses(self) -> list[str]:
        """Give all addresses, the one heard last the last."""
        return list(self._memory.addresses)

    def heard_since(self, time_ns: int) -> list[str]:
        """Give the addresses at which a machine was heard at a time or later."""
        known = self._memory.addresses.items()
        return [ip for ip, spans in known if any(span.last_seen_ns >= time_ns for span in spans)]

    def _machine(self, span: Span, frame_mac: str | None) -> Machine:
        told = span.mac if span.mac is not None and not self._is_proxy(span.mac) else None
        mac = told or frame_mac
        card = self._memory.cards.get(mac or "", Card())
        name = better(span.name, card.name)
        return {
            "name": name.text if name else None,
            "name_from": name.protocol if name else None,
            "mac": mac,
            "mac_from": (_teller(span) if told else "frames") if mac else None,
            "vendor": vendor_of(mac) if mac else None,
            "vendor_class": card.vendor_class,
        }

    def _is_router(self, mac: str | None) -> bool:
        return mac is not None and (mac in self._memory.routers or self._is_proxy(mac) or is_virtual_router(mac))

    def _is_proxy(self, mac: str) -> bool:
        return len(self._answers.get(mac, ())) > MOST_ADDRESSES_OF_A_MACHINE

    def _learn_card(self, mac: str, evidence: Evidence) -> None:
        cards = self._memory.cards
        if mac not in cards:
            if not (evidence.name or evidence.vendor_class or evidence.server):
                return
            cards[mac] = Card()
            if len(cards) > self._most:
                cards.popitem(last=False)
        card = cards[mac]
        cards.move_to_end(mac)
        card.name = better(card.name, _name_of(evidence))
        card.vendor_class = evidence.vendor_class or card.vendor_class
        card.dhcp_server = evidence.server or card.dhcp_server

    def _learn_address(self, ip: str, evidence: Evidence) -> None:
        addresses = self._memory.addresses
        if ip not in addresses:
            addresses[ip] = []
            if len(addresses) > self._most:
                self._forget(*addresses.popitem(last=False))
        spans = addresses[ip]
        addresses.move_to_end(ip)
        before = spans[-1].mac if spans else None
        span = span_for(spans, evidence.mac, evidence.time_ns)
        span.extend(evidence.time_ns, evidence.protocol)
        span.vlan = list(evidence.vlan) or span.vlan
        say(span.users, evidence.user, evidence.time_ns)
        say(span.agents, evidence.agent, evidence.time_ns)
        if evidence.mac is None:
            span.name = better(span.name, _name_of(evidence))
        self._count_answers(ip, before, span.mac, evidence.protocol)

    def _count_answers(self, ip: str, before: str | None, mac: str | None, protocol: str) -> None:
        if before is not None and before != mac:
            self._take_off(ip, before)
        if mac is not None and protocol == "arp" and not self._is_proxy(mac):
            self._answers[mac].add(ip)

    def _take_off(self, ip: str, mac: str) -> None:
        if mac in self._answers:
            self._answers[mac].discard(ip)
            if not self._answers[mac]:
                del self._answers[mac]

    def _forget(self, ip: str, spans: list[Span]) -> None:
        self.evicted += 1
        for span in spans:
            if span.mac is not None:
                self._take_off(ip, span.mac)


def _teller(span: Span) -> str:
    """Give the protocol that has told the MAC: what is said inside of a conversation tells none."""
    return next((protocol for protocol in span.protocols if protocol not in _WITHOUT_MAC), "frames")


def _inside(span: Span | None) -> Inside:
    users, agents = (span.users, span.agents) if span is not None else ([], [])
    return {
        "users": list(map(_said_row, users)),
        "agents": list(map(_said_row, agents)),
        "system": system_of([agent.text for agent in agents]),
    }


def _said_row(said: Said) -> SaidRow:
    return {"text": said.text, "first_seen_ns": said.first_seen_ns, "last_seen_ns": said.last_seen_ns}


def _name_of(evidence: Evidence) -> Name | None:
    return Name(evidence.name, evidence.protocol) if evidence.name else None
