"""Which format a list is in, by its first line that says something."""

import csv
from typing import Literal

from sensor.watchlist import feodo

Format = Literal["plain", "csv", "feodo"]

# A header stands at the top; comments before it are a few kilobytes at most.
_HEAD_BYTES = 64 * 1024


def detect(text: bytes) -> Format:
    """Guess the format: the sensor's own CSV and Feodo Tracker's have a header, everything else is plain."""
    cells = _first_cells(text[:_HEAD_BYTES].removeprefix(b"\xef\xbb\xbf").decode("utf-8", errors="replace"))
    if "indicator" in cells:
        return "csv"
    return "feodo" if cells >= feodo.REQUIRED_COLUMNS else "plain"


def _first_cells(head: str) -> frozenset[str]:
    for line in head.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            return frozenset(cell.strip().lower() for cell in next(csv.reader([line]), []))
    return frozenset()
