"""What a metric is: its name, what it means, and where its samples come from."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from sensor.alerts.conditions import Verdict
from sensor.alerts.desk import AlertNumbers
from sensor.engine import Counters, SinkCounters
from sensor.evidence.keeper import EvidenceNumbers
from sensor.history.numbers import HistoryNumbers
from sensor.identity.naming import IdentityNumbers

Sample = tuple[tuple[str, ...], float]

NEVER = " Should always be zero."
"""How the help of a metric ends that says that something is wrong."""


@dataclass(frozen=True, slots=True)
class Scrape:
    """All that one scrape shows."""

    counters: Counters
    alerts: AlertNumbers
    sinks: tuple[SinkCounters, ...]
    verdict: Verdict
    reload_success: bool
    identities: IdentityNumbers
    history: HistoryNumbers | None = None
    evidence: EvidenceNumbers | None = None


@dataclass(frozen=True, slots=True)
class Definition:
    """One metric: its name, what it means, and where its samples come from."""

    name: str
    kind: Literal["counter", "gauge"]
    labels: tuple[str, ...]
    help: str
    samples: Callable[[Scrape], Iterable[Sample]]


def one(value: Callable[[Counters], float]) -> Callable[[Scrape], Iterator[Sample]]:
    """Take one number of the snapshot, without labels."""

    def samples(scrape: Scrape) -> Iterator[Sample]:
        yield (), value(scrape.counters)

    return samples


def counter(name: str, labels: tuple[str, ...], text: str, samples: Callable[[Scrape], Iterable[Sample]]) -> Definition:
    """Define a number that only rises; its name gets the sensor's prefix."""
    return Definition(f"spanwatch_{name}", "counter", labels, text, samples)


def gauge(name: str, labels: tuple[str, ...], text: str, samples: Callable[[Scrape], Iterable[Sample]]) -> Definition:
    """Define a number that rises and falls."""
    return Definition(f"spanwatch_{name}", "gauge", labels, text, samples)
