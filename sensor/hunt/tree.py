"""The files of the history, by kind and hour."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

HOUR_NS = 3600 * 1_000_000_000
_LATE_HOURS = 2
_FILES = "*.parquet"
_UNSORTED = "part-*.parquet"
_DAY = re.compile(r"day=(\d{4})-(\d{2})-(\d{2})")
_HOUR = re.compile(r"hour=(\d{2})")

ALL_TIME_NS = (0, (1 << 63) - 1)
"""A window that leaves nothing out."""

Hour = int
"""Hours since 1970."""


@dataclass(frozen=True, slots=True)
class Window:
    """From when to when, nanoseconds since 1970, both included."""

    since_ns: int = ALL_TIME_NS[0]
    until_ns: int = ALL_TIME_NS[1]

    @property
    def is_bounded(self) -> bool:
        """Whether it leaves anything out."""
        return self != Window()

    def holds(self, hour: Hour) -> bool:
        """Whether records of this hour may be in it: a record is filed under the time at which it was complete."""
        first, last = self.since_ns // HOUR_NS, self.until_ns // HOUR_NS + _LATE_HOURS
        return first <= hour <= last


class Tree:
    """What lies below the history's directory; files are listed when they are asked for."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def hours(self, kind: str, window: Window) -> list[Hour]:
        """Give the hours that have files of a kind, the newest first. OSError: a directory cannot be read."""
        base = self.directory / f"kind={kind}"
        found = []
        for day in _directories(base):
            for hour in _directories(day):
                number = _hour_of(day.name, hour.name)
                if number is not None and window.holds(number) and next(hour.glob(_FILES), None) is not None:
                    found.append(number)
        return sorted(found, reverse=True)

    def files(self, kind: str, hours: Iterable[Hour]) -> list[Path]:
        """Give the files of a kind in these hours."""
        return [path for hour in hours for path in sorted(self._directory(kind, hour).glob(_FILES))]

    def is_closed(self, hour: Hour) -> bool:
        """Whether the flows of an hour are all in its rollup: none lies there as it came."""
        return next(self._directory("flow", hour).glob(_UNSORTED), None) is None

    def _directory(self, kind: str, hour: Hour) -> Path:
        moment = datetime.fromtimestamp(hour * 3600, UTC)
        return self.directory / f"kind={kind}" / f"day={moment:%Y-%m-%d}" / f"hour={moment:%H}"


def hour_of_file(path: str) -> Hour:
    """Give the hour that a file of the tree is filed under."""
    day, hour = Path(path).parts[-3:-1]
    found = _hour_of(day, hour)
    if found is None:
        raise ValueError(f"{path}: lies in no hour of the history")
    return found


def _directories(base: Path) -> list[Path]:
    try:
        return [path for path in base.iterdir() if path.is_dir()]
    except FileNotFoundError:
        return []


def _hour_of(day: str, hour: str) -> Hour | None:
    found, hours = _DAY.fullmatch(day), _HOUR.fullmatch(hour)
    if found is None or hours is None:
        return None
    try:
        moment = datetime(*map(int, (*found.groups(), hours[1])), tzinfo=UTC)  # type: ignore[misc,arg-type]
    except ValueError:
        return None
    return int(moment.timestamp()) // 3600
