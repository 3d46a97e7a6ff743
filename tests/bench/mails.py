"""Mail at a steady rate over a veth cable: whether the sensor follows, and what a message costs it.

Usage: python -m tests.bench.mails [--rate MAILS] [--seconds N]; needs root. `make bench` does it at 500 a second.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.bench.live import beside_the_sender
from tests.bench.measure import anonymous_bytes, cpu_seconds
from tests.live.lab import Lab, until
from tests.live.sensor_process import SensorProcess, total
from tests.traffic.build import write_pcap
from tests.traffic.case_letters import Delivery, Letter, deliver
from tests.traffic.case_scene import Scene
from tests.traffic.headers import START_SECONDS

_DOMAINS = 2000
_TEXT = "Dear colleague, the minutes of our meeting are in the annex, as discussed.\r\n" * 12
_AT_ONCE = 16
"""Frames that are sent before the sender looks at the clock."""


def frames(rate: int, seconds: int) -> Iterator[tuple[int, bytes]]:
    """`rate` mails a second, each from a server of its own: time in nanoseconds, and frame."""
    for second in range(seconds):
        scene = Scene(START_SECONDS + second, second)
        for place in range(rate):
            _mail(scene, place / rate, second * rate + place)
        yield from ((sent.time_ns, sent.frame) for sent in scene.in_time_order())


def _mail(scene: Scene, at: float, number: int) -> None:
    domain = f"peer{number % _DOMAINS}.example"
    client = f"198.{18 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"
    letter = Letter(
        sender=f"office@{domain}",
        recipients=(f"user{number % 500}@t3sec.cc",),
        subject=f"Minutes {number}",
        text=_TEXT,
        message_id=f"{number}@{domain}",
        links=((f"http://www.{domain}/{number}", "the annex"),),
    )
    deliver(scene, at, Delivery(client=client, server="172.16.60.247", helo=f"mx.{domain}"), [letter])


@dataclass(frozen=True)
class MailResult:
    """What one run gave. `behind_seconds`: from the last frame until the event log had every mail.

    `dropped_frames` are the kernel's, `dropped_records` those that a sink or the judging of mails had no time for.
    """

    rate: int
    mails: int
    send_seconds: float
    dropped_frames: int
    dropped_records: int
    behind_seconds: float
    cpu_seconds: float
    anonymous_bytes: int


def measure(rate: int, seconds: int) -> MailResult:
    """Sends them, and waits until all are logged. Raises AssertionError if a mail is not."""
    with tempfile.TemporaryDirectory() as directory:
        return _measure(rate, seconds, Path(directory))


def _measure(rate: int, seconds: int, directory: Path) -> MailResult:
    capture = directory / "mails.pcap"
    sent = write_pcap(capture, frames(rate, seconds))
    lab = Lab()
    with beside_the_sender():
        daemon = SensorProcess(
            lab, Path(sys.executable).with_name("spanwatch"), directory, eve={"types": ["alert", "smtp"]}
        ).start()
    try:
        idle, begun = cpu_seconds(daemon.process.pid), time.monotonic()
        _send(lab, capture, sent // seconds)
        took = time.monotonic() - begun
        mails = until("all mails in the event log", lambda: _events(daemon, rate * seconds))
        used, memory = cpu_seconds(daemon.process.pid) - idle, anonymous_bytes(daemon.process.pid)
        numbers = daemon.scrape()
        behind = time.monotonic() - begun - took
    finally:
        daemon.close()
        lab.close()
    frames_lost = total(numbers, "spanwatch_capture_kernel_dropped_frames_total")
    records_lost = total(numbers, "spanwatch_sink_dropped_records_total")
    return MailResult(rate, mails, took, int(frames_lost), int(records_lost), behind, used, memory)


def _send(lab: Lab, capture: Path, rate: int) -> None:
    pace = ("-K", f"--pps={rate}", f"--pps-multi={_AT_ONCE}")
    lab.run("taskset", "-c", "0", "tcpreplay", "-q", *pace, "-i", "switch0", str(capture))


def _events(daemon: SensorProcess, wanted: int) -> int:
    counted = subprocess.run(
        ["grep", "-c", '"event_type":"smtp"', str(daemon.eve)], check=False, capture_output=True, text=True
    )
    return int(counted.stdout) if int(counted.stdout) >= wanted else 0


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.mails", description=__doc__)
    parser.add_argument("--rate", type=int, default=500, help="mails a second (default %(default)s)")
    parser.add_argument("--seconds", type=int, default=60, help="for so long (default %(default)s)")
    arguments = parser.parse_args()
    print(measure(arguments.rate, arguments.seconds))


if __name__ == "__main__":
    main()
