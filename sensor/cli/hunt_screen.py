"""What a terminal shows while a hunt goes on: whom it has found so far, and how many hours are read."""

import os
import sys
from collections.abc import Callable, Sequence
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn

from sensor.cli.output import fitted_table
from sensor.cli.sightings import COLUMNS, Announcement, cells
from sensor.hunt.answer import Sighting
from sensor.hunt.window import Window

_LINES_BESIDES = 4


class HuntScreen(Announcement):
    """A table that fills, above a bar; both are gone at the end, and notes stay above them."""

    shows_early = True

    def __init__(self, window: Window, note: Callable[[str], None]) -> None:
        super().__init__(window, note)
        self._console = Console(no_color="NO_COLOR" in os.environ)
        self._bar = Progress(BarColumn(), TextColumn("{task.description}"), console=self._console)
        self._task = self._bar.add_task("looking for what records show", total=None)
        self._live = Live(self._bar, console=self._console, transient=True, redirect_stderr=sys.stderr.isatty())

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self, found: Sequence[Sighting], done_hours: int, hours: int) -> None:
        """Show the newest, as many as there is place for."""
        self._bar.update(
            self._task, completed=done_hours, total=hours, description=f"{done_hours:,} of {hours:,} hours read"
        )
        place = max(1, self._console.height - _LINES_BESIDES)
        table = fitted_table(COLUMNS, map(cells, found[:place]))
        self._live.update(Group(table, self._bar) if found else self._bar)
