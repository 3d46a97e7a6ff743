"""Where records lie: `kind=K/day=YYYY-MM-DD/hour=HH/*.parquet` below one directory, days and hours in UTC.

A file appears under its final name whole and synced. Files of other names are somebody else's and never touched.
"""

import os
import re
import secrets
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from sensor.alerts.text import HOUR, NS_PER_SECOND
from sensor.whole_file import sync

HOUR_NS = HOUR * NS_PER_SECOND

WORK = ".work"
"""Directory of files that are being made, beside the kinds; whatever a start finds there is of no use any more."""

_DAY = re.compile(r"day=(\d{4}-\d\d-\d\d)")
_HOUR = re.compile(r"hour=([01]\d|2[0-3])")
_OWN = re.compile(r"(?:part-[0-9a-f]{16}|hour-(?P<id>[0-9a-f]{8})-(?P<generation>\d+)-\d+)\.parquet")
_DAMAGED = ".damaged"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Made(NamedTuple):
    """Which compaction of an hour a file is of: the same id while rows are only added, one more at each."""

    id: str
    generation: int


class Hour(NamedTuple):
    """All records of a kind in one hour, by its number since 1970."""

    number: int
    kind: str

    @property
    def end_ns(self) -> int:
        """The time at which it is over."""
        return (self.number + 1) * HOUR_NS


def hour_number(time_ns: int) -> int:
    """Give the number of the hour that a time lies in."""
    return time_ns // HOUR_NS


def hour_directory(root: Path, hour: Hour) -> Path:
    """Give the directory of an hour."""
    moment = _EPOCH + timedelta(hours=hour.number)
    return root / f"kind={hour.kind}" / f"day={moment:%Y-%m-%d}" / f"hour={moment:%H}"


def hours(root: Path, kind: str) -> list[int]:
    """Give the numbers of the hours that there is a directory of, the oldest first."""
    found = []
    for day in _matching(root / f"kind={kind}", _DAY):
        try:
            first = _first_hour(day[1])
        except ValueError:
            continue
        found += [first + int(hour[1]) for hour in _matching(root / f"kind={kind}" / day[0], _HOUR)]
    return sorted(found)


def hour_of(file: Path) -> int:
    """Give the number of the hour that a file lies under. ValueError: it lies under none."""
    day, hour = map(re.fullmatch, (_DAY, _HOUR), file.parts[-3:-1])
    if day is None or hour is None:
        raise ValueError(f"{file}: lies in no hour of the history")
    return _first_hour(day[1]) + int(hour[1])


def hour_files(root: Path, hour: Hour) -> list[Path]:
    """Give the files of an hour."""
    directory = hour_directory(root, hour)
    return sorted(directory / name[0] for name in _matching(directory, _OWN))


def files(root: Path, kind: str, since_ns: int | None = None, until_ns: int | None = None) -> list[Path]:
    """Give the files that may hold records of a time, by hours, the oldest first.

    A file may be replaced between this call and its opening, when its hour is compacted or too old: whoever finds one
    missing asks again.
    """
    first = 0 if since_ns is None else hour_number(since_ns)
    wanted = [
        number
        for number in hours(root, kind)
        if number >= first and (until_ns is None or number <= hour_number(until_ns))
    ]
    return [file for number in wanted for file in hour_files(root, Hour(number, kind))]


def made(file: Path) -> Made | None:
    """Say which compaction made a file; None of one that waits to be compacted."""
    match = _OWN.fullmatch(file.name)
    return Made(match["id"], int(match["generation"])) if match and match["id"] else None


def latest(files: Iterable[Path]) -> Made | None:
    """Give the last compaction that made any of these files, None if none is compacted."""
    return max(filter(None, map(made, files)), default=None)


def is_summed(root: Path, number: int) -> bool:
    """Whether the rollup of an hour tells of all its flows: the same compaction has made both."""
    flows = set(map(made, hour_files(root, Hour(number, "flow"))))
    return len(flows) == 1 and flows == set(map(made, hour_files(root, Hour(number, "rollup"))))


def part_name() -> str:
    """Give a new name for records as they came."""
    return f"part-{secrets.token_hex(8)}.parquet"


def compacted_name(of: Made, place: int) -> str:
    """Give the name of a compacted file, one of several in a large hour."""
    return f"hour-{of.id}-{of.generation}-{place}.parquet"


def is_own(name: str) -> bool:
    """Whether a file is one of the history's, sound or damaged."""
    return _OWN.fullmatch(name.removesuffix(_DAMAGED)) is not None


def set_aside(file: Path) -> Path:
    """Rename a damaged file so that no search finds it; gives its new path. OSError: it cannot be."""
    aside = file.with_name(file.name + _DAMAGED)
    file.replace(aside)
    return aside


def make_directory(path: Path) -> None:
    """Make a directory that survives a power failure, and those above it."""
    if path.is_dir():
        return
    make_directory(path.parent)
    path.mkdir(exist_ok=True)
    sync(path.parent)


def _first_hour(day: str) -> int:
    return (datetime.fromisoformat(day).replace(tzinfo=UTC) - _EPOCH) // timedelta(hours=1)


def _matching(directory: Path, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
    try:
        names = [entry.name for entry in os.scandir(directory)]
    except (FileNotFoundError, NotADirectoryError):
        return
    yield from filter(None, map(pattern.fullmatch, names))
