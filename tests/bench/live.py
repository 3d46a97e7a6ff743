"""Live capture over a veth cable: the sender on one core, the sensor on the others."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from tests.bench.measure import anonymous_bytes, cpu_seconds
from tests.live.lab import Lab
from tests.live.sensor_process import Samples, SensorProcess, total

LOOP_PACKETS = 200_000
SENDER_CPUS = {0}


@dataclass(frozen=True)
class LiveResult:
    """What one run gave."""

    sent_packets: int
    offered_packets_per_second: float
    captured_packets: int
    kernel_drops: int
    ring_drops: int
    cpu_seconds: float
    anonymous_bytes: int

    @property
    def cpu_seconds_per_million(self) -> float:
        """CPU of the sensor, all threads, for a million packets."""
        return self.cpu_seconds / max(self.captured_packets, 1) * 1e6


def measure(capture: Path, cache: Path, packets: int, rate: int) -> LiveResult:
    """Sends the first packets of `capture` again and again, about `packets` in all.

    `rate` is in packets a second; 0 is as fast as tcpreplay can.
    """
    loop = cache / f"loop-{LOOP_PACKETS}.pcap"
    if not loop.exists():
        subprocess.run(["editcap", "-r", str(capture), str(loop), f"1-{LOOP_PACKETS}"], check=True)
    lab = Lab()
    try:
        with tempfile.TemporaryDirectory(dir=cache) as directory:
            return _run(lab, Path(directory), _replay(loop, max(1, packets // LOOP_PACKETS), rate))
    finally:
        lab.close()


def _replay(loop: Path, loops: int, rate: int) -> list[str]:
    pace = [f"--pps={rate}"] if rate else ["--topspeed"]
    return ["tcpreplay", "-q", "-K", *pace, "--loop", str(loops), "-i", "switch0", str(loop)]


def _run(lab: Lab, directory: Path, replay: list[str]) -> LiveResult:
    command = Path(sys.executable).with_name("spanwatch")
    ring = {"segment_size": "64MiB", "max_size": "1GiB"}
    daemon = SensorProcess(lab, command, directory, pcap_ring=ring, eve={"path": None}, watchlists=[])
    everywhere = os.sched_getaffinity(0)
    os.sched_setaffinity(0, everywhere - SENDER_CPUS or everywhere)  # the daemon inherits it
    try:
        daemon.start()
        before = cpu_seconds(daemon.process.pid)
        sent, rate, memory = _send(lab, daemon, replay)
        samples = _settled(daemon)
        used = cpu_seconds(daemon.process.pid) - before
        return _result(samples, LiveResult(sent, rate, 0, 0, 0, used, memory))
    finally:
        os.sched_setaffinity(0, everywhere)
        daemon.close()


def _send(lab: Lab, daemon: SensorProcess, replay: list[str]) -> tuple[int, float, int]:
    """Packets sent, packets a second, and the highest anonymous memory of the daemon meanwhile."""
    cpus = ",".join(map(str, SENDER_CPUS))
    command = lab.inside("taskset", "-c", cpus, *replay)
    report: list[str] = []

    def send() -> None:
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        report.append(done.stdout)

    sender = threading.Thread(target=send)
    sender.start()
    memory = 0
    while sender.is_alive():
        memory = max(memory, anonymous_bytes(daemon.process.pid))
        time.sleep(0.05)
    actual = re.search(r"Actual: (\d+) packets .* sent in ([\d.]+) seconds", report[0])
    if actual is None:
        raise RuntimeError(f"tcpreplay said: {report[0]}")
    return int(actual[1]), int(actual[1]) / float(actual[2]), memory


def _settled(daemon: SensorProcess) -> Samples:
    """The counters once nothing more arrives."""
    samples = daemon.scrape()
    while True:
        time.sleep(0.5)
        later = daemon.scrape()
        if total(later, "spanwatch_capture_frames_total") == total(samples, "spanwatch_capture_frames_total"):
            return later
        samples = later


def _result(samples: Samples, run: LiveResult) -> LiveResult:
    return LiveResult(
        sent_packets=run.sent_packets,
        offered_packets_per_second=run.offered_packets_per_second,
        captured_packets=int(total(samples, "spanwatch_capture_frames_total")),
        kernel_drops=int(total(samples, "spanwatch_capture_kernel_dropped_frames_total")),
        ring_drops=int(total(samples, "spanwatch_ring_dropped_frames_total")),
        cpu_seconds=run.cpu_seconds,
        anonymous_bytes=run.anonymous_bytes,
    )
