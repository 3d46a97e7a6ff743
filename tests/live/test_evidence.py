"""The packets of an incident are cut out of the ring by themselves, and survive what may happen."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from sensor.demo.pcap_file import write_pcap
from tests.live import ring
from tests.live.conftest import SensorFactory
from tests.live.lab import Lab, fill, until
from tests.live.sensor_process import SensorProcess, assert_accounts_close
from tests.live.test_alerts import C2, COLLECTOR, PC, SERVER, SWITCH, contact_of
from tests.traffic import build
from tests.traffic.office import office_frames

pytestmark = pytest.mark.live


@pytest.fixture
def listed(tmp_path: Path) -> list[dict[str, str]]:
    path = tmp_path / "feed.txt"
    path.write_text(f"{C2}\n")
    return [{"path": str(path)}]


def mirrored(frames: list[bytes]) -> list[bytes]:
    """The frames in a VLAN, as ERSPAN brings them."""
    return [
        build.erspan_ii(build.vlan(frame, 20), SWITCH, COLLECTOR, build.Session(21, 20, number))
        for number, frame in enumerate(frames)
    ]


def filtered_by_tshark(daemon: SensorProcess, spanwatch: Path, directory: Path, shown: str) -> list[ring.Stored]:
    whole, chosen = directory / "whole.pcap", directory / "chosen.pcap"
    command = (str(spanwatch), "pcap", "-c", str(daemon.config), "--all", "-w", str(whole))
    subprocess.run(command, check=True, capture_output=True)
    subprocess.run(
        ("tshark", "-r", str(whole), "-Y", shown, "-F", "nsecpcap", "-w", str(chosen)), check=True, capture_output=True
    )
    return ring.read_segment(chosen)


def test_evidence_is_what_tshark_filters_out_of_the_ring(
    lab: Lab, sensor: SensorFactory, spanwatch: Path, listed: list[dict[str, str]], tmp_path: Path
) -> None:
    daemon = sensor(watchlists=listed, capture={"workers": 2}, evidence={"after": "3s"}).start()
    talk = build.Conversation(PC, SERVER)
    lab.send(office_frames(500, seed=5))
    lab.send(mirrored([*talk.open(), *talk.send(b"x" * 3000, from_client=True)]))
    line = daemon.alerted("OPEN", "watchlist.ip", PC.address)
    lab.send(mirrored(list(talk.send(b"y" * 3000, from_client=False))))
    lab.send([contact_of("10.20.3.45")])  # another host's: it has evidence of its own
    lab.send(office_frames(500, seed=6))
    until("both captures", lambda: daemon.scrape().get("spanwatch_evidence_cut_total") == 2, timeout_seconds=30)
    name = line.split("#")[1].split()[0]
    expected = filtered_by_tshark(daemon, spanwatch, tmp_path, f"ip.addr == {PC.address} && ip.addr == {C2}")
    capture = daemon.evidence / f"{name}.pcap"
    assert ring.read_segment(capture) == expected
    assert len(expected) > 8
    told = json.loads(capture.with_suffix(".json").read_text())
    assert told["sha256"] == hashlib.sha256(capture.read_bytes()).hexdigest()
    assert (told["packets"], told["complete"]) == (len(expected), True)
    assert told["lost"]["kernel_frames"] == told["lost"]["ring_frames"] == 0
    incidents = json.loads(daemon.get("/api/alerts"))
    assert {tuple(incident["evidence"]) for incident in incidents} == {
        (path.name,) for path in daemon.evidence.glob("*.pcap")
    }
    samples = daemon.scrape()
    assert not any(value for key, value in samples.items() if key.startswith("spanwatch_evidence_missed_total"))
    assert json.loads(daemon.get("/api/status"))["evidence"]["captures"] == 2
    assert daemon.stop() == 0


def child_of(process: int) -> int:
    """A process that cuts; 0 if there is none now."""
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            command = (status.parent / "cmdline").read_bytes()
            parent = int(status.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == process and b"sensor.evidence.child" in command:
            return int(status.parent.name)
    return 0


def test_after_a_kill_while_cutting_leftovers_are_gone_and_the_packets_are_cut_again(
    lab: Lab, sensor: SensorFactory, listed: list[dict[str, str]]
) -> None:
    daemon = sensor(watchlists=listed, evidence={"after": "2s"}).start()
    # Many, so that one of the processes is surely met at work.
    sent = [contact_of(f"10.20.4.{number}") for number in range(1, 41)]
    lab.send(sent)
    child = until("a process that cuts", lambda: child_of(daemon.process.pid))
    os.kill(child, signal.SIGSTOP)
    daemon.signal(signal.SIGKILL)
    daemon.wait()
    os.kill(child, signal.SIGKILL)
    leftovers = [daemon.evidence / name for name in ("beef.pcap", "beef.json.tmp", "cafe.pcap.tmp")]
    foreign = daemon.evidence / "notes.txt"
    for path in (*leftovers, foreign):
        path.touch()
    daemon.start()
    until("evidence of all", lambda: captured_hosts(daemon) == {f"10.20.4.{number}" for number in range(1, 41)})
    assert sorted(frame for path in daemon.evidence.glob("*.pcap") for frame in frames_of(path)) == sorted(sent)
    assert not any(path.exists() for path in leftovers)
    assert foreign.exists()
    assert daemon.stop() == 0


def captured_hosts(daemon: SensorProcess) -> set[str]:
    return {json.loads(path.read_text())["host"] for path in daemon.evidence.glob("*.json")}


def frames_of(capture: Path) -> list[bytes]:
    return [entry.frame for entry in ring.read_segment(capture)]


def test_a_full_disk_costs_evidence_and_nothing_else(
    lab: Lab, sensor: SensorFactory, listed: list[dict[str, str]], tmp_path: Path
) -> None:
    place = tmp_path / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)], check=True)
    try:
        evidence = {"directory": str(place), "max_size": "4MiB", "before": "5s", "after": "1s"}
        daemon = sensor(watchlists=listed, evidence=evidence).start()
        neighbour = place / "neighbour"
        fill(neighbour)
        lab.send([contact_of("10.20.3.45")])
        missed = 'spanwatch_evidence_missed_total{reason="disk_full"}'
        until("a capture that is missed", lambda: daemon.scrape().get(missed) == 1)
        frames = office_frames(2000, seed=12)
        lab.send(frames)
        daemon.captures(len(frames) + 1)
        assert_accounts_close(daemon.scrape())
        assert [path.name for path in place.iterdir()] == ["neighbour"]
        neighbour.unlink()
        lab.send([contact_of("10.20.3.46")])
        until("evidence", lambda: list(place.glob("*.json")))
        assert daemon.stop() == 0
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_disk_that_fills_while_cutting_leaves_no_part_of_a_capture(tmp_path: Path, spanwatch: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    place, source = tmp_path / "small", tmp_path / "ring"
    place.mkdir()
    source.mkdir()
    frames = [(1_795_333_565_000_000_000 + number, contact_of("10.20.3.45") + bytes(1400)) for number in range(4000)]
    write_pcap(source / "eth1-0-20261122T074605.000000Z-000001.pcap", frames)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)], check=True)
    try:
        config = tmp_path / "spanwatch.yaml"
        config.write_text(json.dumps({"pcap_ring": {"directory": str(source)}}))
        command = (str(spanwatch), "pcap", "-c", str(config), "--all", "-w", str(place / "x.pcap"))
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        assert done.returncode == 74
        assert "No space left" in done.stderr
        assert list(place.iterdir()) == []
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)
