"""A machine that had an address for a while."""

from dataclasses import dataclass, field

from sensor.alerts.text import NS_PER_SECOND

SAME_MACHINE_NS = 600 * NS_PER_SECOND
"""A machine that is heard again within so long has kept its address meanwhile, even if another one claimed it."""

MOST_SPANS = 8
"""Spans that are remembered of an address; the one heard longest ago goes."""

MOST_SAID = 8
"""Users and agents that are remembered of a machine; the one heard longest ago goes."""

_RANKS = {"dhcp": 5, "dhcpv6": 4, "krb5": 4, "nbns": 3, "mdns": 2, "llmnr": 1}
# What a parser that comes later says of a name counts as much as the weakest of these.
_OTHER_RANK = 1


@dataclass(slots=True)
class Name:
    """A name and the protocol that told it."""

    text: str
    protocol: str

    @property
    def rank(self) -> int:
        """How much it is believed: what a server hands out to more than what anybody on the link may claim."""
        return _RANKS.get(self.protocol, _OTHER_RANK)


def better(known: Name | None, told: Name | None) -> Name | None:
    """Give the name that is believed more; of two alike the second, which is the newer one."""
    if known is None or told is None:
        return told or known
    return told if told.rank >= known.rank else known


@dataclass(slots=True)
class Said:
    """A user or an agent, and when it was first and last heard of."""

    text: str
    first_seen_ns: int
    last_seen_ns: int


def say(said: list[Said], text: str | None, time_ns: int) -> None:
    """Take that something was said; the list stays in the order in which its entries were last heard."""
    if text is None:
        return
    known = next((entry for entry in said if entry.text == text), None) or Said(text, time_ns, time_ns)
    known.first_seen_ns = min(known.first_seen_ns, time_ns)
    known.last_seen_ns = max(known.last_seen_ns, time_ns)
    others = [entry for entry in said if entry is not known]
    said[:] = [*others[-MOST_SAID + 1 :], known]


@dataclass(slots=True)
class Card:
    """What is known of a network card, whatever its address."""

    name: Name | None = None
    vendor_class: str | None = None
    dhcp_server: str | None = None


@dataclass(slots=True)
class Span:
    """One machine at one address; `mac` is None while only its name is known, `vlan` is that of the last frame."""

    mac: str | None
    first_seen_ns: int
    last_seen_ns: int
    name: Name | None = None
    protocols: list[str] = field(default_factory=list)
    users: list[Said] = field(default_factory=list)
    agents: list[Said] = field(default_factory=list)
    vlan: list[int] = field(default_factory=list)

    def extend(self, time_ns: int, protocol: str) -> None:
        """Take that it was heard again."""
        self.first_seen_ns = min(self.first_seen_ns, time_ns)
        self.last_seen_ns = max(self.last_seen_ns, time_ns)
        if protocol not in self.protocols and len(self.protocols) < MOST_SPANS:
            self.protocols.append(protocol)


def span_for(spans: list[Span], mac: str | None, time_ns: int) -> Span:
    """Give the span that evidence of this machine belongs to, as the last one of `spans`; a new one if there is none.

    Two machines that alternate extend two spans and make no third.
    """
    for place in range(len(spans) - 1, -1, -1):
        known = spans[place]
        same = known.mac == mac or None in (known.mac, mac)
        current = place == len(spans) - 1 or abs(time_ns - known.last_seen_ns) <= SAME_MACHINE_NS
        if same and current:
            known.mac = known.mac or mac
            spans.append(spans.pop(place))
            return spans[-1]
    spans.append(Span(mac, time_ns, time_ns))
    del spans[:-MOST_SPANS]
    return spans[-1]


def span_at(spans: list[Span], time_ns: int) -> Span | None:
    """Give the machine that had the address at a time.

    It is the one that began last of those that were heard before and after; else the last one heard before; else one
    that was heard soon after.
    """
    during = [span for span in spans if span.first_seen_ns <= time_ns <= span.last_seen_ns]
    if during:
        return max(during, key=lambda span: span.first_seen_ns)
    before = [span for span in spans if span.last_seen_ns < time_ns]
    if before:
        return max(before, key=lambda span: span.last_seen_ns)
    first = min(spans, key=lambda span: span.first_seen_ns, default=None)
    return first if first is not None and first.first_seen_ns - time_ns <= SAME_MACHINE_NS else None
