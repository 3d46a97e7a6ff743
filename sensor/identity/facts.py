"""What goes in and what comes out of the dissection of control protocols."""

from dataclasses import dataclass
from typing import NamedTuple

from sensor.identity.addresses import is_group


class PuntedFrame(NamedTuple):
    """A message of a control protocol, or a host's words, as the core hands it over, after decapsulation.

    `kind` is the type of an ICMPv6 message. `source` names the interface or mirror session that it came from. `macs`
    and `addresses` are those of sender and receiver. `message` stands behind the UDP header, behind the first eight
    bytes of ICMPv6, behind the EtherType or SNAP header; or it is what a host says of itself inside of a conversation.
    """

    time_ns: int
    protocol: str
    kind: int
    source: str
    vlan: list[int]
    macs: tuple[str | None, str | None]
    addresses: tuple[str | None, str | None]
    message: bytes

    @property
    def link_mac(self) -> str | None:
        """The sender's MAC where no router can be between: what goes to a group on a link is not routed."""
        sender, receiver = self.macs
        return sender if receiver is not None and is_group(receiver) else None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Something that a protocol says of a machine, known by IP address, MAC or both.

    `vendor_class` is DHCP's (option 60), `server` the DHCP server that has given the address. `user` is at the machine,
    `agent` a program on it that asks the web. `vlan` is that of the frame, the outermost tag first.
    """

    time_ns: int
    protocol: str
    ip: str | None = None
    mac: str | None = None
    name: str | None = None
    vendor_class: str | None = None
    server: str | None = None
    user: str | None = None
    agent: str | None = None
    vlan: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class RouterMac:
    """A MAC that says of itself that it is a router's."""

    mac: str


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A switch that says which of its ports this is; `source` names the interface or mirror session that shows it."""

    time_ns: int
    protocol: str
    source: str
    switch: str
    port: str
    description: str | None = None
    vlan: int | None = None


Fact = Evidence | RouterMac | Neighbour
