"""Workers share what a mirror brings by the innermost address pair, whatever carries it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import dpkt
import pytest

from tests.live import ring
from tests.live.conftest import SensorFactory
from tests.live.lab import CAP_NET_RAW_ALONE, Lab, until
from tests.live.sensor_process import assert_accounts_close
from tests.live.test_flows import assert_no_flow_is_split
from tests.live.test_interfaces import is_up
from tests.live.test_ring import capture_of, mixed_frames
from tests.traffic import build

pytestmark = pytest.mark.live

WORKERS = 4
CONVERSATIONS = 200
SWITCH = build.Endpoint("00:00:5e:00:01:01", "192.0.2.1", 49152)
SENSOR = build.Endpoint("00:00:5e:00:01:02", "192.0.2.2")
SWITCH_6 = build.Endpoint("00:00:5e:00:01:01", "2001:db8::1", 49152)
SENSOR_6 = build.Endpoint("00:00:5e:00:01:02", "2001:db8::2")

CARRIERS: dict[str, Callable[[bytes], bytes]] = {
    "plain": lambda frame: frame,
    "vlan": lambda frame: build.vlan(frame, 20),
    "qinq": lambda frame: build.vlan(frame, 100, 20),
    "gre": lambda frame: build.gre(frame, SWITCH, SENSOR),
    "erspan_i": lambda frame: build.erspan_i(frame, SWITCH, SENSOR),
    "erspan_ii": lambda frame: build.vlan(build.erspan_ii(build.vlan(frame, 20), SWITCH, SENSOR, build.Session()), 9),
    "erspan_iii": lambda frame: build.erspan_iii(frame, SWITCH_6, SENSOR_6, build.Session()),
    "vxlan": lambda frame: build.vxlan(frame, SWITCH, SENSOR),
    "vxlan over IPv6, in ERSPAN": lambda frame: build.erspan_ii(
        build.vxlan(frame, SWITCH_6, SENSOR_6), SWITCH, SENSOR, build.Session()
    ),
}


def conversation(number: int) -> tuple[list[bytes], list[bytes]]:
    """What its two ends send: segments with the ports changed about, and a datagram in two fragments."""
    if number % 4 == 0:
        client = build.Endpoint("00:1b:44:11:3a:b7", f"2001:db8:1::{number:x}")
        server = build.Endpoint("00:00:5e:00:01:14", "2001:db8:2::53")
    else:
        client = build.Endpoint("00:1b:44:11:3a:b7", f"10.20.3.{number}")
        server = build.Endpoint("00:00:5e:00:01:14", "198.51.100.7")
    there = [build.tcp(client.at(5000 + n), server.at(443), build.Segment(build.SYN, n)) for n in range(3)]
    back = [build.tcp(server.at(443), client.at(5000 + n), build.Segment(build.ACK, n)) for n in range(3)]
    if number % 4:
        there += fragments(build.udp(client.at(5000), server.at(53), bytes(64)))
    return there, back


def fragments(frame: bytes) -> list[bytes]:
    """The two halves of an IPv4 datagram (RFC 791, 3.2)."""
    packet = dpkt.ip.IP(frame[14:])
    payload = bytes(packet.data)
    halves = [dpkt.ip.IP(frame[14:34]) for _ in range(2)]
    for half, offset, data, more in zip(halves, (0, 4), (payload[:32], payload[32:]), (1, 0), strict=True):
        half.data, half.len, half.sum, half.mf, half.offset = data, 20 + len(data), 0, more, offset * 8
    return [frame[:14] + bytes(half) for half in halves]


@pytest.mark.parametrize("carrier", CARRIERS)
def test_one_tunnel_is_every_workers_and_a_conversation_is_one_workers(
    lab: Lab, sensor: SensorFactory, carrier: str
) -> None:
    lab.add_cable("switch1", "mirror1")
    wrap = CARRIERS[carrier]
    conversations = [
        [[wrap(frame) for frame in half] for half in conversation(number)] for number in range(1, CONVERSATIONS + 1)
    ]
    daemon = sensor(capture={"workers": WORKERS, "interfaces": ["mirror0", "mirror1"]}).start(*CAP_NET_RAW_ALONE)
    # A tap brings the two directions on two cables.
    sent = sum(
        lab.send((frame for halves in conversations for frame in halves[way]), f"switch{way}") for way in range(2)
    )
    daemon.captures(sent)
    assert_accounts_close(daemon.scrape())
    assert daemon.stop() == 0
    worker_of = {frame: worker for worker, frames in ring.frames_by_worker(daemon.ring).items() for frame in frames}
    workers = [{worker_of[frame] for half in halves for frame in half} for halves in conversations]
    assert [number for number, own in enumerate(workers) if len(own) != 1] == []
    shares = [sum(own == {worker} for own in workers) for worker in range(WORKERS)]
    assert min(shares) > CONVERSATIONS / WORKERS / 2, shares


def test_the_records_do_not_depend_on_the_number_of_workers(lab: Lab, sensor: SensorFactory, tmp_path: Path) -> None:
    frames = mixed_frames(1000)
    sent = capture_of(tmp_path / "sent.pcap", frames)
    recorded = []
    for workers in (1, WORKERS):
        directory = tmp_path / str(workers)
        directory.mkdir()
        daemon = sensor(directory, capture={"workers": workers}).start()
        lab.replay(sent, "--pps", "10000")
        daemon.captures(len(frames))
        assert daemon.stop() == 0
        flows = daemon.events("flow")
        assert_no_flow_is_split(flows)
        recorded.append(sorted(map(told, flows)))
    assert recorded[0] == recorded[1]


def told(record: dict[str, Any]) -> str:
    """A flow record without times, and what is made of them."""
    kept = {key: value for key, value in record.items() if key not in ("timestamp", "flow_id", "spanwatch")}
    kept["flow"] = {key: value for key, value in record["flow"].items() if key not in ("start", "end", "age")}
    return repr(sorted(kept.items()))


def test_conversations_stay_where_they_are_after_the_interface_was_away(lab: Lab, sensor: SensorFactory) -> None:
    wrap = CARRIERS["erspan_i"]
    frames = [wrap(frame) for number in range(1, 101) for half in conversation(number) for frame in half]
    daemon = sensor(capture={"workers": WORKERS}).start()
    lab.send(frames)
    daemon.captures(len(frames))
    lab.ip("link", "delete", "switch0")
    until("the sensor to notice", lambda: not is_up(daemon))
    lab.add_cable("switch0", "mirror0")
    until("the interface to be up again", lambda: is_up(daemon))
    lab.send(frames)
    daemon.captures(2 * len(frames))
    assert daemon.stop() == 0
    workers = [set(own) for own in ring.frames_by_worker(daemon.ring).values()]
    assert [frame for frame in frames if sum(frame in own for own in workers) != 1] == []
