"""The alert log: one line an event, for people who tail it."""

import errno
import logging
import os
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from sensor.alerts.incident import Event, Kind
from sensor.alerts.text import stamp

_log = logging.getLogger(__name__)
_CHECK_SECONDS = 1.0
_COMPLAIN_SECONDS = 60.0
_MODE = 0o640

MOST_WAITING = 10_000
"""Lines that are kept while the file cannot be written."""


def format_line(event: Event) -> str:
    """Give an event as its line, without the line's end; groups of columns are two spaces apart."""
    head = f"{stamp(event.time_ns)} {event.kind:<6}"
    if event.kind is Kind.ALIVE:
        return "  ".join((head.rstrip(), *event.groups))
    return "  ".join((f"{head} {event.severity.word:<6} {event.rule:<12}", f"#{event.incident}", *event.groups))


class AlertLog:
    """Appends lines, one write(2) each. A file that was rotated away is noticed within a second.

    While the file cannot be written, lines wait, at most `MOST_WAITING`; the oldest beyond that are lost and counted
    in `dropped`. It is said once a minute, and nothing else is affected.
    """

    def __init__(self, path: Path, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.path = path
        self.written = 0
        self.dropped = 0
        self.error: str | None = None
        self._monotonic = monotonic
        self._waiting: deque[bytes] = deque()
        self._descriptor: int | None = None
        self._checked_at = 0.0
        self._complained_at: float | None = None

    def write(self, event: Event) -> None:
        """Append an event."""
        self._waiting.append((format_line(event) + "\n").encode())
        if len(self._waiting) > MOST_WAITING:
            self._waiting.popleft()
            self.dropped += 1
        self.flush()

    def flush(self) -> None:
        """Write what waits, if it can be written; the file is there afterwards even if nothing did."""
        try:
            self._current_descriptor()
            while self._waiting:
                self._append(self._waiting[0])
                self._waiting.popleft()
                self.written += 1
        except OSError as error:
            self._failed(error)
            return
        if self.error is not None:
            _log.warning("%s is written again; %d lines were lost in all", self.path, self.dropped)
            self.error = None
            self._complained_at = None

    def close(self) -> None:
        """Close the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _append(self, line: bytes) -> None:
        descriptor = self._current_descriptor()
        written = os.write(descriptor, line)
        if written < len(line):
            # A disk that is all but full took a part: end it, so that the next line is whole again.
            os.ftruncate(descriptor, os.fstat(descriptor).st_size - written)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _current_descriptor(self) -> int:
        now = self._monotonic()
        if self._descriptor is not None and now - self._checked_at >= _CHECK_SECONDS:
            self._checked_at = now
            if not self._is_current(self._descriptor):
                self.close()
        if self._descriptor is None:
            self._descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, _MODE)
            self._checked_at = now
        return self._descriptor

    def _is_current(self, descriptor: int) -> bool:
        try:
            there = self.path.stat()
        except OSError:
            return False
        opened = os.fstat(descriptor)
        return (there.st_dev, there.st_ino) == (opened.st_dev, opened.st_ino)

    def _failed(self, error: OSError) -> None:
        self.error = error.strerror or str(error)
        self.close()
        now = self._monotonic()
        if self._complained_at is None or now - self._complained_at >= _COMPLAIN_SECONDS:
            self._complained_at = now
            _log.error("%s cannot be written: %s: alerts wait to be written there", self.path, self.error)
