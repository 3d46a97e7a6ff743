"""A table whose rows move every second, under a cursor that stays on its row."""

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.coordinate import Coordinate
from textual.widgets import DataTable

from sensor.top.cells import Row
from sensor.top.question import Choice
from sensor.top.views import Column, View

_WIDEST = 47
_NARROWEST_FLEXIBLE = 10
_NARROWEST_SQUEEZED = 18
_KEPT_END = 9
_SCROLLBAR = 2
_MARKS = ("▼", "▲")


class LiveTable(DataTable[Text]):
    """Shows the rows of a view. Cells are Text and never markup: what a name holds is shown, not obeyed."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select_cursor", "host")]

    def __init__(self, view: View, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(cursor_type="row", cell_padding=0, zebra_stripes=False, id=id)
        self.view = view
        self.shown: list[Row] = []
        self._widths: dict[str, int] = {}
        self._layout: object = None
        self._lines: list[list[Text]] = []

    @property
    def selected(self) -> Row | None:
        """The row under the cursor."""
        return self.shown[self.cursor_row] if 0 <= self.cursor_row < len(self.shown) else None

    def forget_widths(self) -> None:
        """Measure the columns anew: the screen has another size."""
        self._widths.clear()

    def show(self, view: View, choice: Choice, rows: Sequence[Row]) -> None:
        """Show rows in the order given."""
        if view is not self.view:
            self.view = view
            self.forget_widths()
            self.shown = []
        followed = self._followed()
        texts = [[column.text(row) for column in view.columns] for row in rows]
        widths = self._measured(view, choice, texts)
        layout = (view.name, choice.column, choice.is_reversed, tuple(widths))
        self.shown = list(rows)
        lines = [self._line(row, line, widths) for row, line in zip(rows, texts, strict=True)]
        if layout != self._layout:
            self._layout = layout
            self._rebuild(choice, widths)
        self._fill(lines)
        self._follow(followed)

    def _followed(self) -> str | None:
        # On the first row the cursor stays on top, whatever is there.
        row = self.selected
        return self.view.identity(row) if row is not None and self.cursor_row > 0 else None

    def _follow(self, identity: str | None) -> None:
        if identity is None:
            return
        for place, row in enumerate(self.shown):
            if self.view.identity(row) == identity:
                self.move_cursor(row=place)
                return

    def _measured(self, view: View, choice: Choice, texts: Sequence[Sequence[str]]) -> list[int]:
        """Give the width of each column; a column does not shrink while the table is shown, so that nothing jumps."""
        for place, column in enumerate(view.columns):
            needed = max((cell_len(line[place]) for line in texts), default=0)
            needed = min(_WIDEST, max(needed, len(column.title) + len(_MARKS[0])))
            self._widths[column.title] = max(needed, self._widths.get(column.title, 0))
        widths = [self._widths[column.title] for column in view.columns]
        return _fitted(view.columns, widths, view.columns[choice.column], self.size.width)

    def _line(self, row: Row, texts: Sequence[str], widths: Sequence[int]) -> list[Text]:
        style = self.view.style(row)
        columns = zip(self.view.columns, texts, widths, strict=True)
        return [_cell(column, text, width, style) for column, text, width in columns if width]

    def _rebuild(self, choice: Choice, widths: Sequence[int]) -> None:
        self.clear(columns=True)
        self._lines = []
        for place, (column, width) in enumerate(zip(self.view.columns, widths, strict=True)):
            if not width:
                continue
            mark = _MARKS[column.number == choice.is_reversed] if place == choice.column else ""
            label = _cell(column, column.title + mark, width, "bold reverse" if mark else "bold")
            self.add_column(label, width=width + 1, key=column.title)

    def _fill(self, lines: list[list[Text]]) -> None:
        for place, line in enumerate(lines[: len(self._lines)]):
            for at, cell in enumerate(line):
                if cell != self._lines[place][at] or cell.style != self._lines[place][at].style:
                    self.update_cell_at(Coordinate(place, at), cell)
        for place in range(len(lines), len(self._lines)):
            self.remove_row(str(place))
        for place in range(len(self._lines), len(lines)):
            self.add_row(*lines[place], key=str(place))
        self._lines = lines


def _fitted(columns: Sequence[Column], widths: Sequence[int], sorted_by: Column, available: int) -> list[int]:
    """Give the widths as they fit, 0 for what is left out.

    Spare columns go first, unless one sorts; flexible ones take what is left, squeezable ones give if that is not
    enough.
    """
    fitted = list(widths)
    excess = sum(width + 1 for width in fitted) + _SCROLLBAR - available
    for place in reversed(range(len(columns))):
        if columns[place].spare and columns[place] is not sorted_by and excess > 0:
            excess -= fitted[place] + 1
            fitted[place] = 0
    for place, column in enumerate(columns):
        if column.flexible and excess > 0:
            cut = min(excess, max(0, fitted[place] - _NARROWEST_FLEXIBLE))
            fitted[place] -= cut
            excess -= cut
    squeezable = [place for place, column in enumerate(columns) if column.squeezable]
    while excess > 0 and squeezable:
        widest = max(squeezable, key=fitted.__getitem__)
        if fitted[widest] <= _NARROWEST_SQUEEZED:
            break
        fitted[widest] -= 1
        excess -= 1
    return fitted


def _cell(column: Column, text: str, width: int, style: str) -> Text:
    if column.squeezable and len(text) > width:
        text = f"{text[: width - _KEPT_END - 1]}…{text[-_KEPT_END:]}"
    cell = Text(text, style=style, overflow="ellipsis", no_wrap=True, end="")
    cell.align("right" if column.number and not column.is_word else "left", width)
    cell.append(" ")
    return cell
