"""From a frame to facts, with the one guard against what hostile bytes make of a parser."""

from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache
from itertools import islice

from sensor.identity.facts import Fact, PuntedFrame

Reader = Callable[[PuntedFrame], Iterable[Fact]]

PROTOCOLS = ("arp", "ndp", "dhcp", "dhcpv6", "nbns", "mdns", "llmnr", "lldp", "cdp", "agent", "krb5", "ntlm")
"""What is dissected, as the core names it."""

_MOST_FACTS = 64


@cache
def _readers() -> dict[str, Reader]:
    # Late: dpkt takes a tenth of a second, and a capture may have nothing for it.
    from sensor.identity import arp, cdp, claims, dhcp, dhcpv6, link_names, lldp, nbns, ndp  # noqa: PLC0415

    links = (link_names.read_mdns, link_names.read_llmnr)
    said = (claims.read_agent, claims.read_krb5, claims.read_ntlm)
    readers = (arp.read, ndp.read, dhcp.read, dhcpv6.read, nbns.read, *links, lldp.read, cdp.read, *said)
    return dict(zip(PROTOCOLS, readers, strict=True))


def warm_up() -> None:
    """Import the parsers, before the first frame comes."""
    _readers()


class Dissector:
    """Reads frames; `errors` counts by protocol those that could not be read."""

    def __init__(self) -> None:
        self.errors: Counter[str] = Counter()

    def read(self, frame: PuntedFrame) -> list[Fact]:
        """Give what a frame tells, at most 64 facts; nothing if it cannot be read, whatever its parser thinks of it."""
        try:
            return list(islice(_readers()[frame.protocol](frame), _MOST_FACTS))
        except Exception:  # noqa: BLE001
            # dpkt raises UnicodeDecodeError, IndexError and AttributeError besides its own errors.
            self.errors[frame.protocol] += 1
            return []
