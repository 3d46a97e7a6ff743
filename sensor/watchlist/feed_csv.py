"""Feeds in CSV as abuse.ch publishes them: `#` comments, of which one may be the header, and quoted values."""

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter

from sensor.alerts.text import counted
from sensor.watchlist.lines import lines_of
from sensor.watchlist.table import Place, Table

Cells = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CsvFeed:
    """A feed in CSV: which columns are wanted, without which it is another file, and what a missing header means.

    `usual_header` is empty where the header is never left out. There are at least two `wanted` columns.
    """

    name: str
    wanted: Sequence[str]
    required: frozenset[str]
    usual_header: Sequence[str] = ()

    def rows(self, text: bytes, table: Table) -> Iterator[tuple[Place, Cells]]:
        """Give the wanted columns of each row, an absent one empty; refuse the rows that cannot be read.

        Raises ValueError when there is no header.
        """
        header: Sequence[str] = ()
        pick: Callable[[Sequence[str]], Cells] = tuple
        for place, line in lines_of(text, table):
            is_comment = line.startswith("#")
            if is_comment and header:
                continue
            cells = split(line.lstrip("# ") if is_comment else line)
            if not header:
                names = [cell.strip().lower() for cell in cells]
                is_header = self.required <= set(names)
                if not is_header and is_comment:
                    continue
                header = names if is_header else self._usual_header(len(cells))
                pick = self._picker(header)
                if is_header:
                    continue
            if len(cells) != len(header):
                table.refuse(place, _fault(cells, header))
                continue
            yield place, pick([*cells, ""])
        if not header:
            raise ValueError(f"no line with the columns of {self.name}")

    def _usual_header(self, length: int) -> Sequence[str]:
        if not self.usual_header or length != len(self.usual_header):
            raise ValueError(f"the first line is not the header of {self.name} (it needs {self._needs()})")
        return self.usual_header

    def _needs(self) -> str:
        return " and ".join(sorted(self.required))

    def _picker(self, header: Sequence[str]) -> Callable[[Sequence[str]], Cells]:
        """Give what takes the wanted columns out of a row behind which an empty cell stands."""
        return itemgetter(*(header.index(name) if name in header else -1 for name in self.wanted))


def split(line: str) -> list[str]:
    """Split one line of CSV; no cells where a quote stands wrong or is never closed."""
    if line.startswith('"') and line.endswith('"'):
        # Every value in quotes and no quote within one, which nearly all rows are, takes no reader.
        cells = line[1:-1].replace('", "', '","').split('","')
        if line.count('"') == 2 * len(cells):
            return cells
    try:
        return next(csv.reader((line,), strict=True, skipinitialspace=True))
    except (csv.Error, StopIteration):
        return []


def without_none(cells: list[str]) -> list[str]:
    """Empty the cells that say `None`, which abuse.ch's exports do for nothing."""
    return ["" if cell == "None" else cell for cell in cells] if "None" in cells else cells


def _fault(cells: Sequence[str], header: Sequence[str]) -> str:
    if not cells:
        return "not CSV: a quote stands wrong or is never closed"
    return f"{counted(len(cells), 'column')} where the header has {len(header)}"
