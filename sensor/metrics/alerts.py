"""Watchlists, hits and alerts."""

from collections.abc import Callable, Iterator
from typing import Literal

from sensor.metrics.definition import NEVER, Definition, Sample, Scrape, counter, gauge, one

_LIST = ("list",)


def _names(column: str) -> Callable[[Scrape], Iterator[Sample]]:
    def samples(scrape: Scrape) -> Iterator[Sample]:
        yield (), scrape.counters["names"][column]  # type: ignore[literal-required]

    return samples


def _indicators(scrape: Scrape) -> Iterator[Sample]:
    for row in scrape.counters["watchlist"]["lists"]:
        yield (row["list"], row["type"]), row["indicators"]


def _watchlist_hits(scrape: Scrape) -> Iterator[Sample]:
    for row in scrape.counters["watchlist"]["hits"]:
        yield (row["list"],), row["hits"]


def _alerts(scrape: Scrape) -> Iterator[Sample]:
    yield from scrape.alerts.opened.items()


def _suppressed(scrape: Scrape) -> Iterator[Sample]:
    for rule, incidents in scrape.alerts.suppressed.items():
        yield (rule,), incidents


def _alert_number(column: Literal["open", "overflowed"]) -> Callable[[Scrape], Iterator[Sample]]:
    def samples(scrape: Scrape) -> Iterator[Sample]:
        yield (), getattr(scrape.alerts, column)

    return samples


DEFINITIONS: tuple[Definition, ...] = (
    gauge("watchlist_indicators", ("list", "type"), "Indicators in use.", _indicators),
    gauge(
        "watchlist_generation",
        (),
        "Generation of the lists in use; one more with each reload.",
        one(lambda counters: counters["watchlist"]["generation"]),
    ),
    counter(
        "watchlist_hits_total",
        _LIST,
        "Meetings of flows with indicators of the list, each indicator once a flow.",
        _watchlist_hits,
    ),
    counter(
        "watchlist_hits_forgotten_total",
        (),
        "Names, URLs and fingerprints of lists that flows showed and there was no room to report." + NEVER,
        one(lambda counters: counters["watchlist"]["forgotten"]),
    ),
    counter("alerts_total", ("rule", "severity"), "Incidents opened.", _alerts),
    counter("alerts_suppressed_total", ("rule",), "Incidents that a suppression kept out of the logs.", _suppressed),
    gauge("alerts_open", (), "Incidents open.", _alert_number("open")),
    counter(
        "alerts_overflowed_total",
        (),
        "Incidents closed early because too many were open." + NEVER,
        _alert_number("overflowed"),
    ),
    counter("smtp_messages_total", (), "Mail messages that passed by SMTP in clear.", _names("smtp_messages")),
)
