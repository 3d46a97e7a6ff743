"""ARP (RFC 826): the sender says which MAC its address has, asking or answering, and unasked at its start."""

from collections.abc import Iterator

import dpkt

from sensor.identity.addresses import mac_text, machine_address
from sensor.identity.facts import Evidence, PuntedFrame

_ETHERNET_AND_IPV4 = (dpkt.arp.ARP_HRD_ETH, dpkt.arp.ARP_PRO_IP, 6, 4)
_OPERATIONS = (dpkt.arp.ARP_OP_REQUEST, dpkt.arp.ARP_OP_REPLY)


def read(frame: PuntedFrame) -> Iterator[Evidence]:
    """Give the sender's pair. A probe (RFC 5227) has none: its sender does not own an address yet."""
    arp = dpkt.arp.ARP(frame.message)
    if (arp.hrd, arp.pro, arp.hln, arp.pln) != _ETHERNET_AND_IPV4 or arp.op not in _OPERATIONS:
        return
    ip, mac = machine_address(arp.spa), mac_text(arp.sha)
    if ip is not None and mac is not None:
        yield Evidence(frame.time_ns, "arp", ip, mac)
