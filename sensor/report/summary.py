"""The report for a terminal: the strongest rows of each section that has any."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sensor.report.sections import SECTIONS, Section

SHOWN_ROWS = 5
"""Rows of a section."""

_MOST_COLUMNS = 5
_LONGEST_CELL = 60
_LEFT_OUT = frozenset({"conversations", "hosts", "attackers"})

PrintTable = Callable[[Sequence[str], Iterable[Sequence[object]]], None]


def print_summary(document: Mapping[str, Any], print_table: PrintTable) -> None:
    """Print what was found, a table a section, with the printer of the command line."""
    for section in SECTIONS:
        rows = document[section.key]
        if rows and section.key not in _LEFT_OUT:
            _print_section(section, rows, print_table)
    print(f"\nMirror: {document['mirror']['verdict']}")


def _print_section(section: Section, rows: Sequence[Mapping[str, Any]], print_table: PrintTable) -> None:
    print(f"\n{section.title}")
    columns = section.columns[:_MOST_COLUMNS]
    cells = [[section.marks(row), *(_short(column.text(row)) for column in columns)] for row in rows[:SHOWN_ROWS]]
    print_table(["", *(column.title for column in columns)], cells)
    if len(rows) > SHOWN_ROWS:
        print(f"and {len(rows) - SHOWN_ROWS:,} more")


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_CELL else f"{text[: _LONGEST_CELL - 1]}…"
