"""What the kernel says of network interfaces.

Names, flags and addresses come through a socket (netdevice(7)), which sees the caller's network namespace; sysfs, which
may show another one's, only adds speed and driver.
"""

import fcntl
import os
import socket
import struct
from dataclasses import dataclass
from pathlib import Path

_SYSFS = Path("/sys/class/net")
_CAPABILITY_NET_RAW = 13

# linux/sockios.h and linux/if.h
_SIOCGIFFLAGS, _SIOCGIFMTU, _SIOCGIFHWADDR = 0x8913, 0x8921, 0x8927
_IFF_UP, _IFF_RUNNING = 0x1, 0x40

# ARPHRD_* (linux/if_arp.h) to the name of pcap's link type; what the sensor can capture from.
LINK_TYPES = {1: "EN10MB (Ethernet)", 772: "EN10MB (Ethernet)", 65534: "RAW (Raw IP)"}


@dataclass(frozen=True, slots=True)
class Device:
    """One network interface; None where the kernel does not say."""

    name: str
    state: str
    speed_mbit: int | None
    driver: str | None
    mac: str | None
    mtu_bytes: int | None
    hardware_type: int | None

    @property
    def obstacle(self) -> str | None:
        """Why the sensor could not capture here right now, None if it could."""
        if self.hardware_type not in LINK_TYPES:
            return "link type not supported"
        if self.state == "down":
            return "down"
        return None if may_capture() else "needs root or CAP_NET_RAW"


def devices() -> list[Device]:
    """Give the interfaces of this network namespace, by name."""
    return [_device(name) for name in sorted(name for _, name in socket.if_nameindex())]


def link_type(name: str) -> str | None:
    """Give the name of an interface's link type, None if it is not there or not supported."""
    return LINK_TYPES.get(_hardware(name)[0] or 0)


def is_up(name: str) -> bool:
    """Whether an interface is there and switched on."""
    return bool(_flags(name) & _IFF_UP)


def may_capture() -> bool:
    """Whether this process holds CAP_NET_RAW (capabilities(7))."""
    for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith("CapEff:"):
            return bool(int(line.split()[1], 16) >> _CAPABILITY_NET_RAW & 1)
    return os.geteuid() == 0


def _device(name: str) -> Device:
    flags = _flags(name)
    hardware_type, mac = _hardware(name)
    mtu = _ask(name, _SIOCGIFMTU)
    driver = _SYSFS / name / "device" / "driver"
    return Device(
        name=name,
        state=("up" if flags & _IFF_RUNNING else "no carrier") if flags & _IFF_UP else "down",
        speed_mbit=_speed(name),
        driver=driver.resolve().name if driver.exists() else None,
        mac=mac,
        mtu_bytes=struct.unpack("i", mtu[:4])[0] if mtu else None,
        hardware_type=hardware_type,
    )


def _ask(name: str, request: int) -> bytes | None:
    """Put one question about an interface; give the part of `struct ifreq` after the name."""
    query = struct.pack("16s24x", name.encode()[:15])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        try:
            return fcntl.ioctl(channel, request, query)[16:]
        except OSError:
            return None


def _flags(name: str) -> int:
    answer = _ask(name, _SIOCGIFFLAGS)
    return int(struct.unpack("H", answer[:2])[0]) if answer else 0


def _hardware(name: str) -> tuple[int | None, str | None]:
    """Give the ARPHRD_* type, and the MAC address if it has one."""
    answer = _ask(name, _SIOCGIFHWADDR)
    if answer is None:
        return None, None
    (hardware_type,) = struct.unpack("H", answer[:2])
    return hardware_type, answer[2:8].hex(":") if hardware_type == 1 else None


def _speed(name: str) -> int | None:
    """Read the line rate in Mbit/s; the kernel gives an error or -1 where it does not know."""
    try:
        speed = int((_SYSFS / name / "speed").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return speed if speed > 0 else None
