"""Live capture over a veth cable, at the same rates: the sender on one core, whoever records on the others."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.bench.measure import anonymous_bytes, cpu_seconds, machine_cpu_seconds
from tests.live.lab import Lab, until
from tests.live.sensor_process import Samples, SensorProcess, total

LOOP_PACKETS = 200_000
SENDER_CPUS = {0}
OURS = "spanwatch run"
_FILES = 64
_SETTLED_SECONDS = 1.0


@dataclass(frozen=True)
class LiveResult:
    """What one run gave. `machine_cpu_seconds` is all that the machine did beside the sender."""

    tool: str
    sent_packets: int
    offered_packets_per_second: float
    captured_packets: int
    dropped_packets: int
    cpu_seconds: float
    machine_cpu_seconds: float
    anonymous_bytes: int

    def cpu_seconds_per_million(self) -> float:
        """CPU of the process, all threads, for a million packets that were offered."""
        return self.cpu_seconds / max(self.sent_packets, 1) * 1e6

    def machine_cpu_seconds_per_million(self) -> float:
        """The same of the whole machine without the sender."""
        return self.machine_cpu_seconds / max(self.sent_packets, 1) * 1e6


def loop_capture(capture: Path, cache: Path) -> Path:
    """The first packets of `capture`, which are sent again and again."""
    loop = cache / f"loop-{LOOP_PACKETS}.pcap"
    if not loop.exists():
        subprocess.run(["editcap", "-r", str(capture), str(loop), f"1-{LOOP_PACKETS}"], check=True)
    return loop


def replay(loop: Path, loops: int, rate: int) -> list[str]:
    """The command that sends into the cable; `rate` is in packets a second, 0 is as fast as it can."""
    pace = [f"--pps={rate}"] if rate else ["--topspeed"]
    return ["tcpreplay", "-q", "-K", *pace, "--loop", str(loops), "-i", "switch0", str(loop)]


def measure(loop: Path, cache: Path, packets: int, rate: int) -> list[LiveResult]:
    """The sensor with all detection and its ring, then each recorder, each with a network of its own."""
    sender = replay(loop, max(1, packets // LOOP_PACKETS), rate)
    recorders = [name for name, (command, _, _) in _RECORDERS.items() if shutil.which(command[0])]
    runs: list[Callable[[Lab, Path], LiveResult]] = [
        partial(_sensor, sender),
        *[partial(_recorder, sender, name) for name in recorders],
    ]
    return [_in_a_lab(cache, run) for run in runs]


def _in_a_lab(cache: Path, run: Callable[[Lab, Path], LiveResult]) -> LiveResult:
    lab = Lab()
    try:
        with tempfile.TemporaryDirectory(dir=cache) as directory, beside_the_sender():
            return run(lab, Path(directory))
    finally:
        lab.close()


@contextmanager
def beside_the_sender() -> Iterator[None]:
    """Processes that are started meanwhile keep off the sender's core, where there is another."""
    everywhere = os.sched_getaffinity(0)
    os.sched_setaffinity(0, everywhere - SENDER_CPUS or everywhere)
    try:
        yield
    finally:
        os.sched_setaffinity(0, everywhere)


def _sensor(sender: list[str], lab: Lab, directory: Path) -> LiveResult:
    command = Path(sys.executable).with_name("spanwatch")
    ring = {"segment_size": "64MiB", "max_size": "1GiB"}
    daemon = SensorProcess(lab, command, directory, pcap_ring=ring, eve={"path": None}, watchlists=[])
    try:
        daemon.start()
        run = _Run(daemon.process.pid)
        run.send(lab, sender)
        samples = _settled(daemon)
        captured = int(total(samples, "spanwatch_capture_frames_total"))
        lost = ("spanwatch_capture_kernel_dropped_frames_total", "spanwatch_ring_dropped_frames_total")
        return run.result(OURS, captured, int(sum(total(samples, name) for name in lost)))
    finally:
        daemon.close()


