"""A machine that is sent a mirror does not answer it."""

from __future__ import annotations

import json
import socket

import dpkt
import pytest

from tests.live.conftest import SensorFactory
from tests.live.lab import CAP_NET_RAW_ALONE, Lab, until
from tests.traffic import build

pytestmark = pytest.mark.live

ETH_P_ALL = 3
MIRRORED = build.udp(
    build.Endpoint("00:1b:44:11:3a:b7", "10.20.3.44", 5000),
    build.Endpoint("00:00:5e:00:01:14", "198.51.100.7", 53),
    b"?",
)


@pytest.fixture
def addressed(lab: Lab) -> list[tuple[build.Endpoint, build.Endpoint]]:
    """The switch's and the machine's addresses of both IP versions on the mirror's cable."""
    lab.run("sysctl", "-qw", "net.ipv6.conf.mirror0.disable_ipv6=0")
    lab.ip("address", "add", "192.0.2.2/24", "dev", "mirror0")
    lab.ip("address", "add", "2001:db8::2/64", "dev", "mirror0", "nodad")
    mac = json.loads(lab.run("ip", "-j", "link", "show", "mirror0"))[0]["address"]
    switch = "00:00:5e:00:01:01"
    return [
        (build.Endpoint(switch, "192.0.2.1", 49152), build.Endpoint(mac, "192.0.2.2")),
        (build.Endpoint(switch, "2001:db8::1", 49152), build.Endpoint(mac, "2001:db8::2")),
    ]


def tunnels(switch: build.Endpoint, machine: build.Endpoint) -> list[bytes]:
    return [
        build.erspan_ii(MIRRORED, switch, machine, build.Session()),
        build.vxlan(MIRRORED, switch, machine),
    ]


def answers(cable: socket.socket, frames: list[bytes], echo: bytes) -> list[tuple[int, int]]:
    """Version and type of the ICMP messages with which the machine answers, the reply to `echo` left out as the end."""
    for frame in [*frames, echo]:
        cable.send(frame)
    said: list[tuple[int, int]] = []
    while True:
        packet = dpkt.ethernet.Ethernet(cable.recv(65535)).data
        if isinstance(packet, dpkt.ip.IP) and packet.p == dpkt.ip.IP_PROTO_ICMP:
            if packet.data.type == dpkt.icmp.ICMP_ECHOREPLY:
                return said
            said.append((4, packet.data.type))
        elif isinstance(packet, dpkt.ip6.IP6) and packet.nxt == dpkt.ip.IP_PROTO_ICMP6:
            said.append((6, packet.data.type))


def test_nothing_is_answered_while_the_sensor_runs(
    lab: Lab, sensor: SensorFactory, addressed: list[tuple[build.Endpoint, build.Endpoint]]
) -> None:
    frames = [frame for ends in addressed for frame in tunnels(*ends)]
    echo = build.icmp_echo(*addressed[0], 1)
    with lab.port() as cable:
        cable.bind(("switch0", ETH_P_ALL))
        cable.settimeout(10)
        daemon = sensor(capture={"workers": 2}).start(*CAP_NET_RAW_ALONE)
        assert answers(cable, frames, echo) == []
        until("the frames in the sensor", lambda: daemon.captured() >= len(frames) + 1)
        assert daemon.stop() == 0
        # Destination unreachable in both versions; parameter problem for IPv6's unknown next header.
        said = [answers(cable, [frame], echo) for frame in frames]
    assert {kind for kinds in said for kind in kinds} >= {(4, 3), (6, 4)}
