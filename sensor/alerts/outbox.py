"""A thread of its own for the alert log and the state file: a slow disk delays these two and nothing else."""

import logging
import threading
from collections import deque

from sensor.alerts.incident import Event
from sensor.alerts.log import AlertLog
from sensor.alerts.state import StateFile

_log = logging.getLogger(__name__)
_IDLE_SECONDS = 1.0
_DRAIN_SECONDS = 10.0

MOST_QUEUED = 10_000
"""Events that may wait for the disk; the oldest beyond that are lost and counted."""


class Outbox:
    """Writes events and states in the background. Of several waiting states only the latest is saved."""

    def __init__(self, log: AlertLog | None, state: StateFile | None) -> None:
        self.dropped = 0
        self._log_file = log
        self._state = state
        self._events: deque[Event] = deque()
        self._document: bytes | None = None
        self._closing = False
        self._failure: Exception | None = None
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="alert-outbox", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def post(self, event: Event) -> None:
        """Queue an event for the alert log."""
        if self._log_file is None:
            return
        with self._changed:
            self._events.append(event)
            if len(self._events) > MOST_QUEUED:
                self._events.popleft()
                self.dropped += 1
            self._changed.notify()

    def save(self, document: bytes) -> None:
        """Queue a state, in place of one that is still waiting."""
        if self._state is None:
            return
        with self._changed:
            self._document = document
            self._changed.notify()

    def close(self) -> None:
        """Write all that waits and end; a disk that hangs is given up after 10 s."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(_DRAIN_SECONDS)
            if self._thread.is_alive():
                _log.error("the disk of the alert log hangs: %d alerts are not written", len(self._events))

    def check(self) -> None:
        """Raise RuntimeError if the thread has died: alerts would never be written again."""
        if self._failure is not None:
            raise RuntimeError(f"the alert log's writer has died: {self._failure}") from self._failure

    def _run(self) -> None:
        try:
            self._write_until_closed()
        except Exception as error:  # noqa: BLE001
            # Whatever it is, `check` brings it to the main thread.
            self._failure = error

    def _write_until_closed(self) -> None:
        closing = False
        while not closing:
            with self._changed:
                if not (self._events or self._document or self._closing):
                    self._changed.wait(_IDLE_SECONDS)
                events, self._events = self._events, deque()
                document, self._document = self._document, None
                closing = self._closing
            self._write(events, document)
        if self._log_file is not None:
            self._log_file.close()

    def _write(self, events: deque[Event], document: bytes | None) -> None:
        if self._log_file is not None:
            for event in events:
                self._log_file.write(event)
            self._log_file.flush()
        if self._state is not None and document is not None:
            self._state.save(document)
