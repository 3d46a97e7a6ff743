"""Packets out of the ring of a running daemon, compared with tshark over the whole ring."""

import signal
import struct
import subprocess
from pathlib import Path

import pytest

from tests.live import ring
from tests.live.conftest import SensorFactory
from tests.live.lab import Lab, until
from tests.live.test_ring import capture_of, mixed_frames

pytestmark = pytest.mark.live

QUESTIONS = {
    ("--port", "25"): "tcp.port == 25 || udp.port == 25",
    ("--vlan", "20"): "vlan.id == 20 || erspan.vlan == 20",
}


def times(capture: bytes, shown: str) -> list[str]:
    command = ("tshark", "-r", "-", "-Y", shown, "-T", "fields", "-e", "frame.time_epoch")
    return subprocess.run(command, input=capture, check=True, capture_output=True).stdout.decode().split()


def ask(spanwatch: Path, configuration: Path, *question: str) -> bytes:
    command = (str(spanwatch), "pcap", "-c", str(configuration), *question, "-w", "-")
    return subprocess.run(command, check=False, capture_output=True).stdout


def hosts_of(capture: bytes) -> list[str]:
    command = ("tshark", "-r", "-", "-Y", "tcp", "-T", "fields", "-E", "occurrence=l", "-e", "ip.src")
    found = subprocess.run(command, input=capture, check=True, capture_output=True).stdout.decode().split()
    return sorted(set(found))


def test_answers_are_those_of_tshark_also_after_a_kill(
    lab: Lab, sensor: SensorFactory, spanwatch: Path, tmp_path: Path
) -> None:
    frames = mixed_frames(1500)
    daemon = sensor(capture={"workers": 2}, pcap_ring={"segment_size": "256KiB"}).start()
    lab.replay(capture_of(tmp_path / "sent.pcap", frames), "--pps", "20000")
    daemon.captures(len(frames))
    daemon.signal(signal.SIGKILL)
    daemon.wait()
    whole = ask(spanwatch, daemon.config, "--all")
    assert len(times(whole, "frame")) == len(ring.frames(daemon.ring))
    assert any(daemon.ring.glob("*.idx"))
    questions = dict(QUESTIONS)
    for host in hosts_of(whole)[:2]:
        questions["--host", host] = f"ip.addr == {host}"
    compared = 0
    for question, shown in questions.items():
        expected = times(whole, shown)
        assert times(ask(spanwatch, daemon.config, *question), "frame") == expected, question
        compared += bool(expected)
    assert compared >= 3


def test_a_pcapng_tells_what_the_daemon_counted_on_its_interfaces(
    lab: Lab, sensor: SensorFactory, spanwatch: Path, tmp_path: Path
) -> None:
    frames = mixed_frames(200)
    daemon = sensor().start()
    lab.send(frames)
    daemon.captures(len(frames))
    path = tmp_path / "all.pcapng"
    command = (str(spanwatch), "pcap", "-c", str(daemon.config), "--all", "-w", str(path))

    def counted() -> bool:
        # The kernel is asked once a second.
        answered = not subprocess.run(command, check=False, capture_output=True).returncode
        return answered and statistics_of(path.read_bytes()[-76:])[0] > 0

    until("an answer with the kernel's count", counted)
    told = subprocess.run(("capinfos", str(path)), check=True, capture_output=True, text=True).stdout
    assert "Name = mirror0" in told
    assert "Number of stat entries = 1" in told
    statistics = path.read_bytes()[-76:]
    kind, length, received, dropped = (*struct.unpack_from("<II", statistics), *statistics_of(statistics))
    assert (kind, length, received, dropped) == (5, 76, len(frames), 0)
    assert daemon.stop() == 0


def statistics_of(block: bytes) -> tuple[int, int]:
    """isb_ifrecv and isb_ifdrop of an Interface Statistics Block with start and end before them."""
    received, dropped = struct.unpack_from("<4xQ4xQ", block, 44)
    return received, dropped
