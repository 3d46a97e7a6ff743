"""The history of one run: takes what is to be kept, and writes it in time."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from sensor.alerts.incident import Event
from sensor.alerts.text import NS_PER_SECOND
from sensor.config.outputs import History as Settings
from sensor.engine import Batch, SinkCounters
from sensor.history.compactor import Compactor
from sensor.history.inventory import Inventory
from sensor.history.lock import Lock
from sensor.history.numbers import HistoryNumbers
from sensor.history.rows import HostRows, alert_row
from sensor.history.schema import ALERT, ALERT_COLUMNS, HOST, HOST_COLUMNS, MAIL
from sensor.history.tree import Hour
from sensor.history.writer import BYTES_AT_ONCE, Writer
from sensor.identity.naming import Identities

if TYPE_CHECKING:
    from sensor._native import RecordBatch

_log = logging.getLogger(__name__)

FLUSH_SECONDS = 30.0
"""Records are written at the latest after so long."""

GRACE_NS = 120 * NS_PER_SECOND
"""An hour is compacted when packet time has been beyond it for so long."""

ALL_NS = 1 << 64
"""Later than any record."""

MOST_POSTED = 10_000
"""Alerts, and batches of mails, that may wait for the disk; the oldest beyond that are lost and counted."""


class History:
    """Keeps records below one directory. `take` and `note` may be called from any thread, the rest from one."""

    def __init__(
        self,
        settings: Settings,
        identities: Identities,
        since_ns: int = 0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """What was heard of hosts before `since_ns` is told already.

        Raises OSError if the directory cannot be had; BlockingIOError if another process has it.
        """
        self.numbers = HistoryNumbers()
        self._lock = Lock(settings.directory)
        self._writer = Writer(settings.directory, monotonic)
        self._inventory = Inventory(settings)
        self._compactor = Compactor(settings.directory, monotonic)
        self._hosts = HostRows(identities, since_ns)
        self._monotonic = monotonic
        self._flushed_at = monotonic()
        self._time_ns = 0
        self._posted: deque[Event | RecordBatch] = deque()
        self._posting = threading.Lock()
        self._lost = 0

    def scan(self) -> None:
        """Look at what there is: before anything is written, by who writes."""
        self._inventory.scan()
        self._publish()

    def take(self, batch: Batch) -> None:
        """Take the mails of a batch, and how far packet time has come."""
        self._time_ns = max(self._time_ns, batch.time_ns)
        if batch.mail_records is not None and len(batch.mail_records):
            self._post(batch.mail_records)

    def note(self, event: Event) -> None:
        """Take a line of the alert log."""
        if event.figures is not None:
            self._post(event)

    def take_records(self, records: "list[tuple[str, RecordBatch]]") -> None:
        """Take records of the core, which may be none; does what is due."""
        for kind, batch in records:
            self._writer.add(kind, batch)
        self._writer.add_rows(HOST, HOST_COLUMNS, self._hosts.due(self._time_ns))
        late = self._monotonic() - self._flushed_at >= FLUSH_SECONDS
        if late or self._writer.waiting_bytes >= BYTES_AT_ONCE:
            self._flush()
            if not self._compactor.busy:
                self._compactor.start(self._inventory.uncompacted(self._time_ns - GRACE_NS))
        self._refresh(self._compactor.finished())

    def compact(self) -> None:
        """Write all that there is and compact all hours, whether they are over or not; wait for it."""
        self._writer.add_rows(HOST, HOST_COLUMNS, self._hosts.rest())
        self._flush()
        while True:
            self._compactor.start(self._inventory.uncompacted(ALL_NS))
            changed = self._compactor.finished(wait=True)
            if changed is None:
                return
            self._refresh(changed)

    def close(self) -> None:
        """Write all that is left, and let the directory go."""
        self._compactor.stop()
        self._writer.add_rows(HOST, HOST_COLUMNS, self._hosts.rest())
        self._flush()
        self._writer.close()
        self._lock.release()

    def sink(self) -> SinkCounters:
        """Count as the core does for its own outputs."""
        writer = self._writer
        written = sum(self.numbers.written.values())
        return {"sink": "history", "written": written, "dropped": writer.dropped + self._lost, "error": writer.error}

    def _post(self, posted: "Event | RecordBatch") -> None:
        with self._posting:
            self._posted.append(posted)
            if len(self._posted) > MOST_POSTED:
                oldest = self._posted.popleft()
                self._lost += 1 if isinstance(oldest, Event) else len(oldest)

    def _flush(self) -> None:
        self._flushed_at = self._monotonic()
        with self._posting:
            posted, self._posted = self._posted, deque()
        alerts: list[dict[str, Any]] = []
        for entry in posted:
            if not isinstance(entry, Event):
                self._writer.add(MAIL, entry)
            elif (row := alert_row(entry)) is not None:
                alerts.append(row)
        self._writer.add_rows(ALERT, ALERT_COLUMNS, alerts)
        self._refresh(self._writer.flush())
        self._tidy()

    def _refresh(self, changed: Collection[Hour] | None) -> None:
        if changed:
            self._inventory.refresh(changed)
            self._publish()

    def _tidy(self) -> None:
        try:
            self._inventory.tidy()
        except OSError as error:
            _log.error("history: what is too old or too much cannot be deleted: %s", error)
        self._publish()

    def _publish(self) -> None:
        """Give the numbers as of now to whoever asks, from whatever thread."""
        inventory = self._inventory
        written = dict(self._writer.written)
        self.numbers = HistoryNumbers(
            written, inventory.bytes, inventory.oldest_ns, inventory.deleted, self._compactor.failed
        )
