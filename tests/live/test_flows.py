"""The tables agree with tshark, whatever carries the packets."""

import struct
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.live import ring
from tests.live.conftest import SensorFactory
from tests.live.lab import Lab, until
from tests.live.sensor_process import SensorProcess, assert_accounts_close, total
from tests.live.test_ring import MIRRORED, capture_of, mixed_frames
from tests.traffic import build, tshark
from tests.traffic.event_log import flow_totals
from tests.traffic.office import office_frames

pytestmark = pytest.mark.live

PC = build.Endpoint("00:1b:44:11:3a:b7", "10.20.3.44", 49200)
SERVER = build.Endpoint("00:00:5e:00:01:14", "198.51.100.7", 443)


@pytest.mark.parametrize("workers", [1, 2])
def test_flows_and_hosts_equal_what_tshark_counts(
    lab: Lab, sensor: SensorFactory, tmp_path: Path, workers: int
) -> None:
    frames = mixed_frames(2000)
    sent = capture_of(tmp_path / "sent.pcap", frames)
    daemon = sensor(capture={"workers": workers}).start()
    lab.replay(sent, "--pps", "20000")
    daemon.captures(len(frames))
    assert_hosts_equal(daemon, tshark.hosts(sent))
    assert_accounts_close(daemon.scrape())
    assert daemon.stop() == 0
    flows = daemon.events("flow")
    assert flow_totals(flows) == tshark.flows(sent)
    assert_no_flow_is_split(flows)


def assert_hosts_equal(daemon: SensorProcess, expected: dict[str, tuple[int, int]]) -> None:
    internal = {address: counts for address, counts in expected.items() if address.startswith(("10.", "fd00:"))}
    # Hosts are brought up to date by the second.
    all_packets = sum(packets for packets, _ in internal.values())
    until("every packet in the host table", lambda: packets_of(daemon.hosts(limit=10_000)) >= all_packets)
    hosts = {row["ip"]: row for row in daemon.hosts(limit=10_000)}
    assert set(hosts) == set(internal)
    for address, (packets, size) in internal.items():
        row = hosts[address]
        assert (row["packets_out"] + row["packets_in"], row["bytes_out"] + row["bytes_in"]) == (packets, size), address


def packets_of(hosts: list[dict[str, Any]]) -> int:
    return sum(row["packets_out"] + row["packets_in"] for row in hosts)


def assert_no_flow_is_split(records: list[dict[str, Any]]) -> None:
    """One conversation in one carriage has one flow id, and so was in one worker's table."""
    identities: dict[object, set[int]] = {}
    for record in records:
        if record["proto"] in ("TCP", "UDP"):
            ends = frozenset({(record["src_ip"], record["src_port"]), (record["dest_ip"], record["dest_port"])})
            identities.setdefault((record["proto"], ends), set()).add(record["flow_id"])
    assert {key: ids for key, ids in identities.items() if len(ids) > 1} == {}


def test_each_encapsulation_is_counted(lab: Lab, sensor: SensorFactory) -> None:
    daemon = sensor().start()
    for seed, wrap in enumerate(MIRRORED, start=1):
        lab.send(office_frames(200, seed, wrap))
    daemon.captures(200 * len(MIRRORED))
    samples = daemon.scrape()
    counts = {
        name: samples[f'spanwatch_encapsulation_frames_total{{encapsulation="{name}"}}']
        for name in ("vlan", "gre", "erspan_ii", "erspan_iii", "vxlan")
    }
    assert counts == {"vlan": 400, "gre": 200, "erspan_ii": 200, "erspan_iii": 200, "vxlan": 200}
    assert total(samples, "spanwatch_decode_errors_total") == 0


def test_a_short_snaplen_still_counts_wire_lengths(lab: Lab, sensor: SensorFactory, tmp_path: Path) -> None:
    frames = office_frames(3000, seed=8)
    sent = capture_of(tmp_path / "sent.pcap", frames)
    daemon = sensor(capture={"snaplen": 96}).start()
    lab.replay(sent, "--pps", "10000")
    daemon.captures(len(frames))
    assert total(daemon.scrape(), "spanwatch_capture_bytes_total") == sum(map(len, frames))
    assert daemon.stop() == 0
    assert [(entry.frame, entry.wire_length) for entry in ring.stored(daemon.ring)] == [
        (frame[:96], len(frame)) for frame in frames
    ]
    assert flow_totals(daemon.events("flow")) == tshark.flows(sent)


def test_jumbo_frames_pass_whole(lab: Lab, sensor: SensorFactory) -> None:
    frames = [
        build.tcp(PC, SERVER, build.Segment(build.ACK, 1, 1, b"j" * 8946)),
        build.vlan(build.tcp(SERVER, PC, build.Segment(build.ACK, 1, 8947, b"k" * 8946)), 20),
    ]
    assert len(frames[0]) == 9000
    daemon = sensor().start()
    lab.send(frames)
    daemon.captures(2)
    assert daemon.stop() == 0
    assert ring.frames(daemon.ring) == frames
    assert flow_totals(daemon.events("flow"))[("tcp", (PC.address, PC.port), (SERVER.address, SERVER.port))] == (
        2,
        17972,
    )


