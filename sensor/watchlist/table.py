"""What an importer gives: rows of the sensor's own CSV, each with the place in the feed that it comes from."""

import io
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

Place = int
"""A place in the feed as `line << 32 | column`, both from 1: a list has millions, and a number is kept in 8 bytes."""

Refused = tuple[int, int, str]
"""Line and column in the feed, and why what stands there is not used."""

MOST_REFUSED_TOLD = 1000
"""Refusals of one list that are told; more are only counted. The core tells as many."""

LONGEST_INDICATOR = 8192
"""In characters. With every other column at its longest a row stays below the 64 KiB that the core reads."""

LONGEST_REASON = 400
"""In characters."""

_LONGEST_CELL = 300
_LONGEST_EXCERPT = 60
# Few enough not to make the garbage collector look at them while they wait.
_ROWS_A_CHUNK = 512
_COLUMN_BITS = 32


def place_at(line: int, column: int) -> Place:
    """Give a line and a column as one number."""
    return line << _COLUMN_BITS | column


def line_and_column(place: Place) -> tuple[int, int]:
    """Give the two numbers of a place."""
    return place >> _COLUMN_BITS, place & ((1 << _COLUMN_BITS) - 1)


@dataclass(frozen=True, slots=True)
class Conversion:
    """A feed in the sensor's own CSV, with the place of each row below the header, and what the importer refused."""

    text: bytes
    places: "array[Place]"
    refused: list[Refused]
    refused_total: int

    def source(self, csv_line: int) -> tuple[int, int]:
        """Give line and column in the feed of a line of the CSV; of the header the feed's beginning."""
        index = csv_line - 2
        return line_and_column(self.places[index]) if 0 <= index < len(self.places) else (1, 1)


class Table:
    """Collects the rows of a feed. The columns are `type`, `indicator` and those given, named as in the own CSV."""

    def __init__(self, *columns: str) -> None:
        # `type` stands first, so that no indicator can make its row a comment.
        self._text = io.BytesIO()
        self._text.write((",".join(("type", "indicator", *columns)) + "\n").encode())
        self._commas = len(columns) + 1
        self._waiting: list[Sequence[str]] = []
        self._waiting_places: list[Place] = []
        self._places = array("Q")
        self._refused: list[Refused] = []
        self._refused_total = 0

    def add(self, place: Place, cells: Sequence[str]) -> None:
        """Add a row. The core judges the indicator; what could break the CSV or a terminal goes no further."""
        self._waiting.append(cells)
        self._waiting_places.append(place)
        if len(self._waiting) == _ROWS_A_CHUNK:
            self._pack()

    def refuse(self, place: Place, reason: str) -> None:
        """Count what is not used, and tell it if it is among the first."""
        self._refused_total += 1
        if len(self._refused) < MOST_REFUSED_TOLD:
            self._refused.append((*line_and_column(place), harmless(reason, LONGEST_REASON)))

    def finish(self) -> Conversion:
        """Give everything; the table takes no more."""
        self._pack()
        return Conversion(self._text.getvalue(), self._places, sorted(self._refused), self._refused_total)

    def _pack(self) -> None:
        """Put rows away as bytes, which take a fourth of the memory. Nearly all rows are plain, and judged together."""
        rows = list(map(",".join, self._waiting))
        together = "".join(rows)
        commas = together.count(",")
        is_harmless = '"' not in together and together.isprintable()
        if is_harmless and max(map(len, rows), default=0) <= _LONGEST_CELL:
            self._places.fromlist(self._waiting_places)
            if commas != self._commas * len(rows):
                rows = [
                    row if row.count(",") == self._commas else _quoted(cells)
                    for row, cells in zip(rows, self._waiting, strict=True)
                ]
        else:
            rows = list(filter(None, map(self._careful_row, self._waiting_places, self._waiting)))
        self._text.write("\n".join([*rows, ""]).encode())
        self._waiting.clear()
        self._waiting_places.clear()

    def _careful_row(self, place: Place, cells: Sequence[str]) -> str:
        """Give a row of any cells and keep its place; nothing if it is refused."""
        if any(len(cell) > _LONGEST_CELL or not cell.isprintable() for cell in cells):
            indicator = cells[1]
            reason = _fault(indicator)
            if reason:
                self.refuse(place, reason)
                return ""
            cells = [harmless(cell, _LONGEST_CELL) for cell in cells]
            cells[1] = indicator
        self._places.append(place)
        return _quoted(cells)


def _quoted(cells: Sequence[str]) -> str:
    """Give a row with quotes where they are needed (RFC 4180, section 2)."""
    return ",".join(['"' + cell.replace('"', '""') + '"' if "," in cell or '"' in cell else cell for cell in cells])


def _fault(indicator: str) -> str:
    """Say why the core need not see an indicator; nothing if it may."""
    if len(indicator) > LONGEST_INDICATOR:
        return f"longer than any indicator ({LONGEST_INDICATOR} characters)"
    if not indicator.isprintable():
        return f"a character that no indicator has, or text that is not UTF-8: {excerpt(indicator)}"
    return ""


def excerpt(text: str) -> str:
    """Give the beginning of foreign text in quotes, harmless, for a reason."""
    return f'"{harmless(text, _LONGEST_EXCERPT)}"'


def harmless(text: str, longest: int) -> str:
    """Cut foreign text, make white space plain, and put U+FFFD in place of what has no print."""
    if len(text) > longest:
        text = text[: longest - 1] + "…"
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in " ".join(text.split()))
