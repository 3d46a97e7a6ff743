"""docs/performance.md and its pictures."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from html import escape
from pathlib import Path

from tests.bench.tables import Picture, Table

_BAR, _GAP, _LABEL, _WIDTH = 22, 8, 230, 820
_INTRODUCTION = """# Performance

What `make bench` measured: whole processes from start to exit over a generated office capture (380 bytes a packet on
average), page cache warm, all tools in turns within one run; live over a veth cable, the sender on a core of its own.
`spanwatch read` keeps flows, hosts, names and identity and holds a list of a million addresses; no ring, no log but
where it says so; as many workers as there are processors, and one where growth is measured. The report is measured
beside one pass of tshark that only filters, the library beside pyshark with the same question and a display filter,
both over the phishing case hidden in the office. Figures are medians of {rounds} rounds, of slow tools those of one,
on {cpus} cores, Linux {kernel}, Python {python}.
The cost by live flows is from the fastest rounds. They hold for one machine on one day: compare within a table.
[Where the limit lies](adr/0011-speed-and-its-limit.md).

"""


def write(directory: Path, tables: Sequence[Table], rounds: int) -> None:
    """Writes performance.md and its pictures into `directory`."""
    machine = {"cpus": os.cpu_count(), "kernel": platform.release(), "python": platform.python_version()}
    (directory / "performance.md").write_text(
        _INTRODUCTION.format(rounds=rounds, **machine) + "\n".join(map(_section, tables))
    )
    for picture in (table.picture for table in tables if table.picture):
        (directory / _file(picture)).write_text(bars(picture))


def _section(table: Table) -> str:
    picture = f"\n![{table.picture.title}]({_file(table.picture)})\n" if table.picture else ""
    return table.markdown() + picture


def _file(picture: Picture) -> str:
    return f"performance-{picture.name}.svg"


def bars(picture: Picture) -> str:
    """Each figure as a horizontal bar."""
    most = max(length for _, length in picture.bars)
    height = len(picture.bars) * (_BAR + _GAP) + _GAP
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}">',
        "<style>text { font: 13px sans-serif; fill: #5a6672 }</style>",
        f"<title>{escape(picture.title)}</title>",
    ]
    for number, (label, figure) in enumerate(picture.bars):
        top = _GAP + number * (_BAR + _GAP)
        length = figure / most * (_WIDTH - _LABEL - 80)
        colour = "#0a7d5c" if label.startswith(picture.marked) else "#9aa5b1"
        text = f'y="{top + _BAR * 0.7:.0f}"'
        lines += [
            f'<text x="{_LABEL - 8}" {text} text-anchor="end">{escape(label)}</text>',
            f'<rect x="{_LABEL}" y="{top}" width="{length:.0f}" height="{_BAR}" rx="3" fill="{colour}"/>',
            f'<text x="{_LABEL + length + 6:.0f}" {text}>{figure:,.0f}</text>',
        ]
    return "\n".join([*lines, "</svg>", ""])