def test_segments_that_the_nic_has_not_cut_yet_pass_whole(lab: Lab, sensor: SensorFactory) -> None:
    """A 60 kB frame with generic segmentation offload, as a virtual switch mirrors it."""
    for port in ("switch0", "mirror0"):
        lab.run("ethtool", "-K", port, "tx", "on", "sg", "on", "tso", "on", "gso", "on")
    frame = build.tcp(PC, SERVER, build.Segment(build.ACK, 1, 1, b"g" * 60_000))
    daemon = sensor().start()
    with lab.port() as cable:
        cable.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
        cable.send(gso_header(frame) + frame)
    daemon.captures(1)
    assert daemon.stop() == 0
    (kept,) = ring.stored(daemon.ring)
    assert (len(kept.frame), kept.wire_length) == (len(frame), len(frame))
    assert kept.frame[54:] == frame[54:]
    assert list(flow_totals(daemon.events("flow")).values()) == [(1, 60_040)]


SOL_PACKET, PACKET_VNET_HDR = 263, 15


def gso_header(frame: bytes) -> bytes:
    """`struct virtio_net_hdr`: TCP over IPv4 to be cut into segments of 1448 bytes, checksum to be completed."""
    needs_checksum, gso_tcpv4, header_bytes, l4_at = 1, 1, 54, 34
    assert len(frame) > header_bytes
    return struct.pack("<BBHHHH", needs_checksum, gso_tcpv4, header_bytes, 1448, l4_at, 16)


def test_a_frame_without_ip_length_counts_what_the_wire_held(lab: Lab, sensor: SensorFactory) -> None:
    frame = bytearray(build.tcp(PC, SERVER, build.Segment(build.ACK, 1, 1, b"b" * 5000)))
    frame[16:18] = b"\0\0"
    daemon = sensor().start()
    lab.send([bytes(frame)])
    daemon.captures(1)
    assert daemon.stop() == 0
    assert list(flow_totals(daemon.events("flow")).values()) == [(1, 5040)]


def test_broken_frames_are_counted_by_layer_and_do_nothing_else(lab: Lab, sensor: SensorFactory) -> None:
    whole = office_frames(300, seed=9, encapsulation="erspan2")
    cut = [frame[: 14 + number % (len(frame) - 14)] for number, frame in enumerate(whole)]
    flipped = [bytes(byte ^ (0xA5 if at % 7 == 3 else 0) for at, byte in enumerate(frame)) for frame in whole]
    frames = cut + flipped
    daemon = sensor().start()
    lab.send(frames)
    daemon.captures(len(frames))
    samples = daemon.scrape()
    assert_accounts_close(samples)
    errors = total(samples, "spanwatch_decode_errors_total")
    assert errors == samples['spanwatch_analysis_frames_total{result="undecodable"}'] > 100
    assert len([key for key in samples if key.startswith("spanwatch_decode_errors_total") and samples[key]]) >= 3
    assert daemon.stop() == 0
    assert ring.frames(daemon.ring) == frames


def test_a_filter_decides_what_is_captured(lab: Lab, sensor: SensorFactory, tmp_path: Path) -> None:
    frames = office_frames(3000, seed=10)
    sent = capture_of(tmp_path / "sent.pcap", frames)
    daemon = sensor(capture={"filter": "udp port 53"}).start()
    lab.replay(sent, "--pps", "10000")
    expected = [frame for frame in frames if frame[12:14] in (b"\x08\x00", b"\x86\xdd") and is_dns(frame)]
    assert expected
    daemon.captures(len(expected))
    assert daemon.stop() == 0
    assert ring.frames(daemon.ring) == expected


def is_dns(frame: bytes) -> bool:
    version6 = frame[12:14] == b"\x86\xdd"
    protocol, ports = (frame[20], frame[54:58]) if version6 else (frame[23], frame[34:38])
    return protocol == 17 and 53 in struct.unpack("!HH", ports)


def test_the_libpcap_backend_counts_and_keeps_the_same(lab: Lab, sensor: SensorFactory, tmp_path: Path) -> None:
    frames = mixed_frames(300)
    sent = capture_of(tmp_path / "sent.pcap", frames)
    daemon = sensor(capture={"backend": "libpcap"}).start()
    lab.replay(sent, "--pps", "5000")
    daemon.captures(len(frames))
    assert_accounts_close(daemon.scrape())
    assert daemon.stop() == 0
    assert Counter(ring.frames(daemon.ring)) == Counter(frames)
    assert flow_totals(daemon.events("flow")) == tshark.flows(sent)
