"""Addresses as text: which of them can belong to one machine."""

import ipaddress
from functools import lru_cache

_GROUP_BIT, _LOCAL_BIT = 0x01, 0x02
_MAC_BYTES = 6
# Shared by several routers on purpose: VRRP (RFC 9568, 7.3) and Cisco's HSRP, version 1 and 2.
_VIRTUAL_ROUTERS = ("00:00:5e:00:01:", "00:00:5e:00:02:", "00:00:0c:07:ac:", "00:00:0c:9f:f")


def mac_text(octets: bytes) -> str | None:
    """Give six bytes as `aa:bb:cc:dd:ee:ff`; None if they are no station's."""
    if len(octets) != _MAC_BYTES or octets[0] & _GROUP_BIT or not any(octets):
        return None
    return octets.hex(":")


def is_group(mac: str) -> bool:
    """Whether a MAC is broadcast or multicast."""
    return bool(int(mac[:2], 16) & _GROUP_BIT)


def is_private(mac: str) -> bool:
    """Whether a MAC is locally administered: made up by the machine, as phones do, or by a hypervisor."""
    return bool(int(mac[:2], 16) & _LOCAL_BIT)


def is_virtual_router(mac: str) -> bool:
    """Whether a MAC is one that routers share."""
    return mac.startswith(_VIRTUAL_ROUTERS)


@lru_cache(maxsize=4096)
def machine_address(octets: bytes) -> str | None:
    """Give 4 or 16 bytes as an address; None if no machine can be known by it.

    IPv6's link-local addresses are left out: they are not unique beyond their link.
    """
    try:
        address = ipaddress.ip_address(octets)
    except ValueError:
        return None
    if address.is_unspecified or address.is_multicast or address.is_loopback or octets == b"\xff" * 4:
        return None
    if address.version == 6 and address.is_link_local:  # noqa: PLR2004
        return None
    return str(address)
