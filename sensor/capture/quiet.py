"""Keeps the machine quiet about mirrors that are sent to an address of its own.

Linux answers GRE that nobody owns with ICMP "protocol unreachable" (RFC 1122, 3.2.2.1), and UDP to a port that nobody
owns with "port unreachable". So sockets own them, bound to the mirror's interface, with a filter that lets nothing in:
they take no byte of what arrives, and nothing on other interfaces. The frames are captured before they come this far.
"""

import errno
import fcntl
import logging
import socket
import struct
from array import array
from collections.abc import Iterable
from pathlib import Path

_log = logging.getLogger(__name__)

_SIOCGIFADDR = 0x8915
_SO_ATTACH_FILTER = 26
_IP6_ADDRESSES = Path("/proc/thread-self/net/if_inet6")
# IPV6_ADDR_LINKLOCAL of <net/ipv6.h>: every interface has one, and no mirror is sent to it.
_LINK_LOCAL = "20"


class QuietTunnels:
    """The sockets of all interfaces that have an address; without one nothing answers."""

    def __init__(self, interfaces: Iterable[str], ports: Iterable[int]) -> None:
        self._interfaces = tuple(interfaces)
        self._ports = tuple(dict.fromkeys(ports))
        self._sockets: list[socket.socket] = []

    def open(self) -> None:
        """Open them in the caller's network namespace; what cannot be owned is logged, and never an error."""
        for interface in self._interfaces:
            for family in _families(interface):
                self._own(interface, family, None)
                for port in self._ports:
                    self._own(interface, family, port)

    def close(self) -> None:
        """Close them; the machine answers again."""
        for owner in self._sockets:
            owner.close()
        self._sockets.clear()

    def _own(self, interface: str, family: socket.AddressFamily, port: int | None) -> None:
        what = "GRE" if port is None else f"UDP port {port}"
        try:
            self._sockets.append(_owner(interface, family, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                _log.info("%s on %s: another program has it, and so nothing is answered", what, interface)
            else:
                _log.warning("%s on %s is answered with ICMP unreachable: %s", what, interface, error)


def _owner(interface: str, family: socket.AddressFamily, port: int | None) -> socket.socket:
    kind, protocol = (socket.SOCK_RAW, socket.IPPROTO_GRE) if port is None else (socket.SOCK_DGRAM, 0)
    owner = socket.socket(family, kind, protocol)
    try:
        _let_nothing_in(owner)
        owner.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        if port is not None:
            if family == socket.AF_INET6:
                owner.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            owner.bind(("", port))
    except OSError:
        owner.close()
        raise
    return owner


def _let_nothing_in(owner: socket.socket) -> None:
    """Attach the program `ret 0` (socket(7), SO_ATTACH_FILTER)."""
    ret = 0x06
    instruction = array("B", struct.pack("HBBI", ret, 0, 0, 0))
    address, _ = instruction.buffer_info()
    owner.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HP", 1, address))


def _families(interface: str) -> list[socket.AddressFamily]:
    """Give the IP versions of which the interface has an address that others send to."""
    return [socket.AF_INET] * _has_ipv4(interface) + [socket.AF_INET6] * _has_ipv6(interface)


def _has_ipv4(interface: str) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            fcntl.ioctl(asking, _SIOCGIFADDR, struct.pack("16s24x", interface.encode()))
        except OSError:
            return False
    return True


def _has_ipv6(interface: str) -> bool:
    try:
        lines = _IP6_ADDRESSES.read_text(encoding="ascii").splitlines()
    except OSError:
        return False
    # Address, index, prefix length, scope, flags, name.
    return any(line.split()[5] == interface and line.split()[3] != _LINK_LOCAL for line in lines)
