"""The hours of the history that a search looks at."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sensor.history.tree import Hour, hour_files, hour_number, hours, is_summed

_LATE_HOURS = 2

ALL_TIME_NS = (0, (1 << 63) - 1)
"""A window that leaves nothing out."""


@dataclass(frozen=True, slots=True)
class Window:
    """From when to when, nanoseconds since 1970, both included."""

    since_ns: int = ALL_TIME_NS[0]
    until_ns: int = ALL_TIME_NS[1]

    @property
    def is_bounded(self) -> bool:
        """Whether it leaves anything out."""
        return self != Window()

    def holds(self, number: int) -> bool:
        """Whether records of an hour may be in it: a record is filed under the time at which it was complete."""
        return hour_number(self.since_ns) <= number <= hour_number(self.until_ns) + _LATE_HOURS


class Tree:
    """What lies below the history's directory; files are listed when they are asked for. Hours are given by number."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def hours(self, kind: str, window: Window) -> list[int]:
        """Give the hours that have files of a kind, the newest first. OSError: a directory cannot be read."""
        found = (number for number in reversed(hours(self.directory, kind)) if window.holds(number))
        return [number for number in found if hour_files(self.directory, Hour(number, kind))]

    def files(self, kind: str, numbers: Iterable[int]) -> list[Path]:
        """Give the files of a kind in these hours."""
        return [path for number in numbers for path in hour_files(self.directory, Hour(number, kind))]

    def is_summed(self, number: int) -> bool:
        """Whether the rollup of an hour tells of all its flows."""
        return is_summed(self.directory, number)
