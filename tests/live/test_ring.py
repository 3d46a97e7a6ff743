"""Evidence: what passes the mirror port stands in the ring, byte for byte."""

import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.live import ring
from tests.live.conftest import SensorFactory
from tests.live.lab import Lab, fill, until
from tests.live.sensor_process import assert_accounts_close, total
from tests.traffic import build
from tests.traffic.office import office_frames

pytestmark = pytest.mark.live

MIRRORED = ("none", "vlan", "qinq", "gre", "erspan2", "erspan3", "vxlan")


def mixed_frames(packets_each: int) -> list[bytes]:
    """Office traffic in every way that a mirror wraps it, taken in turns."""
    parts = [office_frames(packets_each, seed, wrap) for seed, wrap in enumerate(MIRRORED, start=1)]
    return [frame for turn in zip(*parts, strict=True) for frame in turn]


def capture_of(path: Path, frames: list[bytes]) -> Path:
    build.write_pcap(
        path, ((1_800_000_000_000_000_000 + number * 20_000, frame) for number, frame in enumerate(frames))
    )
    return path


def test_every_frame_stands_in_the_ring_byte_for_byte_across_rotations(
    lab: Lab, sensor: SensorFactory, tmp_path: Path
) -> None:
    frames = mixed_frames(3000)
    daemon = sensor(pcap_ring={"segment_size": "256KiB"}).start()
    lab.replay(capture_of(tmp_path / "sent.pcap", frames), "--pps", "20000")
    daemon.captures(len(frames))
    until("all frames in the visible files", lambda: len(ring.frames(daemon.ring)) == len(frames), timeout_seconds=3)
    assert daemon.stop() == 0
    segments = ring.segments(daemon.ring)
    assert len(segments) > 20
    assert all(path.suffix == ".pcap" for path in segments)
    assert ring.frames(daemon.ring) == frames
    times = [entry.time_ns for entry in ring.stored(daemon.ring)]
    assert times == sorted(times)
    counted = [capinfos_packets(path) for path in segments]
    assert sum(counted) == len(frames)


def capinfos_packets(path: Path) -> int:
    """A second reader's opinion."""
    table = subprocess.run(["capinfos", "-TrMc", str(path)], check=True, capture_output=True, text=True).stdout
    return int(table.split("\t")[1])


def test_two_workers_lose_nothing(lab: Lab, sensor: SensorFactory, tmp_path: Path) -> None:
    frames = mixed_frames(2000)
    daemon = sensor(capture={"workers": 2}, pcap_ring={"segment_size": "256KiB"}).start()
    lab.replay(capture_of(tmp_path / "sent.pcap", frames), "--pps", "20000")
    daemon.captures(len(frames))
    assert daemon.stop() == 0
    assert sorted(ring.frames(daemon.ring)) == sorted(frames)
    workers = {path.name.split("-")[1] for path in ring.segments(daemon.ring)}
    assert workers == {"0", "1"}


def test_two_interfaces_are_kept_apart(lab: Lab, sensor: SensorFactory) -> None:
    lab.add_cable("switch1", "mirror1")
    first, second = office_frames(3000, seed=1), office_frames(2000, seed=2)
    daemon = sensor(capture={"interfaces": ["mirror0", "mirror1"]}).start()
    lab.send(first, "switch0")
    lab.send(second, "switch1")
    daemon.captures(len(first) + len(second))
    samples = daemon.scrape()
    assert samples['spanwatch_capture_frames_total{interface="mirror0"}'] == len(first)
    assert samples['spanwatch_capture_frames_total{interface="mirror1"}'] == len(second)
    assert daemon.stop() == 0
    for name, sent in (("mirror0", first), ("mirror1", second)):
        kept = [path for path in ring.segments(daemon.ring) if path.name.startswith(name)]
        assert [entry.frame for path in kept for entry in ring.read_segment(path)] == sent


def test_sigterm_drains_what_the_kernel_still_holds(lab: Lab, sensor: SensorFactory) -> None:
    frames = office_frames(20_000, seed=4)
    daemon = sensor(capture={"ring_memory": "64MiB"}).start()
    with lab.port() as cable:
        for frame in frames:
            cable.send(frame)
    assert daemon.stop() == 0
    assert ring.frames(daemon.ring) == frames
    assert sum(sum_of_packets(record) for record in daemon.events("flow")) == sum(is_ip(frame) for frame in frames)


