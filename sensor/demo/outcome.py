"""Whether the sensor found both culprits of the script."""

from __future__ import annotations

from collections import deque

from sensor.alerts.incident import Event, Kind
from sensor.demo.traffic import BULK_MAIL_HOST, C2_HOST

_SHOWN = 8


class Outcome:
    """Collects the sensor's events; `missing` says what has not been found yet."""

    def __init__(self) -> None:
        self.latest: deque[Event] = deque(maxlen=_SHOWN)
        self._found: set[tuple[str, str]] = set()

    def take(self, event: Event) -> None:
        """One line of the alert log."""
        self.latest.append(event)
        if event.kind is Kind.OPEN:
            self._found.add((event.host, event.rule))

    def missing(self) -> list[str]:
        """Scripted alerts that were not raised."""
        bulk_mail = {(BULK_MAIL_HOST, "smtp.bulk"), (BULK_MAIL_HOST, "smtp.fanout")}
        missing = []
        if (C2_HOST, "watchlist.ip") not in self._found:
            missing.append(f"watchlist.ip for {C2_HOST}")
        if not bulk_mail & self._found:
            missing.append(f"smtp.bulk or smtp.fanout for {BULK_MAIL_HOST}")
        return missing
