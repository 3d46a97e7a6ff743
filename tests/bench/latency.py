"""How long after a packet its alert stands in the log, while the mirror is busy."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests.bench.live import SENDER_CPUS, beside_the_sender, replay
from tests.live.lab import Lab
from tests.live.sensor_process import SensorProcess
from tests.traffic import build

PROBES = 300
_PAUSE_SECONDS = 0.03
_STEP_SECONDS = 0.0005
_LONGEST_SECONDS = 20
_NETWORK = "100.127"


@dataclass(frozen=True)
class Latency:
    """Seconds from handing a packet to the cable until its alert's line could be read."""

    median_seconds: float
    p99_seconds: float
    worst_seconds: float
    probes: int


def measure(loop: Path, cache: Path, rate: int) -> Latency:
    """Replays `loop` at `rate` packets a second, and meanwhile contacts one listed address after another."""
    lab = Lab()
    try:
        with tempfile.TemporaryDirectory(dir=cache) as directory, beside_the_sender():
            return _measure(lab, Path(directory), replay(loop, 1000, rate))
    finally:
        lab.close()


def _measure(lab: Lab, directory: Path, background: list[str]) -> Latency:
    listed = directory / "listed.txt"
    listed.write_text("".join(f"{_remote(number)}\n" for number in range(PROBES)))  # each an incident of its own
    command = Path(sys.executable).with_name("spanwatch")
    ring = {"segment_size": "64MiB", "max_size": "1GiB"}
    lists = [{"path": str(listed)}]
    daemon = SensorProcess(lab, command, directory, pcap_ring=ring, eve={"path": None}, watchlists=lists)
    try:
        daemon.start()
        cpus = ",".join(map(str, SENDER_CPUS))
        sender = subprocess.Popen(lab.inside("taskset", "-c", cpus, *background), stdout=subprocess.DEVNULL)
        try:
            return _probe(lab, daemon)
        finally:
            sender.kill()
            sender.wait()
    finally:
        daemon.close()


def _probe(lab: Lab, daemon: SensorProcess) -> Latency:
    taken = []
    daemon.alerts_log.touch()
    with lab.port() as cable, daemon.alerts_log.open() as log:
        for number in range(PROBES):
            remote = _remote(number)
            client = build.Endpoint("02:00:00:00:00:09", "10.1.2.3", 40_000)
            frame = build.udp(client, build.Endpoint("02:00:00:00:00:02", remote, 443), b"x")
            sent = time.monotonic()
            cable.send(frame)
            _await(log, f" {remote}:")
            taken.append(time.monotonic() - sent)
            time.sleep(_PAUSE_SECONDS)
    return Latency(statistics.median(taken), statistics.quantiles(taken, n=100)[98], max(taken), len(taken))


def _remote(number: int) -> str:
    return f"{_NETWORK}.{number >> 8}.{number & 0xFF}"


def _await(log: IO[str], text: str) -> None:
    """Reads on until `text` comes; more often than the lab's waiting does."""
    deadline = time.monotonic() + _LONGEST_SECONDS
    read = ""
    while text not in read:
        if time.monotonic() > deadline:
            raise RuntimeError(f"waited {_LONGEST_SECONDS} s in vain for an alert about{text}")
        time.sleep(_STEP_SECONDS)
        read += log.read()
