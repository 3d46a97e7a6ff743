"""Feeds in CSV as abuse.ch publishes them: `#` comments, of which one may be the header, and quoted values."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, repeat

from sensor.alerts.text import counted
from sensor.watchlist.lines import NEXT_LINE, lines_in, lines_of, pieces_of
from sensor.watchlist.table import Place, Table

Cells = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CsvFeed:
    """A feed in CSV: which columns are wanted, without which it is another file, and what a missing header means.

    What is `required` is wanted. `usual_header` is empty where the header is never left out.
    """

    name: str
    wanted: Sequence[str]
    required: frozenset[str]
    usual_header: Sequence[str] = ()

    def rows(self, text: bytes, table: Table) -> Iterator[tuple[Place, Cells]]:
        """Give the wanted columns of each row, empty where absent or `None`; refuse the rows that cannot be read.

        Raises ValueError when there is no header.
        """
        columns, first = self._columns(text)
        for place, piece in pieces_of(text):
            rows = columns.of_rows(piece) if place >= first else None
            if rows:
                yield from zip(count(place, NEXT_LINE), rows, strict=False)
                continue
            for at, line in lines_in(place, piece, table):
                if at < first or line.startswith("#"):
                    continue
                cells = split(line)
                if len(cells) == columns.number:
                    yield at, columns.of_row(cells)
                else:
                    table.refuse(at, _fault(cells, columns.number))

    def _columns(self, text: bytes) -> tuple["_Columns", Place]:
        """Give the columns, and the place of the first line that may be a row."""
        for place, line in lines_of(text, Table()):
            is_comment = line.startswith("#")
            cells = split(line.lstrip("# ") if is_comment else line)
            names = [cell.strip().lower() for cell in cells]
            if self.required <= set(names):
                return self._columns_of(names), place + NEXT_LINE
            if not is_comment:
                return self._columns_of(self._usual_header(len(cells))), place
        raise ValueError(f"no line with the columns of {self.name}")

    def _columns_of(self, header: Sequence[str]) -> "_Columns":
        wanted = [header.index(name) if name in header else None for name in self.wanted]
        return _Columns(len(header), wanted)

    def _usual_header(self, length: int) -> Sequence[str]:
        if not self.usual_header or length != len(self.usual_header):
            needs = " and ".join(sorted(self.required))
            raise ValueError(f"the first line is not the header of {self.name} (it needs {needs})")
        return self.usual_header


@dataclass(frozen=True, slots=True)
class _Columns:
    """How many columns a feed has, and the places of those that are wanted; None is one that it lacks."""

    number: int
    wanted: Sequence[int | None]

    def of_row(self, cells: list[str]) -> Cells:
        cells = without_none(cells)
        return tuple("" if column is None else cells[column] for column in self.wanted)

    def of_rows(self, piece: str) -> Iterator[Cells] | None:
        """Give the same of all lines of a piece; None if they are not as plain as `split_rows` needs them."""
        cells = split_rows('""'.join(piece.split('"None"')), self.number)
        if cells is None:
            return None
        step = self.number + 1
        return zip(*(repeat("") if column is None else cells[column::step] for column in self.wanted), strict=False)


def split_rows(piece: str, columns: int) -> list[str] | None:
    """Split lines of `columns` values at once, with a cell of its own, a line end, between each two of them.

    None unless every value of every line stands in quotes and has none within, which is so in nearly all pieces.
    """
    between = _between(piece)
    line_end = "\r\n" if piece.endswith("\r\n") else "\n"
    # Splitting and joining is several times as fast as replacing.
    lines = piece.removesuffix(line_end).split(f'"{line_end}"')
    marked = f"{between}\n{between}".join(lines)
    cells = marked[1:-1].split(between)
    line_ends = len(lines) - 1
    # With two quotes a cell none is within one, and with a line end a line none is within a value.
    is_plain = marked.startswith('"') and marked.endswith('"') and marked.count('"') == 2 * len(cells)
    is_even = len(cells) == columns * len(lines) + line_ends and cells[columns :: columns + 1] == ["\n"] * line_ends
    return cells if is_plain and is_even and marked.count("\n") == line_ends else None


def split(line: str) -> list[str]:
    """Split one line of CSV; no cells where a quote stands wrong or is never closed."""
    if line.startswith('"') and line.endswith('"'):
        # Every value in quotes and no quote within one, which nearly all rows are, takes no reader.
        cells = line[1:-1].split(_between(line))
        if line.count('"') == 2 * len(cells):
            return cells
    try:
        return next(csv.reader((line,), strict=True, skipinitialspace=True))
    except (csv.Error, StopIteration):
        return []


def _between(text: str) -> str:
    """Give what stands between values in quotes; another number of cells comes out where it does not everywhere."""
    return '", "' if '", "' in text else '","'


def without_none(cells: list[str]) -> list[str]:
    """Empty the cells that say `None`, which abuse.ch's exports do for nothing."""
    return ["" if cell == "None" else cell for cell in cells] if "None" in cells else cells


def _fault(cells: Sequence[str], columns: int) -> str:
    if not cells:
        return "not CSV: a quote stands wrong or is never closed"
    return f"{counted(len(cells), 'column')} where the header has {columns}"
