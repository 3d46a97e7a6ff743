"""The desk: carries what the policy decides to the alert log, the event log and whoever listens."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sensor.alerts import eve
from sensor.alerts.batch import RowsUntil
from sensor.alerts.conditions import Health
from sensor.alerts.incident import Condition, Event
from sensor.alerts.policy import Output, Policy
from sensor.alerts.state import encode
from sensor.alerts.suppress import SuppressEntry


@dataclass(frozen=True, slots=True)
class EventLog:
    """Where alerts go in EVE form; `types` are those that the configuration asks for."""

    write: Callable[[str], None]
    types: frozenset[str]
    sensor_name: str


@dataclass(frozen=True, slots=True)
class AlertNumbers:
    """What the alert side counts. `opened` is by rule and severity word."""

    opened: dict[tuple[str, str], int]
    suppressed: dict[str, int]
    open: int
    overflowed: int


class AlertDesk:
    """One policy and its outputs. Every method may be called from any thread."""

    def __init__(
        self,
        policy: Policy,
        event_log: EventLog,
        listeners: Iterable[Callable[[Event], None] | None] = (),
    ) -> None:
        """Each listener is told of each line of the alert log, in this order; None is nobody."""
        self._policy = policy
        self._event_log = event_log
        self._listeners = [listener for listener in listeners if listener is not None]
        self._lock = threading.Lock()
        self._saved_revision = policy.revision

    def take(self, batch: RowsUntil) -> None:
        """Take a batch of the core."""
        with self._lock:
            self._issue(self._policy.take(batch))

    def tick(self, time_ns: int) -> None:
        """Let time pass without a batch."""
        with self._lock:
            self._issue(self._policy.tick(time_ns))

    def set_back(self, time_ns: int) -> None:
        """Follow a clock that was set back."""
        with self._lock:
            self._policy.set_back(time_ns)

    def observe(self, conditions: Iterable[Condition], time_ns: int) -> None:
        """Take what is wrong with the sensor."""
        with self._lock:
            self._issue(self._policy.observe(conditions, time_ns))

    def heartbeat(self, health: Health, time_ns: int) -> None:
        """Write a heartbeat line."""
        with self._lock:
            self._issue([self._policy.alive(time_ns, health.heartbeat())])

    def finish(self, reason: str) -> None:
        """Close all incidents for good."""
        with self._lock:
            self._issue(self._policy.finish(reason))

    def replace_suppressions(self, entries: Iterable[SuppressEntry]) -> None:
        """Use other suppressions."""
        with self._lock:
            self._policy.replace_suppressions(entries)

    def attach_evidence(self, incident: str, file_name: str) -> None:
        """Note that a file holds packets of an incident."""
        with self._lock:
            self._policy.attach(incident, file_name)

    def unsaved_state(self) -> bytes | None:
        """Give the state as JSON if it has changed since it was last given."""
        with self._lock:
            if self._policy.revision == self._saved_revision:
                return None
            self._saved_revision = self._policy.revision
            return encode(self._policy.document())

    def open_incidents(self, most: int | None = None) -> list[dict[str, Any]]:
        """Give the open incidents as the API shows them, the latest first; only the first `most` of them."""
        with self._lock:
            return self._policy.describe(most)

    def closed_incidents(self, most: int | None = None) -> list[dict[str, Any]]:
        """Give the incidents that were closed, the last closed first; only the first `most` of them."""
        with self._lock:
            return self._policy.describe_closed(most)

    def numbers(self) -> AlertNumbers:
        """Give the counts as of now."""
        with self._lock:
            policy = self._policy
            return AlertNumbers(dict(policy.opened), dict(policy.suppressed), policy.open_incidents, policy.overflowed)

    def _issue(self, outputs: Iterable[Output]) -> None:
        for output in outputs:
            if isinstance(output, Event):
                for listener in self._listeners:
                    listener(output)
            elif eve.event_type(output) in self._event_log.types:
                self._event_log.write(eve.encode(output, self._event_log.sensor_name))
