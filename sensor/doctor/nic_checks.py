"""Is the network card prepared for a mirror: what is wrong with it, and the command that makes it right."""

import re
from collections.abc import Callable, Iterator

from sensor.alerts.rules import Severity
from sensor.doctor.finding import Finding
from sensor.doctor.nic import Nic

# Both make one frame of several, so that frames reach the sensor that never were on the wire.
_MERGING = {
    "generic-receive-offload": "gro",
    "large-receive-offload": "lro",
    "rx-gro-hw": "rx-gro-hw",
    "rx-gro-list": "rx-gro-list",
    "rx-udp-gro-forwarding": "rx-udp-gro-forwarding",
}
# Of frames that are sent: they matter only where another program sends on this port.
_SENDING = {"generic-segmentation-offload": "gso", "tcp-segmentation-offload": "tso"}
_ETHERNET_MTU_BYTES = 1500
# What the driver counts when it had no room or time for a frame; every driver has names of its own.
_LOST_BY_DRIVER = re.compile(r"rx.*(drop|discard|miss|no_buf|out_of_buffer|no_dma|overrun|fifo)|imissed", re.ASCII)
_DAMAGED = ("rx_crc_errors", "rx_frame_errors")
_OVERRUN = ("rx_fifo_errors", "rx_missed_errors", "rx_over_errors")


def nic_findings(nic: Nic, after: Nic) -> list[Finding]:
    """Judge an interface by how it stood before and `after` the watch: settings, then errors that rose meanwhile."""
    risen = _risen(nic.errors, after.errors)
    driver = {
        name: count
        for name, count in _risen(nic.card.statistics, after.card.statistics).items()
        if _LOST_BY_DRIVER.search(name)
    }
    found = [finding for check in _CHECKS for finding in check(nic)]
    return [*found, *_damaged(nic, risen), *_oversized(nic, risen), *_overrun(nic, risen, driver)]


def _link(nic: Nic) -> Iterator[Finding]:
    name, state = nic.device.name, nic.device.state
    if state == "down":
        yield Finding(
            "nic.link", Severity.HIGH, f"{name} is switched off", "Nothing can arrive.", "Switch it on.",
            (f"ip link set dev {name} up",),
        )  # fmt: skip
    elif state != "up":
        yield Finding(
            "nic.link", Severity.HIGH, f"{name} has no carrier", "Cable, transceiver, or the switch's port is off.",
            "Check the cable, and at the switch that the observing port is not shut down.", (f"ethtool {name}",),
        )  # fmt: skip


def _duplex(nic: Nic) -> Iterator[Finding]:
    if nic.duplex == "half":
        yield Finding(
            "nic.duplex", Severity.MEDIUM, f"{nic.device.name} runs at half duplex",
            "Negotiation failed on one side; frames are lost to collisions that are none.",
            "Let both ends negotiate, or set the same speed and full duplex on both.",
            (f"ethtool -s {nic.device.name} autoneg on",),
        )  # fmt: skip


def _tool(nic: Nic) -> Iterator[Finding]:
    if not nic.card.installed:
        yield Finding(
            "nic.ethtool", Severity.LOW, "ethtool is not installed",
            "Offloads, ring sizes and the driver's counters could not be checked.", "Install it and look again.",
            ("apt install ethtool",),
        )  # fmt: skip


def _offloads(nic: Nic) -> Iterator[Finding]:
    name = nic.device.name
    on = [full for full in _MERGING if full in nic.card.features and nic.card.features[full].on]
    changeable = [_MERGING[full] for full in on if not nic.card.features[full].fixed]
    if changeable:
        yield Finding(
            "nic.offloads", Severity.MEDIUM, f"on: {', '.join(changeable)}",
            "Segments are merged into frames that never were on the wire: sizes, counts and checksums are wrong.",
            "Turn merging off at the NIC.",
            (f"ethtool -K {name} {' '.join(f'{feature} off' for feature in changeable)}",
             f"systemctl enable --now spanwatch-nic@{name}"),
        )  # fmt: skip
    fixed = [_MERGING[full] for full in on if nic.card.features[full].fixed]
    if fixed:
        yield Finding(
            "nic.offloads", Severity.INFO, f"on, and fixed by the driver: {', '.join(fixed)}",
            "Frames may arrive merged.", "Where it can be chosen, take a NIC (or a virtual one) that can turn it off.",
        )  # fmt: skip
    sending = [_SENDING[full] for full in _SENDING if full in nic.card.features and nic.card.features[full].on]
    if sending:
        yield Finding(
            "nic.offloads", Severity.INFO, f"on: {', '.join(sending)}",
            "Only frames that this machine sends are concerned; a mirror port should send none.", "Turn it off.",
            (f"ethtool -K {name} {' '.join(f'{feature} off' for feature in sending)}",),
        )  # fmt: skip


def _pause(nic: Nic) -> Iterator[Finding]:
    if nic.card.sends_pause:
        yield Finding(
            "nic.pause", Severity.LOW, "sends pause frames",
            "When this machine is slow it tells the switch to wait, and the switch drops mirrored frames unseen.",
            "Turn flow control off at the NIC, and at the observing port.",
            (f"ethtool -A {nic.device.name} autoneg off rx off tx off",),
        )  # fmt: skip


