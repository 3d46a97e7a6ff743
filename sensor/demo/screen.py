"""What the demo shows: a live screen on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from sensor.alerts.incident import Event, Kind
from sensor.alerts.log import format_line
from sensor.api.live import LiveView
from sensor.demo.outcome import Outcome
from sensor.demo.stage import Stage

_HOSTS_SHOWN = 12
_SEGMENTS_SHOWN = 4
_PLAIN_SECONDS = 5.0
_STYLES = {Kind.OPEN: "bold red", Kind.UPDATE: "yellow", Kind.CLOSE: "green", Kind.ALIVE: "dim"}


class Screen(Protocol):
    """Shows the running sensor."""

    def shown(self) -> AbstractContextManager[object]:
        """The time in which it may be drawn to."""

    def event(self, event: Event) -> None:
        """A new line of the alert log."""

    def refresh(self, view: LiveView) -> None:
        """Called four times a second."""


def screen_for(stage: Stage, outcome: Outcome) -> Screen:
    """A live screen if standard output is a terminal."""
    console = Console()
    return LiveScreen(console, stage, outcome) if console.is_terminal else PlainScreen(stage)


class PlainScreen:
    """Lines for a pipe or a log: each alert as it comes, the figures now and then."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._next = 0.0

    def shown(self) -> AbstractContextManager[object]:
        """Says where everything is."""
        _say(f"ring {self._stage.config.pcap_ring.directory}, metrics {self._stage.metrics_url}")
        _say(f"ask it from another shell: spanwatch hosts -c {self._stage.config_file}")
        return nullcontext()

    def event(self, event: Event) -> None:
        """Prints the line."""
        _say(format_line(event))

    def refresh(self, view: LiveView) -> None:
        """Prints the figures every few seconds."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _PLAIN_SECONDS
        _say(_figures(view))
        for row in view.hosts("", "rate", 3):
            _say("  " + "  ".join(_host_cells(row)))


class LiveScreen:
    """One page of the terminal, drawn over again."""

    def __init__(self, console: Console, stage: Stage, outcome: Outcome) -> None:
        self._stage = stage
        self._outcome = outcome
        self._live = Live(console=console, auto_refresh=False, transient=False)

    def shown(self) -> AbstractContextManager[object]:
        """Takes the terminal."""
        return self._live

    def event(self, event: Event) -> None:
        """The next refresh shows it."""

    def refresh(self, view: LiveView) -> None:
        """Draws everything."""
        self._live.update(self._page(view), refresh=True)

    def _page(self, view: LiveView) -> Group:
        alerts = [Text(format_line(event), style=_STYLES[event.kind]) for event in self._outcome.latest]
        return Group(
            Text("spanwatch demo: an office of 40 hosts behind a mirror port of its own", style="bold"),
            Text(_figures(view)),
            Text(f"metrics {self._stage.metrics_url}   other shells: spanwatch hosts -c {self._stage.config_file}"),
            Text(),
            _host_table(view.hosts("", "rate", _HOSTS_SHOWN)),
            Text(),
            Text("Alerts", style="bold"),
            *(alerts or [Text("none yet", style="dim")]),
            Text(),
            Text(f"Ring {self._stage.config.pcap_ring.directory}", style="bold"),
            *map(Text, _segments(self._stage.config.pcap_ring.directory)),
        )


def _say(line: str) -> None:
    print(line, flush=True)


def _figures(view: LiveView) -> str:
    counters = view.scrape().counters
    captured = sum(interface["captured_frames"] for interface in counters["interfaces"])
    dropped = sum(interface["kernel_dropped_frames"] for interface in counters["interfaces"])
    return (
        f"mirror {view.health.verdict}: {captured:,} frames, {dropped:,} dropped, "
        f"{counters['hosts']['active']} hosts, {counters['flows']['active']:,} flows"
    )


def _host_table(rows: Sequence[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("Host", "MAC", "VLAN"):
        table.add_column(heading)
    for heading in ("Peers", "Flows", "Out kB/s", "In kB/s"):
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(*_host_cells(row))
    return table


def _host_cells(row: dict[str, Any]) -> tuple[str, ...]:
    return (
        row["ip"],
        row["mac"] or "-",
        ".".join(map(str, row["vlan"])) or "-",
        str(row["peers"]),
        str(row["flows"]),
        f"{row['bytes_out_per_second'] / 1000:.1f}",
        f"{row['bytes_in_per_second'] / 1000:.1f}",
    )


def _segments(directory: Path) -> list[str]:
    """The newest files of the ring with their sizes."""
    sizes = []
    for path in sorted(directory.glob("*.pcap*"), key=lambda path: path.name)[-_SEGMENTS_SHOWN:]:
        try:
            sizes.append(f"{path.name}  {path.stat().st_size / 1e6:.1f} MB")
        except FileNotFoundError:  # renamed or deleted by the ring just now
            continue
    return sizes
