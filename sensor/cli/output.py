"""What commands print: tables, JSON lines, and nothing from outside that could steer a terminal."""

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sensor.alerts.text import escape

_LONGEST_CELL = 400


def printable(value: object) -> str:
    """Give any value as harmless text of one line; None as a dash."""
    return "-" if value is None else escape(str(value), _LONGEST_CELL)


def place_text(place: Mapping[str, Any]) -> str:
    """Say where a mirror hangs: `eth1: core-1 port Gi1/0/24 (uplink) vlan 20 by lldp`."""
    description = f" ({place['description']})" if place["description"] else ""
    vlan = f" vlan {place['vlan']}" if place["vlan"] else ""
    return f"{place['source']}: {place['switch']} port {place['port']}{description}{vlan} by {place['protocol']}"


def print_json(rows: Iterable[Mapping[str, object]]) -> None:
    """Print one JSON object a line; everything that is not ASCII is escaped."""
    for row in rows:
        print(json.dumps(row, default=str))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table: fitted to the terminal, or whole and plain when the output goes elsewhere."""
    cells = [[printable(value) for value in row] for row in rows]
    if sys.stdout.isatty():
        _print_fitted(columns, cells)
        return
    lines = [list(columns), *cells]
    widths = [max(len(line[index]) for line in lines) for index in range(len(columns))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _print_fitted(columns: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    # Late, because rich takes a tenth of a second and only a terminal needs it.
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for line in cells:
        table.add_row(*map(Text, line))  # Text, because a str would be read as markup
    Console(no_color="NO_COLOR" in os.environ).print(table)
