"""Reading capture files: `spanwatch read` beside other tools, in turns."""

from __future__ import annotations

import json
import socket
import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sensor.demo.pcap_file import write_pcap
from tests.bench import peers
from tests.bench.measure import Cost, run
from tests.bench.peers import Tool

LISTED = 1_000_000
ROUNDS = 3
OURS = "spanwatch read"
WITH_LOG = "spanwatch read, with eve.json"
# The busiest server of the office capture: its alert shows that the list was in use.
MET = "198.18.1.1"
_LOGGED = ["alert", "flow", "dns", "tls", "http"]


@dataclass(frozen=True)
class Reading:
    """All rounds of one tool over one capture."""

    tool: str
    packets: int
    costs: list[Cost]

    def wall_seconds(self) -> float:
        """Of the median round, start included."""
        return statistics.median(cost.wall_seconds for cost in self.costs)

    def least_seconds(self) -> float:
        """Of the fastest round."""
        return min(cost.wall_seconds for cost in self.costs)

    def packets_per_second(self) -> float:
        """Of the median round, start included."""
        return self.packets / self.wall_seconds()

    def ratios(self, other: Reading) -> tuple[float, float, float]:
        """How many times as fast as `other` this was, round by round: least, median, most."""
        pairs = zip(self.costs, other.costs, strict=False)  # slow tools have fewer rounds
        ratios = [theirs.wall_seconds / ours.wall_seconds for ours, theirs in pairs]
        return min(ratios), statistics.median(ratios), max(ratios)


def compare(capture: Path, packets: int, cache: Path, rounds: int = ROUNDS) -> list[Reading]:
    """Every tool that is installed over `capture`, in turns, so that a busy moment hits all alike; ours comes first."""
    listed = addresses(cache, LISTED)
    ours = Tool(OURS, read(capture, config(cache, "listed", listed)))
    logging = config(cache, "logging", listed, eve={"path": str(cache / "eve.json"), "types": _LOGGED})
    with _collector() as port:
        tools = [ours, Tool(WITH_LOG, read(capture, logging)), *peers.limits(capture)]
        readings = in_turns([(tool, packets) for tool in [*tools, *peers.others(capture, cache, port)]], rounds)
    if not all("watchlist.ip" in cost.output for cost in readings[0].costs):
        raise RuntimeError(f"the contact with {MET} was not found: {readings[0].costs[0].output}")
    return readings


def start_and_list(cache: Path, rounds: int = ROUNDS) -> list[Reading]:
    """`spanwatch read` over a capture without packets: what start, and the list, cost by themselves."""
    empty = cache / "empty.pcap"
    write_pcap(empty, ())
    without = Tool("start", read(empty, config(cache, "bare", None)))
    listed = Tool("start with list", read(empty, config(cache, "listed", addresses(cache, LISTED))))
    return in_turns([(without, 0), (listed, 0)], rounds)


def in_turns(tools: list[tuple[Tool, int]], rounds: int) -> list[Reading]:
    """Runs each tool over so many packets, all of them once a round."""
    readings = [Reading(tool.name, packets, []) for tool, packets in tools]
    for tool, _ in tools:
        if tool.rounds is None:
            run(tool.command)  # a first round that does not count fills the page cache
    for number in range(rounds):
        for (tool, _), reading in zip(tools, readings, strict=True):
            if number < (tool.rounds or rounds):
                reading.costs.append(run(tool.command))
    return readings


def read(capture: Path, settings: Path) -> list[str]:
    """The command line of `spanwatch read`."""
    return [str(Path(sys.executable).with_name("spanwatch")), "read", "--json", "-c", str(settings), str(capture)]


def config(cache: Path, name: str, indicators: Path | None, **sections: Any) -> Path:
    """Flows, hosts and names as by default, no ring, no logs; `sections` go on top."""
    path = cache / f"{name}.yaml"
    settings = {
        "pcap_ring": {"enabled": False},
        "watchlists": [{"path": str(indicators)}] if indicators else [],
        "eve": {"path": None},
        "alerts": {"log": None, "state": str(cache / "state")},
        **sections,
    }
    path.write_text(json.dumps(settings))
    return path


def addresses(cache: Path, number: int) -> Path:
    """A plain list of so many addresses, of which one is in the capture."""
    path = cache / f"addresses-{number}.txt"
    if not path.exists():
        values = ((index * 2_654_435_761) & 0xFFFFFF for index in range(1, number))
        path.write_text("".join(f"100.{n >> 16}.{n >> 8 & 0xFF}.{n & 0xFF}\n" for n in values) + f"{MET}\n")
    return path


@contextmanager
def _collector() -> Iterator[int]:
    """A UDP port that swallows what flow exporters send."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as swallow:
        swallow.bind(("127.0.0.1", 0))
        yield swallow.getsockname()[1]
