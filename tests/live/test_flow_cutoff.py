"""`pcap_ring.flow_cutoff` over a mirror port: the ring holds the first bytes of flows, and evidence whole."""

import subprocess
from pathlib import Path

import pytest

from tests.live import ring
from tests.live.conftest import SensorFactory
from tests.live.lab import Lab
from tests.live.sensor_process import assert_accounts_close
from tests.traffic import build, tshark

pytestmark = pytest.mark.live

CUTOFF_BYTES = 64 << 10
PIECE_BYTES = 1400
ETHERNET_BYTES = 14
PLAIN, LISTED, LISTED_LATER = "198.51.100.7", "203.0.113.9", "198.51.100.8"

OFFICE = build.Endpoint("00:1b:44:11:3a:b7", "10.20.3.44", 49_200)


def download(address: str, payload_bytes: int) -> list[bytes]:
    """A TCP connection in which a server sends zeros, which no protocol begins with."""
    server = build.Endpoint("00:00:5e:00:01:14", address, 443)
    pieces = [
        build.Segment(build.ACK, at, 1, bytes(min(PIECE_BYTES, payload_bytes + 1 - at)))
        for at in range(1, payload_bytes + 1, PIECE_BYTES)
    ]
    return [
        build.tcp(OFFICE, server, build.Segment(build.SYN)),
        build.tcp(server, OFFICE, build.Segment(build.SYN | build.ACK, 0, 1)),
        *(build.tcp(server, OFFICE, piece) for piece in pieces),
    ]


def beginning(frames: list[bytes]) -> list[bytes]:
    """The frames before which fewer bytes of IP than the cutoff have passed."""
    kept, passed = 0, 0
    while passed < CUTOFF_BYTES:
        passed += len(frames[kept]) - ETHERNET_BYTES
        kept += 1
    return frames[:kept]


def ip_bytes(frames: list[bytes]) -> int:
    return sum(len(frame) - ETHERNET_BYTES for frame in frames)


def test_flows_are_cut_and_what_matters_is_whole(
    lab: Lab, sensor: SensorFactory, spanwatch: Path, tmp_path: Path
) -> None:
    lists = tmp_path / "bad.txt"
    lists.write_text(f"{LISTED}\n")
    daemon = sensor(pcap_ring={"flow_cutoff": "64KiB"}, watchlists=[{"path": str(lists)}]).start()
    plain, listed, later = download(PLAIN, 10_000_000), download(LISTED, 300_000), download(LISTED_LATER, 300_000)
    neighbour = [build.arp_request(OFFICE, "10.20.3.1")] * 3
    before = [*plain, *listed, *neighbour, *later[:100]]
    lab.send(before)
    daemon.captures(len(before))
    lists.write_text(f"{LISTED}\n{LISTED_LATER}\n")
    daemon.reload()
    lab.send(later[100:])
    everything = [*before, *later[100:]]
    daemon.captures(len(everything))

    kept = [*beginning(plain), *listed, *neighbour, *beginning(later), *later[100:]]
    samples = daemon.scrape()
    assert_accounts_close(samples)
    assert samples['spanwatch_frames_total{fate="cut"}'] == len(everything) - len(kept)
    cut_bytes = sum(map(len, everything)) - sum(map(len, kept))
    assert samples["spanwatch_ring_cut_bytes_total"] == cut_bytes
    status = subprocess.run(
        [str(spanwatch), "status", "--socket", str(daemon.socket)], capture_output=True, text=True, check=False
    )
    assert f"{len(everything) - len(kept):,} frames" in status.stdout
    assert daemon.stop() == 0
    assert ring.frames(daemon.ring) == kept

    found = tmp_path / "found.pcap"
    command = [str(spanwatch), "pcap", "-c", str(daemon.config), "--host", OFFICE.address, "-w", str(found)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stderr
    assert "pcap_ring.flow_cutoff is 64KiB" in said
    read = {ends[1][0]: totals for (_, *ends), totals in tshark.flows(found).items()}
    assert read == {
        PLAIN: (len(beginning(plain)), ip_bytes(beginning(plain))),
        LISTED: (len(listed), ip_bytes(listed)),
        LISTED_LATER: (
            len(kept) - len(listed) - len(beginning(plain)) - 3,
            ip_bytes([*beginning(later), *later[100:]]),
        ),
    }
    records = {record["dest_ip"]: record["flow"]["bytes_toclient"] for record in daemon.events("flow")}
    assert records[PLAIN] == ip_bytes(plain[1:]), "flow records count what is not stored"
