"""The benchmarks: `python -m tests.bench [--rounds N] [--packets N] [--json]`; run through `make bench`."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import statistics
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench import live, reading
from tests.traffic.office import write_office

CACHE = Path(".cache/bench").absolute()
BASELINE = "softflowd"


def main() -> None:
    """The command line."""
    arguments = _arguments()
    CACHE.mkdir(parents=True, exist_ok=True)
    capture = _office(arguments.packets)
    compared = reading.compare(capture, arguments.packets, CACHE, arguments.rounds)
    idle = reading.start_and_list(CACHE, arguments.rounds)
    lively = live.measure(capture, CACHE, arguments.live_packets, arguments.live_rate) if os.geteuid() == 0 else None
    if arguments.json:
        print(json.dumps(_as_json(compared, idle, lively)))
    else:
        _print(compared, idle, lively)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=reading.ROUNDS, help="rounds of each tool (default %(default)s)")
    parser.add_argument("--packets", type=int, default=2_000_000, help="length of the capture (default %(default)s)")
    parser.add_argument("--live-rate", type=int, default=0, help="sent a second (default: as fast as it goes)")
    parser.add_argument("--live-packets", type=int, default=4_000_000, help="sent live (default %(default)s)")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of tables")
    return parser.parse_args()


def _office(packets: int) -> Path:
    """The office capture, made once."""
    path = CACHE / f"office-{packets}.pcap"
    if not path.exists():
        unfinished = path.with_suffix(".tmp")
        write_office(unfinished, packets)
        unfinished.rename(path)
    return path


def _rows(compared: list[reading.Reading]) -> list[dict[str, Any]]:
    baseline = next((entry for entry in compared if entry.tool == BASELINE), None)
    return [
        {
            "tool": entry.tool,
            "packets_per_second": round(entry.packets_per_second()),
            "times_softflowd": [round(ratio, 2) for ratio in entry.ratios(baseline)] if baseline else None,
            "wall_seconds": [round(cost.wall_seconds, 3) for cost in entry.costs],
            "cpu_seconds": round(statistics.median(cost.cpu_seconds for cost in entry.costs), 3),
            "anonymous_bytes": max(cost.anonymous_bytes for cost in entry.costs),
        }
        for entry in compared
    ]


def _as_json(
    compared: list[reading.Reading], idle: list[reading.Reading], lively: live.LiveResult | None
) -> dict[str, Any]:
    return {
        "machine": {"cpus": os.cpu_count(), "kernel": platform.release(), "python": platform.python_version()},
        "read": _rows(compared),
        "start": {
            entry.tool: [round(cost.wall_seconds, 3) for cost in entry.costs] for entry in idle
        },
        "live": None if lively is None else dataclasses.asdict(lively),
    }  # fmt: skip


def _print(compared: list[reading.Reading], idle: list[reading.Reading], lively: live.LiveResult | None) -> None:
    console = Console(soft_wrap=True)
    packets, rounds = compared[0].packets, len(compared[0].costs)
    table = Table(title=f"reading {packets:,} packets, median of {rounds} rounds; ratio: times softflowd")
    table.add_column("tool", no_wrap=True)
    for heading in ("packets/s", "ratio", "min", "max", "CPU s", "anon. MB"):
        table.add_column(heading, justify="right")
    for row in _rows(compared):
        least, middle, most = row["times_softflowd"] or ("", "", "")
        memory = f"{row['anonymous_bytes'] / 1e6:.0f}"
        table.add_row(
            row["tool"], f"{row['packets_per_second']:,}", *map(str, (middle, least, most, row["cpu_seconds"])), memory
        )
    console.print(table)
    start, listed = (statistics.median(cost.wall_seconds for cost in entry.costs) for entry in idle)
    console.print(f"of which start {start:.3f} s, list of {reading.LISTED:,} addresses {listed - start:.3f} s")
    if lively is None:
        console.print("live: skipped, it needs root")
        return
    console.print(
        f"live: {lively.offered_packets_per_second:,.0f} packets/s offered, {lively.sent_packets:,} sent, "
        f"{lively.captured_packets:,} captured, {lively.kernel_drops:,} dropped by the kernel, "
        f"{lively.ring_drops:,} not stored; {lively.cpu_seconds_per_million:.2f} CPU s a million packets, "
        f"{lively.anonymous_bytes / 1e6:.0f} MB anonymous"
    )


if __name__ == "__main__":
    main()
