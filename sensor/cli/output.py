"""What commands print: tables, JSON lines, and nothing from outside that could steer a terminal."""

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sensor.alerts.text import escape

if TYPE_CHECKING:
    from rich.table import Table

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
    if sys.stdout.isatty():
        # Late, because rich takes a tenth of a second and only a terminal needs it.
        from rich.console import Console  # noqa: PLC0415

        Console(no_color="NO_COLOR" in os.environ).print(fitted_table(columns, rows))
        return
    lines = [list(columns), *([printable(value) for value in row] for row in rows)]
    widths = [max(len(line[index]) for line in lines) for index in range(len(columns))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def fitted_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> "Table":
    """Make a table for a terminal, whose cells are folded where it is too wide."""
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(value)) for value in row))  # Text, because a str would be read as markup
    return table
