"""What was measured, as tables: for the terminal and for docs/performance.md alike."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.table import Table as RichTable

from tests.bench.growth import Step
from tests.bench.latency import Latency
from tests.bench.live import LiveResult
from tests.bench.mails import MailResult
from tests.bench.reading import Reading


@dataclass(frozen=True)
class Picture:
    """Bars with a label and a length each; `marked` are those of the sensor itself."""

    name: str
    title: str
    bars: Sequence[tuple[str, float]]
    marked: str = ""


@dataclass(frozen=True)
class Table:
    """A title, headings, and rows of text; all columns but the first are numbers."""

    title: str
    headings: list[str]
    rows: list[list[str]]
    picture: Picture | None = None

    def rich(self) -> RichTable:
        """For the terminal."""
        table = RichTable(title=self.title, title_justify="left")
        for number, heading in enumerate(self.headings):
            table.add_column(heading, justify="right" if number else "left", no_wrap=not number)
        for row in self.rows:
            table.add_row(*row)
        return table

    def markdown(self) -> str:
        """For a page."""
        lines = [self.headings, ["---", *["--:"] * (len(self.headings) - 1)], *self.rows]
        return f"### {self.title}\n\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)


def reading(what: str, readings: Sequence[Reading]) -> Table:
    """Each tool's speed, and that of the first, which is ours, as a multiple of it, round by round."""
    ours = readings[0]
    rows = []
    for entry in readings:
        least, middle, most = ours.ratios(entry)
        cpu = statistics.median(cost.cpu_seconds for cost in entry.costs)
        memory = max(cost.anonymous_bytes for cost in entry.costs)
        speed = f"{entry.packets_per_second() / 1000:,.0f}"
        ratios = ["", ""] if entry is ours else [f"{middle:.2f}", f"{least:.2f} to {most:.2f}"]
        rows.append([entry.tool, speed, *ratios, f"{cpu:.2f}", f"{memory / 1e6:,.0f}"])
    headings = ["tool", "k packets/s", "times", "least to most", "CPU s", "anon. MB"]
    fastest = sorted(readings, key=Reading.packets_per_second, reverse=True)
    bars = [(entry.tool, entry.packets_per_second() / 1000) for entry in fastest]
    name = what.rsplit(maxsplit=1)[-1].lower()
    picture = Picture(name, f"{what}: thousand packets a second, start included", bars, ours.tool)
    title = f"{what}, {ours.packets:,} packets; times: as fast as the tool spanwatch is"
    return Table(title, headings, rows, picture)


def start(readings: Sequence[Reading]) -> Table:
    """What of each run of ours is not packets."""
    rows = [[entry.tool, f"{entry.wall_seconds():.3f}"] for entry in readings]
    return Table("Of which start, and a list of a million addresses", ["what", "s"], rows)


def growth(title: str, steps: Sequence[Step]) -> Table:
    """The cost of a packet, and how it grows from the first step."""
    rows = [
        [
            step.label,
            f"{step.nanoseconds:,.0f}",
            f"{step.nanoseconds / steps[0].nanoseconds:.2f}",
            f"{step.anonymous_bytes / 1e6:,.0f}",
        ]
        for step in steps
    ]
    what = title.rsplit(maxsplit=1)[-1]
    picture = Picture(what, f"{title}: nanoseconds a packet", [(step.label, step.nanoseconds) for step in steps])
    return Table(title, [what, "ns a packet", "times the first", "anon. MB"], rows, picture)


def memory(each: Sequence[tuple[str, float]]) -> Table:
    """What one more of something takes."""
    return Table("Memory", ["what", "bytes"], [[what, f"{size:,.0f}"] for what, size in each])


def shares(title: str, unit: str, costs: Mapping[str, float]) -> Table:
    """Costs a packet, and the share that each has."""
    total = sum(costs.values())
    rows = [[what, f"{cost:,.1f}", f"{cost / total:.1%}"] for what, cost in costs.items()]
    return Table(title, ["what", unit, "share"], [*rows, ["all", f"{total:,.1f}", ""]])


def live(results: Sequence[LiveResult]) -> Table:
    """Each recorder at the same offered rate."""
    rows = [
        [
            result.tool,
            f"{result.offered_packets_per_second / 1000:,.0f}",
            f"{result.sent_packets:,}",
            f"{result.captured_packets:,}",
            f"{result.dropped_packets:,}",
            f"{result.cpu_seconds_per_million():.2f}",
            f"{result.machine_cpu_seconds_per_million():.2f}",
            f"{result.anonymous_bytes / 1e6:,.0f}",
        ]
        for result in results
    ]
    headings = ["recorder", "k/s", "sent", "captured", "lost", "CPU s/M", "machine", "MB"]
    return Table(
        "Live, writing everything; CPU seconds a million packets of the process, and of the machine without the sender",
        headings,
        rows,
    )


def latency(measured: Latency) -> Table:
    """From packet to line."""
    figures = (measured.median_seconds, measured.p99_seconds, measured.worst_seconds)
    row = [f"{measured.probes}", *[f"{seconds * 1000:.1f}" for seconds in figures]]
    return Table("From a packet to its alert's line, in ms", ["alerts", "median", "99th percentile", "worst"], [row])


def mails(result: MailResult) -> Table:
    """Whether the sensor followed."""
    row = [
        f"{result.rate:,}",
        f"{result.mails:,}",
        f"{result.dropped_frames:,}",
        f"{result.dropped_records:,}",
        f"{result.behind_seconds:.1f}",
        f"{result.cpu_seconds / result.mails * 1000:.2f}",
        f"{result.anonymous_bytes / 1e6:,.0f}",
    ]
    headings = ["mails a second", "logged", "frames lost", "records lost", "s behind", "CPU ms a mail", "MB"]
    return Table(f"Mail live, for {result.send_seconds:.0f} s", headings, [row])
