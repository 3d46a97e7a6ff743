"""What lies in the history, hour by hour, and which hours have to go."""

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from sensor.alerts.text import HOUR
from sensor.config.outputs import History as Settings
from sensor.history.schema import KINDS, ROLLUP
from sensor.history.tree import HOUR_NS, Hour, Made, hour_directory, hours, is_own, latest, made

ROLLUP_LIFE = 4
"""A rollup lives so many times as long as the records that it sums up."""


class _Content(NamedTuple):
    bytes: int
    parts: bool
    made: Made | None


class Inventory:
    """The bytes of each hour; deletes hours, the oldest first, by age, size and free space.

    An age counts from the newest record. A rollup counts as if it had a quarter of its age, by each limit. The newest
    hour always stays.
    """

    def __init__(self, settings: Settings) -> None:
        """Nothing is known until `scan`."""
        self.bytes = 0
        self.deleted = 0
        self._root = settings.directory
        self._settings = settings
        self._hours: dict[Hour, _Content] = {}

    def scan(self) -> None:
        """Look at everything."""
        self.refresh(Hour(number, kind) for kind in KINDS for number in hours(self._root, kind))

    def refresh(self, changed: Iterable[Hour]) -> None:
        """Look at some hours again."""
        for hour in changed:
            self._forget(hour)
            content = _content(hour_directory(self._root, hour))
            if content is not None:
                self.bytes += content.bytes
                self._hours[hour] = content

    def uncompacted(self, time_ns: int) -> list[Hour]:
        """Give the hours that were over at a time and in which something is to be done, the newest first."""
        return sorted((hour for hour in self._hours if hour.end_ns <= time_ns and self._is_due(hour)), reverse=True)

    @property
    def oldest_ns(self) -> int | None:
        """The beginning of the oldest hour that is there, rollups aside."""
        return min((hour.number * HOUR_NS for hour in self._hours if hour.kind != ROLLUP), default=None)

    def tidy(self) -> None:
        """Delete what has to go. OSError: something cannot be deleted."""
        newest = max((hour.number for hour in self._hours), default=0)
        excess = max(self.bytes - self._settings.max_size, self._settings.min_free - self._free_bytes())
        # What is missing is measured once: some file systems say only later that a file's space is free.
        for hour in sorted(self._hours, key=lambda hour: -_age_hours(hour, newest)):
            too_old = 0 < self._settings.max_age < _age_hours(hour, newest) * HOUR
            if hour.number == newest or not (too_old or excess > 0):
                break
            excess -= self._hours[hour].bytes
            self._delete(hour)

    def _is_due(self, hour: Hour) -> bool:
        content = self._hours[hour]
        if hour.kind == ROLLUP:
            return False
        rollup = self._hours.get(Hour(hour.number, ROLLUP))
        return content.parts or (hour.kind == "flow" and (rollup is None or rollup.made != content.made))

    def _free_bytes(self) -> int:
        status = os.statvfs(self._root)
        return status.f_bavail * status.f_frsize

    def _delete(self, hour: Hour) -> None:
        """Delete an hour's files, and directories that are empty then."""
        directory = hour_directory(self._root, hour)
        with contextlib.suppress(FileNotFoundError):
            for entry in list(directory.iterdir()):
                if is_own(entry.name):
                    entry.unlink(missing_ok=True)
        # Somebody else's files keep their directory.
        with contextlib.suppress(OSError):
            directory.rmdir()
            directory.parent.rmdir()
        self._forget(hour)
        self.deleted += 1

    def _forget(self, hour: Hour) -> None:
        known = self._hours.pop(hour, None)
        self.bytes -= known.bytes if known else 0


def _age_hours(hour: Hour, newest: int) -> float:
    """Give the age by which an hour is compared with others."""
    return (newest - hour.number) / (ROLLUP_LIFE if hour.kind == ROLLUP else 1)


def _content(directory: Path) -> _Content | None:
    """Say what the history's files in a directory are; None if there are none."""
    try:
        entries = [entry for entry in os.scandir(directory) if is_own(entry.name)]
        size = sum(entry.stat().st_size for entry in entries)
    except FileNotFoundError:
        return None
    if not entries:
        return None
    sound = [Path(entry.path) for entry in entries if entry.name.endswith(".parquet")]
    return _Content(size, not all(map(made, sound)), latest(sound))
