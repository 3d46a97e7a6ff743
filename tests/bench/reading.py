"""Reading a capture file: `spanwatch read` beside other flow tools, in turns."""

from __future__ import annotations

import json
import shutil
import socket
import statistics
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sensor.demo.pcap_file import write_pcap
from tests.bench.measure import Cost, run

LISTED = 1_000_000
ROUNDS = 3
# The busiest server of the office capture: its alert shows that the list was in use.
MET = "198.18.1.1"


@dataclass(frozen=True)
class Tool:
    """One way to read a capture."""

    name: str
    command: list[str]


@dataclass(frozen=True)
class Reading:
    """All rounds of one tool over one capture."""

    tool: str
    packets: int
    costs: list[Cost]

    def packets_per_second(self) -> float:
        """Of the median round, start included."""
        return self.packets / statistics.median(cost.wall_seconds for cost in self.costs)

    def ratios(self, other: Reading) -> tuple[float, float, float]:
        """How many times as fast as `other` this was, round by round: least, median, most."""
        ratios = [theirs.wall_seconds / ours.wall_seconds for ours, theirs in zip(self.costs, other.costs, strict=True)]
        return min(ratios), statistics.median(ratios), max(ratios)


def compare(capture: Path, packets: int, cache: Path, rounds: int = ROUNDS) -> list[Reading]:
    """Every tool that is installed over `capture`, in turns, so that a busy moment hits all alike."""
    with _collector() as port:
        tools = list(_tools(capture, cache, port))
        readings = _in_turns([(tool, packets) for tool in tools], rounds)
    if not all("watchlist.ip" in cost.output for cost in readings[0].costs):
        raise RuntimeError(f"the contact with {MET} was not found: {readings[0].costs[0].output}")
    return readings


def start_and_list(cache: Path, rounds: int = ROUNDS) -> list[Reading]:
    """`spanwatch read` over a capture without packets: what start, and the list, cost by themselves."""
    empty = cache / "empty.pcap"
    write_pcap(empty, ())
    without = Tool("start", _read(empty, _config(cache, None)))
    listed = Tool("start with list", _read(empty, _config(cache, _list(cache))))
    return _in_turns([(without, 0), (listed, 0)], rounds)


def _in_turns(tools: list[tuple[Tool, int]], rounds: int) -> list[Reading]:
    readings = [Reading(tool.name, packets, []) for tool, packets in tools]
    for tool, _ in tools:
        run(tool.command)  # a first round that does not count fills the page cache
    for _ in range(rounds):
        for (tool, _), reading in zip(tools, readings, strict=True):
            reading.costs.append(run(tool.command))
    return readings


def _tools(capture: Path, cache: Path, port: int) -> Iterator[Tool]:
    yield Tool("spanwatch read", _read(capture, _config(cache, _list(cache))))
    softflowd = [
        "softflowd",
        "-d",
        "-v",
        "9",
        "-n",
        f"127.0.0.1:{port}",
        "-p",
        str(cache / "softflowd.pid"),
        "-c",
        "none",
    ]
    records = cache / "nfcapd"
    records.mkdir(exist_ok=True)
    peers: list[tuple[str, Callable[[], list[str]]]] = [
        ("softflowd", lambda: [*softflowd, "-r", str(capture)]),
        ("softflowd -m 1000000", lambda: [*softflowd, "-m", "1000000", "-r", str(capture)]),
        ("tcpdump -w /dev/null", lambda: ["tcpdump", "-r", str(capture), "-w", "/dev/null"]),
        ("nfpcapd", lambda: ["nfpcapd", "-r", str(capture), "-w", str(records)]),
        ("argus", lambda: ["argus", "-r", str(capture), "-w", "/dev/null"]),
    ]
    for name, command in peers:
        if shutil.which(name.split()[0]):
            yield Tool(name, command())


def _read(capture: Path, config: Path) -> list[str]:
    return [str(Path(sys.executable).with_name("spanwatch")), "read", "--json", "-c", str(config), str(capture)]


def _config(cache: Path, indicators: Path | None) -> Path:
    """Flows and hosts as by default, no ring, no logs, one worker."""
    path = cache / f"{'listed' if indicators else 'bare'}.yaml"
    settings = {
        "capture": {"workers": 1},
        "pcap_ring": {"enabled": False},
        "watchlists": [{"path": str(indicators)}] if indicators else [],
        "eve": {"path": None},
        "alerts": {"log": None, "state": str(cache / "state")},
    }
    path.write_text(json.dumps(settings))
    return path


def _list(cache: Path) -> Path:
    """A plain list of a million addresses, of which one is in the capture."""
    path = cache / f"addresses-{LISTED}.txt"
    if not path.exists():
        numbers = ((number * 2_654_435_761) & 0xFFFFFF for number in range(1, LISTED))
        path.write_text("".join(f"100.{n >> 16}.{n >> 8 & 0xFF}.{n & 0xFF}\n" for n in numbers) + f"{MET}\n")
    return path


@contextmanager
def _collector() -> Iterator[int]:
    """A UDP port that swallows what flow exporters send."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as swallow:
        swallow.bind(("127.0.0.1", 0))
        yield swallow.getsockname()[1]
