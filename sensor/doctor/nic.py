"""What the system says of one interface: sysfs and procfs of the caller's network namespace, and ethtool."""

import fcntl
import os
import socket
import struct
from dataclasses import dataclass, field
from pathlib import Path

from sensor.capture.devices import Device, devices
from sensor.doctor.ethtool import Card, read_card

_SYSFS = Path("/sys/class/net")
_PROCFS = Path("/proc")

# linux/sockios.h and linux/if.h
_SIOCGIFADDR = 0x8915
_IFF_NOARP = 0x80
_ADDR_GEN_MODE_NONE = 1  # IN6_ADDR_GEN_MODE_NONE in linux/if_link.h
_PACKET_INTERFACE, _PACKET_INODE = 4, 8  # columns of /proc/net/packet
_IF_INET6_COLUMNS = 6

ERROR_COUNTERS = (
    "rx_dropped", "rx_errors", "rx_crc_errors", "rx_frame_errors", "rx_fifo_errors", "rx_missed_errors",
    "rx_over_errors", "rx_length_errors",
)  # fmt: skip
"""The kernel's own counters of receive errors (struct rtnl_link_stats64), the same for every driver."""


@dataclass(frozen=True, slots=True)
class Nic:
    """One interface, as it stands. `listeners` are the processes that sniff on it, None if that cannot be read."""

    device: Device
    duplex: str | None = None
    answers_arp: bool = False
    ipv4: str | None = None
    ipv6: tuple[str, ...] = ()
    joins_ipv6: bool = False
    rx_queues: int = 1
    listeners: tuple[str, ...] | None = ()
    errors: dict[str, int] = field(default_factory=dict)
    card: Card = field(default_factory=Card)


def read_nic(interface: str) -> Nic | None:
    """Look at an interface of the caller's network namespace; None if it is not there."""
    device = next((device for device in devices() if device.name == interface), None)
    if device is None:
        return None
    return Nic(
        device=device,
        duplex=_text(_SYSFS / interface / "duplex"),
        answers_arp=not _flags(interface) & _IFF_NOARP,
        ipv4=_ipv4(interface),
        ipv6=ipv6_addresses(_text(_PROCFS / "net/if_inet6") or "", interface),
        joins_ipv6=_joins_ipv6(interface),
        rx_queues=len(list((_SYSFS / interface / "queues").glob("rx-*"))) or 1,
        listeners=_listeners(interface),
        errors=read_errors(interface),
        card=read_card(interface),
    )


def read_errors(interface: str) -> dict[str, int]:
    """Give the receive error counters, as far as they can be read."""
    read = {name: _text(_SYSFS / interface / "statistics" / name) for name in ERROR_COUNTERS}
    return {name: int(value) for name, value in read.items() if value and value.isdigit()}


def ipv6_addresses(table: str, interface: str) -> tuple[str, ...]:
    """Read the interface's addresses out of /proc/net/if_inet6."""
    rows = (line.split() for line in table.splitlines())
    return tuple(
        socket.inet_ntop(socket.AF_INET6, bytes.fromhex(row[0]))
        for row in rows
        if len(row) == _IF_INET6_COLUMNS and row[-1] == interface
    )


def packet_socket_inodes(table: str, index: int) -> frozenset[str]:
    """Read the sockets bound to interface `index` out of /proc/net/packet."""
    rows = (line.split() for line in table.splitlines()[1:])
    return frozenset(
        row[_PACKET_INODE] for row in rows if len(row) > _PACKET_INODE and row[_PACKET_INTERFACE] == str(index)
    )


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return None


def _flags(interface: str) -> int:
    return int(_text(_SYSFS / interface / "flags") or "0x80", 16)


def _ipv4(interface: str) -> str | None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        try:
            answer = fcntl.ioctl(channel, _SIOCGIFADDR, struct.pack("16s24x", interface.encode()[:15]))
        except OSError:
            return None
    return socket.inet_ntop(socket.AF_INET, answer[20:24])


def _joins_ipv6(interface: str) -> bool:
    """Whether the kernel would make itself an IPv6 address here, which announces the port to its neighbours."""
    settings = _PROCFS / "sys/net/ipv6/conf" / interface
    return _text(settings / "disable_ipv6") == "0" and _text(settings / "addr_gen_mode") != str(_ADDR_GEN_MODE_NONE)


def _listeners(interface: str) -> tuple[str, ...] | None:
    table = _text(_PROCFS / "net/packet")
    if table is None:
        return None
    inodes = packet_socket_inodes(table, socket.if_nametoindex(interface))
    named = dict(_socket_owners(inodes)) if inodes else {}
    return tuple(sorted({named.get(inode, "unknown process") for inode in inodes}))


def _socket_owners(inodes: frozenset[str]) -> list[tuple[str, str]]:
    """Find the processes that hold sockets, `(inode, name)` each; only root sees those of others."""
    wanted = {f"socket:[{inode}]": inode for inode in inodes}
    found = []
    for link in _PROCFS.glob("[0-9]*/fd/*"):
        try:
            inode = wanted.get(os.readlink(link))  # noqa: PTH115  # Path.readlink is slow, and these are many
        except OSError:
            continue  # closed, or ended, since it was listed
        if inode is not None:
            found.append((inode, f"{_text(link.parents[1] / 'comm') or 'process'} ({link.parents[1].name})"))
    return found