def _receive_ring(nic: Nic) -> Iterator[Finding]:
    now, largest = nic.card.rx_ring_slots, nic.card.rx_ring_slots_max
    if now and largest and now < largest:
        yield Finding(
            "nic.ring", Severity.INFO, f"receive ring {now} of {largest} slots", "A burst may overrun it.",
            "Enlarge it if frames are missed.", (f"ethtool -G {nic.device.name} rx {largest}",),
        )  # fmt: skip


def _mtu(nic: Nic) -> Iterator[Finding]:
    mtu = nic.device.mtu_bytes
    if mtu is not None and mtu <= _ETHERNET_MTU_BYTES:
        yield Finding(
            "nic.mtu", Severity.INFO, f"MTU {mtu}",
            "Enough for SPAN and RSPAN of ordinary frames; jumbo frames and whole frames in ERSPAN are larger.",
            "Raise it where the mirror carries those.", (f"ip link set dev {nic.device.name} mtu 9000",),
        )  # fmt: skip


def _address(nic: Nic) -> Iterator[Finding]:
    name = nic.device.name
    if nic.ipv4:
        yield Finding(
            "nic.address", Severity.INFO, f"{name} has the address {nic.ipv4}",
            "ERSPAN needs one. On a SPAN or RSPAN port it lets this machine answer into the mirror.",
            "Remove it, unless the switch sends ERSPAN to it or this machine is reached by it.",
            (f"ip address flush dev {name}",),
        )  # fmt: skip
    elif nic.joins_ipv6 or nic.ipv6:
        yield Finding(
            "nic.ipv6", Severity.LOW, f"IPv6 is on ({', '.join(nic.ipv6) or 'no address yet'})",
            "The port announces itself with router solicitations and joins groups, which the switch may learn from.",
            "Keep the kernel from making an address.",
            (f"ip link set dev {name} addrgenmode none", f"ip -6 address flush dev {name}"),
        )  # fmt: skip
    elif nic.answers_arp:
        yield Finding(
            "nic.arp", Severity.INFO, "ARP is on", "A port that only listens needs none.",
            "Turn it off, unless the switch sends ERSPAN here.", (f"ip link set dev {name} arp off multicast off",),
        )  # fmt: skip


def _queues(nic: Nic) -> Iterator[Finding]:
    if nic.rx_queues > 1:
        yield Finding(
            "nic.queues", Severity.INFO, f"{nic.rx_queues} receive queues",
            "The NIC's hash often puts the two directions of a connection into different queues, which shows them out "
            "of order.", "If one core can take the load, use one queue.",
            (f"ethtool -L {nic.device.name} combined 1",),
        )  # fmt: skip


def _listeners(nic: Nic) -> Iterator[Finding]:
    if nic.listeners:
        yield Finding(
            "nic.listeners", Severity.INFO, f"listening too: {', '.join(nic.listeners)}",
            "Each gets a copy of every frame, which costs time of the CPU.", "End what is not needed.",
        )  # fmt: skip


_CHECKS: tuple[Callable[[Nic], Iterator[Finding]], ...] = (
    _link, _duplex, _tool, _offloads, _pause, _address, _receive_ring, _mtu, _queues, _listeners,
)  # fmt: skip


def _risen(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    return {name: value - before[name] for name, value in after.items() if value > before.get(name, value)}


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} +{count:,}" for name, count in counts.items())


def _damaged(nic: Nic, risen: dict[str, int]) -> Iterator[Finding]:
    damaged = {name: risen[name] for name in _DAMAGED if name in risen}
    if damaged:
        yield Finding(
            "nic.damaged", Severity.MEDIUM, _listed(damaged), "Frames arrive damaged and are thrown away by the NIC.",
            "Change cable or transceiver; compare speed and duplex of both ends.", (f"ethtool {nic.device.name}",),
        )  # fmt: skip


def _oversized(nic: Nic, risen: dict[str, int]) -> Iterator[Finding]:
    if "rx_length_errors" in risen:
        yield Finding(
            "nic.mtu", Severity.MEDIUM, _listed({"rx_length_errors": risen["rx_length_errors"]}),
            f"Frames are larger than the NIC takes (MTU {nic.device.mtu_bytes}) and are thrown away.",
            "Raise the MTU of this interface.", (f"ip link set dev {nic.device.name} mtu 9000",),
        )  # fmt: skip


def _overrun(nic: Nic, risen: dict[str, int], driver: dict[str, int]) -> Iterator[Finding]:
    lost = {**{name: risen[name] for name in _OVERRUN if name in risen}, **driver}
    if lost:
        slots = nic.card.rx_ring_slots_max or 4096
        yield Finding(
            "nic.overrun", Severity.MEDIUM, _listed(lost), "The NIC had no room: frames were lost before the sensor.",
            "Enlarge the receive ring; mirror less, or give the machine more CPU.",
            (f"ethtool -G {nic.device.name} rx {slots}",),
        )  # fmt: skip