def sum_of_packets(record: dict[str, dict[str, int]]) -> int:
    return record["flow"]["pkts_toserver"] + record["flow"]["pkts_toclient"]


def is_ip(frame: bytes) -> bool:
    return frame[12:14] in (b"\x08\x00", b"\x86\xdd")


def test_a_killed_sensor_leaves_a_ring_that_the_next_start_makes_whole(lab: Lab, sensor: SensorFactory) -> None:
    before, after = office_frames(4000, seed=1), office_frames(1000, seed=2)
    daemon = sensor(pcap_ring={"segment_size": "256KiB"}).start()
    lab.send(before)
    daemon.captures(len(before))
    until("the open file to follow", lambda: len(ring.frames(daemon.ring)) == len(before), timeout_seconds=3)
    daemon.signal(signal.SIGKILL)
    daemon.wait()
    part = next(path for path in ring.segments(daemon.ring) if path.suffix == ".part")
    with part.open("ab") as torn:
        torn.write(b"\x01\x02\x03")  # what a crash in the middle of a write leaves
    daemon.start()
    assert not part.exists()
    lab.send(after)
    daemon.captures(len(after))
    assert daemon.scrape()["spanwatch_ring_segments"] == len(ring.segments(daemon.ring))
    assert daemon.stop() == 0
    assert ring.frames(daemon.ring) == before + after


def test_a_full_disk_costs_ring_frames_and_nothing_else(lab: Lab, sensor: SensorFactory, tmp_path: Path) -> None:
    """A neighbour fills the 64 MiB file system; the sensor says so, goes on detecting and stores again when it can."""
    indicators = tmp_path / "bad.txt"
    indicators.write_text("203.0.113.9\n")
    disk = tmp_path / "ring"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(disk)], check=True)
    try:
        daemon = sensor(
            pcap_ring={"segment_size": "1MiB", "min_free": "8MiB", "max_size": "1GiB"},
            watchlists=[{"path": str(indicators)}],
        ).start()
        neighbour = disk / "neighbour"
        fill(neighbour)
        frames = office_frames(20_000, seed=5)
        lab.send(frames)
        daemon.captures(len(frames))
        samples = daemon.scrape()
        assert_accounts_close(samples)
        lost = samples['spanwatch_frames_total{fate="dropped_full"}']
        assert lost > 0
        assert total(samples, "spanwatch_analysis_frames_total") == len(frames)
        lab.send([contact("203.0.113.9")])
        daemon.alerted("OPEN", "watchlist.ip")
        daemon.alerted("OPEN", "sensor.ring-loss", timeout_seconds=90)
        neighbour.unlink()
        stored = samples['spanwatch_frames_total{fate="stored"}']
        until("frames in the ring again", lambda: stores_again(lab, daemon, stored), timeout_seconds=30)
        assert daemon.stop() == 0
        assert set(ring.frames(disk)) <= set(frames) | {contact("203.0.113.9"), *PROBE}
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


PROBE = office_frames(50, seed=6)


def stores_again(lab: Lab, daemon: object, stored: float) -> bool:
    lab.send(PROBE)
    time.sleep(0.5)
    return daemon.scrape()['spanwatch_frames_total{fate="stored"}'] > stored  # type: ignore[attr-defined, no-any-return]


def contact(server: str) -> bytes:
    """The first packet of a connection from the office to `server`."""
    here = build.Endpoint("00:1b:44:11:3a:b7", "10.20.3.44", 49200)
    return build.tcp(here, build.Endpoint("00:00:5e:00:01:14", server, 443), build.Segment(build.SYN))


def test_the_ring_keeps_its_bounds(lab: Lab, sensor: SensorFactory) -> None:
    frames = office_frames(20_000, seed=7)
    daemon = sensor(pcap_ring={"segment_size": "256KiB", "max_size": "2MiB"}).start()
    lab.send(frames)
    daemon.captures(len(frames))
    assert daemon.stop() == 0
    kept = ring.segments(daemon.ring)
    assert sum(path.stat().st_size for path in kept) <= 2 << 20
    assert len(kept) >= 6
    newest = ring.frames(daemon.ring)
    assert newest == frames[-len(newest) :]
