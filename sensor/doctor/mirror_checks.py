"""What the watch says of the mirror, in words for whoever can change the switch."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from sensor.alerts.rules import BY_NAME, Severity
from sensor.doctor.finding import BLIND, Finding, Verdict
from sensor.doctor.nic import Nic
from sensor.doctor.watch import Watch

_FULL_RATIO = 0.8
_MEGABIT = 1_000_000
# The outer headers within the MTU: IPv4 20, GRE 8, ERSPAN III with its sub-header 20, the mirrored Ethernet header 14
# and its tag 4, around 1500 bytes; rounded up.
_TUNNEL_MTU_BYTES = 1600
_TUNNELS = ("gre", "erspan", "vxlan", "geneve", "tzsp")


class _Words(NamedTuple):
    meaning: str
    advice: str


_WORDS = {
    "mirror.silent": _Words(
        "Nothing is mirrored to this port. Likely: the session was not started, or names another observing port; the "
        "cable is in another port; RSPAN's VLAN is not allowed on a trunk on the way; an ACL or a missing route stops "
        "ERSPAN.",
        "At the switch: show the session and its observing port, then the VLANs of each trunk, or ping this machine "
        "from ERSPAN's origin address.",
    ),
    "mirror.one-sided": _Words(
        "Only one direction of connections is seen: alerts miss answers, and bytes are counted by half.",
        "At the switch: mirror both directions (`both`), or the port that carries the other one; with two ways into "
        "the network, mirror both.",
    ),
    "mirror.duplicates": _Words(
        "Packets arrive more than once: counts double, and the observing port fills twice as fast.",
        "At the switch: mirror either the hosts' ports or the uplink, not both; for a whole VLAN only `rx`.",
    ),
    "mirror.truncated": _Words(
        "Frames are cut short before they arrive: names, mails and files in them cannot be read.",
        "At the switch: take `truncate` or the packet length limit off the session; raise the MTU on ERSPAN's way.",
    ),
    "mirror.loss": _Words(
        "Packets are missing on the way here, though this machine dropped none: the switch or the network loses them.",
        "At the switch: mirror fewer ports or VLANs, use a faster observing port, or give the tunnel's way room.",
    ),
    "mirror.degraded": _Words(
        "The mirror shows less than it should: a VLAN or network that was expected, or everything but broadcast.",
        "At the switch: compare the session's source ports and VLANs with `detect.mirror`; at the NIC: turn merging "
        "off.",
    ),
}
_UNKNOWN = _Words("The mirror is not as it should be.", "Compare the session at the switch with the setup guide.")


def mirror_findings(watch: Watch, nic: Nic, port_speed_bits: int | None) -> tuple[Verdict, list[Finding]]:
    """Judge the mirror: its own verdict and the findings. `port_speed_bits` is a second, the observing port's speed."""
    here = [*_dropped_here(watch), *_load(watch, nic, port_speed_bits), *_tunnel_mtu(watch, nic)]
    if watch.frames == 0:
        return BLIND, [_finding("mirror.silent", f"no frame in {watch.seconds:.0f} s"), *here]
    reasons = [_finding(reason["rule"], _seen(reason)) for reason in watch.mirror["reasons"]]
    return str(watch.mirror["verdict"]), [*reasons, *here]


def _finding(rule: str, seen: str) -> Finding:
    words = _WORDS.get(rule, _UNKNOWN)
    severity = BY_NAME[rule].severity if rule in BY_NAME else Severity.MEDIUM
    return Finding(rule, severity, seen, words.meaning, words.advice)


def _seen(reason: Mapping[str, Any]) -> str:
    figures = ", ".join(f"{name.replace('_', ' ')} {_figure(value)}" for name, value in reason["figures"].items())
    return ": ".join(filter(None, (reason.get("source"), figures)))


def _figure(value: object) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.3g}"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _dropped_here(watch: Watch) -> Iterator[Finding]:
    if watch.kernel_dropped_frames:
        yield Finding(
            "sensor.kernel-drops", Severity.MEDIUM, f"the kernel dropped {watch.kernel_dropped_frames:,} frames",
            "This machine was too slow; the mirror is not to blame.",
            "Raise capture.ring_memory and capture.workers, or mirror less.",
        )  # fmt: skip


def _load(watch: Watch, nic: Nic, port_speed_bits: int | None) -> Iterator[Finding]:
    speed = port_speed_bits or (nic.device.speed_mbit or 0) * _MEGABIT
    if speed and watch.peak_bits_per_second > _FULL_RATIO * speed:
        yield Finding(
            "mirror.load", Severity.MEDIUM,
            f"{watch.peak_bits_per_second / _MEGABIT:,.0f} Mbit/s at the peak, of {speed / _MEGABIT:,.0f} Mbit/s",
            "The observing port is nearly full. Two directions of one full port do not fit one port of that speed: "
            "the switch drops the rest, and says so to nobody.",
            "At the switch: use a faster observing port, mirror fewer ports, or spread them over two observing ports.",
        )  # fmt: skip


def _tunnel_mtu(watch: Watch, nic: Nic) -> Iterator[Finding]:
    mtu = nic.device.mtu_bytes
    if mtu is not None and mtu < _TUNNEL_MTU_BYTES and any(name.startswith(_TUNNELS) for name in watch.encapsulations):
        yield Finding(
            "nic.mtu", Severity.LOW, f"MTU {mtu}, and the mirror comes in a tunnel",
            "A whole frame and the tunnel's headers need more; the largest frames are fragmented or lost on the way.",
            f"Raise the MTU here and on each hop to {_TUNNEL_MTU_BYTES} or more.",
            (f"ip link set dev {nic.device.name} mtu 9000",),
        )  # fmt: skip
