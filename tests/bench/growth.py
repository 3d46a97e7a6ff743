"""How the cost of reading grows: with live flows, with indicators, with workers, and with what carries the packets."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.peers import Tool
from tests.bench.reading import Reading, addresses, config, in_turns, read
from tests.traffic.crowd import write_crowd
from tests.traffic.headers import ENCAPSULATIONS
from tests.traffic.office import write_office

FLOWS = (10_000, 100_000, 1_000_000, 4_000_000)
HOSTS = (1_000, 10_000, 100_000)
HOST_FLOWS = 200_000
INDICATORS = (0, 10_000, 1_000_000, 2_000_000)
CROWD_PACKETS = 8_000_000
_SMALL_OFFICE = 1_000_000
# On one worker a packet's cost is what goes by meanwhile.
_ALONE = {"workers": 1}


@dataclass(frozen=True)
class Step:
    """One point of a curve: `nanoseconds` a packet without start and list, and anonymous memory.

    That is in bytes, at its highest, and for most of the time.
    """

    label: str
    nanoseconds: float
    anonymous_bytes: int
    usual_bytes: int


def by_flows(cache: Path, rounds: int) -> list[Step]:
    """More and more flows that all live; what opening and ending them costs falls out between two lengths."""
    settings = config(cache, "crowd", None, capture=_ALONE, flows={"max": max(FLOWS)})
    steps = []
    for flows in FLOWS:
        runs = []
        for packets in (CROWD_PACKETS, 2 * CROWD_PACKETS):
            capture = cache / f"crowd-{flows}-{packets}.pcap"
            if not capture.exists():
                write_crowd(capture, packets, flows)
            runs.append((Tool(f"{flows:,}", read(capture, settings)), packets))
        short, long = in_turns(runs, rounds)
        # A difference of medians would be twice what disturbed them.
        more = (long.least_seconds() - short.least_seconds()) / (long.packets - short.packets)
        steps.append(_step(long, more * 1e9))
    return steps


def by_hosts(cache: Path, rounds: int) -> list[Step]:
    """The same flows, of more and more machines."""
    settings = config(cache, "machines", None, capture=_ALONE, hosts={"max": max(HOSTS)})
    runs = []
    for hosts in HOSTS:
        capture = cache / f"machines-{hosts}.pcap"
        if not capture.exists():
            write_crowd(capture, CROWD_PACKETS // 4, HOST_FLOWS, hosts)
        runs.append((Tool(f"{hosts:,}", read(capture, settings)), CROWD_PACKETS // 4))
    return _steps(in_turns([*runs, _idle(cache, settings)], rounds))


def bytes_each(steps: list[Step], numbers: Sequence[int]) -> float:
    """Memory that one more takes for most of the time, between the first and the last step."""
    return (steps[-1].usual_bytes - steps[0].usual_bytes) / (numbers[-1] - numbers[0])


def by_indicators(capture: Path, packets: int, cache: Path, rounds: int) -> list[Step]:
    """The office capture under longer and longer lists; loading them is taken off."""
    steps = []
    for number in INDICATORS:
        listed = addresses(cache, number) if number else None
        settings = config(cache, f"list-{number}", listed, capture=_ALONE)
        runs = [(Tool(f"{number:,}", read(capture, settings)), packets), _idle(cache, settings)]
        steps += _steps(in_turns(runs, rounds))
    return steps


def by_workers(capture: Path, packets: int, cache: Path, rounds: int) -> list[Step]:
    """One worker to as many as there are cores."""
    settings = {
        number: config(cache, f"workers-{number}", None, capture={"workers": number})
        for number in range(1, (os.cpu_count() or 1) + 1)
    }
    runs = [(Tool(f"{number}", read(capture, path)), packets) for number, path in settings.items()]
    return _steps(in_turns([*runs, _idle(cache, settings[1])], rounds))


def by_encapsulation(cache: Path, rounds: int) -> list[Step]:
    """The same office in everything that a mirror may put around it."""
    settings = config(cache, "alone", None, capture=_ALONE)
    runs = []
    for encapsulation in ENCAPSULATIONS:
        capture = cache / f"office-{_SMALL_OFFICE}-{encapsulation}.pcap"
        if not capture.exists():
            write_office(capture, _SMALL_OFFICE, encapsulation=encapsulation)
        runs.append((Tool(encapsulation, read(capture, settings)), _SMALL_OFFICE))
    return _steps(in_turns([*runs, _idle(cache, settings)], rounds))


def _idle(cache: Path, settings: Path) -> tuple[Tool, int]:
    """What is no packet's cost: start, and loading the lists."""
    return Tool("start", read(cache / "empty.pcap", settings)), 0


def _steps(readings: list[Reading]) -> list[Step]:
    *measured, idle = readings
    return [
        _step(reading, (reading.wall_seconds() - idle.wall_seconds()) / reading.packets * 1e9) for reading in measured
    ]


def _step(reading: Reading, nanoseconds: float) -> Step:
    highest = max(cost.anonymous_bytes for cost in reading.costs)
    return Step(reading.tool, nanoseconds, highest, max(cost.usual_bytes for cost in reading.costs))
