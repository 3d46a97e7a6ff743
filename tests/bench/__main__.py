"""The benchmarks: `python -m tests.bench [--packets N] [--rounds N] [--only PART]… [--write]`; run by `make bench`."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from tests.bench import case, growth, latency, live, mails, page, reading, stages, tables
from tests.traffic.office import write_office

CACHE = Path(".cache/bench").absolute()
DOCS = Path("docs")
PARTS = ("read", "case", "stages", "growth", "live", "latency", "mails")
_GROWTH_ROUNDS = 3
_MAILS = (500, 60)
"""A second, and for so many seconds."""
_PYSHARK = Path(".cache/pyshark/bin/python").absolute()
_PYSHARK_PACKETS = 2_000_000
"""At most: more take it a quarter of an hour."""


class Bench:
    """Measures part after part, shows each table at once, and keeps them for the page."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments
        self.tables: list[tables.Table] = []
        self._console = Console(soft_wrap=True)
        self._capture = _office(arguments.packets)

    def read(self) -> None:
        """Beside every other tool."""
        packets, rounds = self.arguments.packets, self.arguments.rounds
        self._show(tables.reading("Reading", reading.compare(self._capture, packets, CACHE, rounds)))
        self._show(tables.start(reading.start_and_list(CACHE, rounds)))

    def stages(self) -> None:
        """What a packet's cost consists of."""
        by_stage = stages.by_stage(_office, CACHE)
        self._show(tables.shares("Instructions a packet by stage, all threads", "instructions", by_stage))
        settings = reading.config(CACHE, "bare", None)
        by_thread = stages.by_thread(self._capture, self.arguments.packets, settings)
        self._show(tables.shares("Processor time a packet by thread", "ns", by_thread))

    def case(self) -> None:
        """The report and the library, beside what would answer without them."""
        packets, rounds = self.arguments.packets, self.arguments.rounds
        file = case.capture(CACHE, packets)
        self._show(tables.reading("The report", case.report(file, packets, CACHE, rounds)))
        if _PYSHARK.exists():
            packets = min(packets, _PYSHARK_PACKETS)
            requests = case.requests(case.capture(CACHE, packets), packets, _PYSHARK, rounds)
            self._show(tables.reading("All HTTP requests", requests))

    def growth(self) -> None:
        """Our own cost a packet under more of everything."""
        packets, rounds = self.arguments.packets, _GROWTH_ROUNDS
        by_flows, by_hosts = growth.by_flows(CACHE, rounds), growth.by_hosts(CACHE, rounds)
        self._show(tables.growth("Cost by live flows", by_flows))
        self._show(tables.growth("Cost by hosts", by_hosts))
        each = [
            ("a live flow", growth.bytes_each(by_flows, growth.FLOWS)),
            ("a host", growth.bytes_each(by_hosts, growth.HOSTS)),
        ]
        self._show(tables.memory(each))
        by_indicators = growth.by_indicators(self._capture, packets, CACHE, rounds)
        self._show(tables.growth("Cost by indicators", by_indicators))
        self._show(tables.growth("Cost by workers", growth.by_workers(self._capture, packets, CACHE, rounds)))
        self._show(tables.growth("Cost by encapsulation", growth.by_encapsulation(CACHE, rounds)))

    def live(self) -> None:
        """Beside other recorders."""
        loop = live.loop_capture(self._capture, CACHE)
        self._show(tables.live(live.measure(loop, CACHE, self.arguments.live_packets, self.arguments.live_rate)))

    def latency(self) -> None:
        """How fast an alert is."""
        loop = live.loop_capture(self._capture, CACHE)
        self._show(tables.latency(latency.measure(loop, CACHE, self.arguments.live_rate or 300_000)))

    def mails(self) -> None:
        """Whether mail is followed live."""
        self._show(tables.mails(mails.measure(*_MAILS)))

    def _show(self, table: tables.Table) -> None:
        self.tables.append(table)
        self._console.print(table.rich())


def main() -> None:
    """The command line."""
    arguments = _arguments()
    CACHE.mkdir(parents=True, exist_ok=True)
    bench = Bench(arguments)
    measures: dict[str, Callable[[], None]] = {part: getattr(bench, part) for part in PARTS}
    for part, measure in measures.items():
        if part in ("live", "latency", "mails") and os.geteuid() != 0:
            print(f"{part}: skipped, it needs root")
        elif not arguments.only or part in arguments.only:
            measure()
    if arguments.write:
        page.write(DOCS, bench.tables, arguments.rounds)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=reading.ROUNDS, help="rounds of each tool (default %(default)s)")
    parser.add_argument("--packets", type=int, default=2_000_000, help="length of the capture (default %(default)s)")
    parser.add_argument("--live-rate", type=int, default=0, help="sent a second (default: as fast as it goes)")
    parser.add_argument("--live-packets", type=int, default=4_000_000, help="sent live (default %(default)s)")
    parser.add_argument("--only", action="append", choices=PARTS, help="measure this part; may be repeated")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md and its pictures")
    return parser.parse_args()


def _office(packets: int) -> Path:
    """The office capture, made once."""
    path = CACHE / f"office-{packets}.pcap"
    if not path.exists():
        unfinished = path.with_suffix(".tmp")
        write_office(unfinished, packets)
        unfinished.rename(path)
    return path


if __name__ == "__main__":
    main()