def _recorder(sender: list[str], name: str, lab: Lab, directory: Path) -> LiveResult:
    command, ready, counts = _RECORDERS[name]
    said = directory / "said.txt"
    with said.open("wb") as output:
        process = subprocess.Popen(
            lab.inside(*(part.format(directory=directory) for part in command)), stdout=output, stderr=output
        )
    try:
        until(f"{name} listens", lambda: re.search(ready, said.read_text()) or process.poll() is not None)
        run = _Run(process.pid)
        run.send(lab, sender)
        time.sleep(_SETTLED_SECONDS)
        result = run.result(name, 0, 0)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()
    numbers = [int(found[1]) if (found := re.search(count, said.read_text())) else 0 for count in counts]
    return LiveResult(**{**vars(result), "captured_packets": numbers[0], "dropped_packets": numbers[1]})


# Command line, what it says when it listens, and where it says what it has seen and lost.
_RECORDERS: dict[str, tuple[list[str], str, tuple[str, str]]] = {
    "tcpdump -C": (
        f"tcpdump -n -Z root -i mirror0 -B 65536 -s 0 -C 67 -W {_FILES} -w {{directory}}/recorded".split(),
        r"listening on",
        (r"(\d+) packets captured", r"(\d+) packets dropped by kernel"),
    ),
    "dumpcap": (
        f"dumpcap -i mirror0 -B 64 -b filesize:65536 -b files:{_FILES} -q -w {{directory}}/recorded.pcap".split(),
        r"File: ",
        (r"mirror0[^\n]*: (\d+)/", r"mirror0[^\n]*: \d+/(\d+)"),
    ),
    "netsniff-ng": (
        ["netsniff-ng", "-i", "mirror0", "-o", "{directory}", "-F", "64MiB", "-s", "-S", "64MiB"],
        r"[Rr]unning|Hup",
        (r"(\d+)\s+packets incoming", r"(\d+)\s+packets dropped|\((\d+) drops"),
    ),
}


class _Run:
    """The costs of one recording process while packets are sent."""

    def __init__(self, process: int) -> None:
        self._process = process
        self._own = cpu_seconds(process)
        self._machine = machine_cpu_seconds()
        self._sent, self._rate, self._anonymous, self._sender_seconds = 0, 0.0, 0, 0.0

    def send(self, lab: Lab, sender: list[str]) -> None:
        """Sends everything, and watches the memory of the process meanwhile."""
        cpus = ",".join(map(str, SENDER_CPUS))
        command = lab.inside("taskset", "-c", cpus, *sender)
        report: list[tuple[str, float]] = []
        thread = threading.Thread(target=lambda: report.append(_run_counted(command)))
        thread.start()
        while thread.is_alive():
            self._anonymous = max(self._anonymous, anonymous_bytes(self._process))
            time.sleep(0.05)
        said, self._sender_seconds = report[0]
        actual = re.search(r"Actual: (\d+) packets .* sent in ([\d.]+) seconds", said)
        if actual is None:
            raise RuntimeError(f"tcpreplay said: {said}")
        self._sent, self._rate = int(actual[1]), int(actual[1]) / float(actual[2])

    def result(self, tool: str, captured: int, dropped: int) -> LiveResult:
        """What it took until now."""
        machine = machine_cpu_seconds() - self._machine - self._sender_seconds
        own = cpu_seconds(self._process) - self._own
        return LiveResult(tool, self._sent, self._rate, captured, dropped, own, machine, self._anonymous)


def _run_counted(command: list[str]) -> tuple[str, float]:
    """What a command says, and the CPU time that it takes."""
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        return output.read(), used.ru_utime + used.ru_stime


def _settled(daemon: SensorProcess) -> Samples:
    """The counters once nothing more arrives."""
    samples = daemon.scrape()
    while True:
        time.sleep(_SETTLED_SECONDS / 2)
        later = daemon.scrape()
        if total(later, "spanwatch_capture_frames_total") == total(samples, "spanwatch_capture_frames_total"):
            return later
        samples = later
