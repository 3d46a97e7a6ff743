"""docs/performance.md and its picture."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from html import escape
from pathlib import Path

from tests.bench.reading import OURS, Reading
from tests.bench.tables import Table

_BAR, _GAP, _LABEL, _WIDTH = 22, 8, 230, 820
_INTRODUCTION = """# Performance

What `make bench` measured: whole processes from start to exit over a generated office capture (380 bytes a packet on
average), page cache warm, all tools in turns within one run; live over a veth cable, the sender on a core of its own.
`spanwatch read` keeps flows, hosts, names and identity and holds a list of a million addresses; no ring, no log but
where it says so. Figures are medians of {rounds} rounds, of slow tools those of a single one, on {cpus} cores,
Linux {kernel}, Python {python}. They hold for one machine on one day: compare within a table.

![Reading a capture](performance.svg)

"""


def write(directory: Path, tables: Sequence[Table], readings: Sequence[Reading], rounds: int) -> None:
    """Writes performance.md and performance.svg into `directory`."""
    machine = {"cpus": os.cpu_count(), "kernel": platform.release(), "python": platform.python_version()}
    introduction = _INTRODUCTION.format(rounds=rounds, **machine)
    page = introduction + "\n".join(table.markdown() for table in tables)
    (directory / "performance.md").write_text(page)
    (directory / "performance.svg").write_text(bars(readings))


def bars(readings: Sequence[Reading]) -> str:
    """Packets a second of each tool as horizontal bars, the fastest first."""
    ordered = sorted(readings, key=Reading.packets_per_second, reverse=True)
    most = ordered[0].packets_per_second()
    height = len(ordered) * (_BAR + _GAP) + _GAP
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}">',
        "<style>text { font: 13px sans-serif; fill: #5a6672 }</style>",
        "<title>Thousand packets a second, start included</title>",
    ]
    for number, reading in enumerate(ordered):
        top = _GAP + number * (_BAR + _GAP)
        length = reading.packets_per_second() / most * (_WIDTH - _LABEL - 80)
        colour = "#0a7d5c" if reading.tool.startswith(OURS) else "#9aa5b1"
        text = f'y="{top + _BAR * 0.7:.0f}"'
        lines += [
            f'<text x="{_LABEL - 8}" {text} text-anchor="end">{escape(reading.tool)}</text>',
            f'<rect x="{_LABEL}" y="{top}" width="{length:.0f}" height="{_BAR}" rx="3" fill="{colour}"/>',
            f'<text x="{_LABEL + length + 6:.0f}" {text}>{reading.packets_per_second() / 1000:,.0f}</text>',
        ]
    return "\n".join([*lines, "</svg>", ""])
