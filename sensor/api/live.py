"""The running sensor, as the API shows it."""

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from sensor import __version__
from sensor.alerts.conditions import Health, Verdict, problems
from sensor.alerts.desk import AlertDesk
from sensor.alerts.text import utc_stamp
from sensor.engine import Counters, Engine, SinkCounters, merged_sinks
from sensor.evidence.keeper import EvidenceNumbers
from sensor.history.numbers import HistoryNumbers
from sensor.identity.naming import Identities
from sensor.metrics import Scrape

_UNKNOWN = Health(Verdict.OK, (), 0.0, 0, None)


class LiveView:
    """Answers from the engine and the alert desk; the daemon's loop keeps `health` and the rest current."""

    def __init__(
        self,
        engine: Engine,
        desk: AlertDesk,
        take_counters: Callable[[], Counters],
        sinks: Callable[[], tuple[SinkCounters, ...]],
        identities: Identities,
    ) -> None:
        self.health = _UNKNOWN
        self.workers_advance = True
        self.reload_success = True
        self.stale_lists: list[tuple[str, str]] = []
        self.history: Callable[[], HistoryNumbers | None] = lambda: None
        self.evidence: EvidenceNumbers | None = None
        self._engine = engine
        self._desk = desk
        self._take_counters = take_counters
        self._sinks = sinks
        self._identities = identities
        self._started_ns = time.time_ns()

    def counters(self) -> Counters:
        """Take a snapshot of the core's counters."""
        return self._take_counters()

    def scrape(self) -> Scrape:
        """Take one snapshot."""
        counters = self._take_counters()
        return Scrape(
            counters,
            self._desk.numbers(),
            self._sinks(),
            self.health.verdict,
            self.reload_success,
            self._identities.numbers(),
            self.history(),
            self.evidence,
        )

    def status(self) -> dict[str, Any]:
        """Give the whole state of the sensor."""
        counters = self._take_counters()
        counters["sinks"] = merged_sinks(counters["sinks"], self._sinks())
        found = problems(counters, self.health)
        found += [] if self.workers_advance else ["a worker stands still"]
        found += [f"list {name}: {reason}" for name, reason in self.stale_lists]
        alerts = self._desk.numbers()
        return {
            "healthy": not found,
            "problems": found,
            "version": __version__,
            "started": utc_stamp(self._started_ns),
            "alerts": {
                "open": alerts.open,
                "opened": sum(alerts.opened.values()),
                "suppressed": sum(alerts.suppressed.values()),
            },
            "evidence": asdict(self.evidence) if self.evidence else None,
            **counters,
            "mirror": {
                "verdict": self.health.verdict.value,
                "reasons": [reason.describe() for reason in self.health.reasons],
                "sources": counters["mirror"]["sources"],
                "places": self._identities.places(),
            },
        }

    def alive(self) -> bool:
        """Whether every worker advances."""
        return self.workers_advance

    def flows(self, filter_text: str, order: str, limit: int) -> list[dict[str, Any]]:
        """Give live flows, each with the end that is `local`."""
        return self._identities.ends.marked(self._engine.flows(filter_text, order, limit))

    def hosts(self, filter_text: str, order: str, limit: int) -> list[dict[str, Any]]:
        """Give live hosts, each with the machine that it is and those that had its address before."""
        return [self._identities.describe_host(row) for row in self._engine.hosts(filter_text, order, limit)]

    def sums(self, limit: int) -> dict[str, list[dict[str, Any]]]:
        """Give live flows summed up by remote end and by VLAN."""
        return self._engine.sums(limit)

    def open_incidents(self, most: int | None = None) -> list[dict[str, Any]]:
        """Give the open incidents, each with the machine that its host was when it was last seen."""
        return list(map(self._identities.describe_incident, self._desk.open_incidents(most)))

    def closed_incidents(self, most: int | None = None) -> list[dict[str, Any]]:
        """Give the incidents that were closed, each with the machine that its host was when it was last seen."""
        return list(map(self._identities.describe_incident, self._desk.closed_incidents(most)))
