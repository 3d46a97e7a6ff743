"""DHCP (RFC 2131, RFC 2132): which name and make a client gives, and which address the server has acknowledged."""

from collections.abc import Iterator

import dpkt

from sensor.identity.addresses import mac_text, machine_address
from sensor.identity.facts import Evidence, PuntedFrame
from sensor.identity.names import clean_name, clean_text

_FQDN = 81
_FQDN_HEADER_BYTES = 3
# "Encoding: 1 = canonical wire format" (RFC 4702, 2.1), bit 0x04 of the flags.
_FQDN_WIRE = 0x04
_FROM_CLIENT = (dpkt.dhcp.DHCPDISCOVER, dpkt.dhcp.DHCPREQUEST, dpkt.dhcp.DHCPINFORM)


def read(frame: PuntedFrame) -> Iterator[Evidence]:
    """Give what a client says of itself, or what a server acknowledges.

    A requested address (option 50) is a wish and no evidence; the address that a client has already (`ciaddr`) is,
    and so is what the server acknowledges.
    """
    dhcp = dpkt.dhcp.DHCP(frame.message)
    options = dict(dhcp.opts)
    mac = mac_text(dhcp.chaddr) if dhcp.hrd == dpkt.arp.ARP_HRD_ETH else None
    kind = options.get(dpkt.dhcp.DHCP_OPT_MSGTYPE, b"\0")[0]
    if dhcp.magic != dpkt.dhcp.DHCP_MAGIC or mac is None:
        return
    if dhcp.op == dpkt.dhcp.DHCP_OP_REQUEST and kind in _FROM_CLIENT:
        make = clean_text(options.get(dpkt.dhcp.DHCP_OPT_VENDOR_ID, b""))
        yield Evidence(frame.time_ns, "dhcp", _address(dhcp.ciaddr), mac, _name(options), make)
    elif dhcp.op == dpkt.dhcp.DHCP_OP_REPLY and kind == dpkt.dhcp.DHCPACK:
        server = machine_address(options.get(dpkt.dhcp.DHCP_OPT_SERVER_ID, b""))
        ip = _address(dhcp.yiaddr) or _address(dhcp.ciaddr)
        yield Evidence(frame.time_ns, "dhcp", ip, mac, _name(options), server=server)


def _address(number: int) -> str | None:
    return machine_address(number.to_bytes(4))


def _name(options: dict[int, bytes]) -> str | None:
    """Give the host name, or the first label of the domain name where there is no other."""
    name = clean_name(options.get(dpkt.dhcp.DHCP_OPT_HOSTNAME, b""))
    if name is not None:
        return name
    domain = options.get(_FQDN, b"")
    text = domain[_FQDN_HEADER_BYTES:]
    if domain and domain[0] & _FQDN_WIRE:
        text = text[1 : 1 + text[0]] if text else b""
    return clean_name(text.split(b".")[0])
