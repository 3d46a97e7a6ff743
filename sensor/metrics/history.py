"""The history on disk."""

from collections.abc import Callable, Iterator
from typing import Literal

from sensor.alerts.text import NS_PER_SECOND
from sensor.metrics.definition import NEVER, Definition, Sample, Scrape, counter, gauge


def _written(scrape: Scrape) -> Iterator[Sample]:
    for kind, rows in (scrape.history.written if scrape.history else {}).items():
        yield (kind,), rows


def _oldest(scrape: Scrape) -> Iterator[Sample]:
    if scrape.history and scrape.history.oldest_ns is not None:
        yield (), scrape.history.oldest_ns / NS_PER_SECOND


def _number(column: Literal["bytes", "deletions", "failed_compactions"]) -> Callable[[Scrape], Iterator[Sample]]:
    def samples(scrape: Scrape) -> Iterator[Sample]:
        if scrape.history:
            yield (), getattr(scrape.history, column)

    return samples


DEFINITIONS: tuple[Definition, ...] = (
    counter("history_written_records_total", ("kind",), "Records written to the history.", _written),
    gauge("history_bytes", (), "Size of all files of the history.", _number("bytes")),
    gauge(
        "history_oldest_timestamp_seconds", (), "Beginning of the oldest hour of the history, rollups aside.", _oldest
    ),
    counter(
        "history_deletions_total",
        (),
        "Deletions of a kind's hour, for its age or to make room.",
        _number("deletions"),
    ),
    counter(
        "history_failed_compactions_total",
        (),
        "Hours of a kind that could not be made into one file; they are tried again after an hour." + NEVER,
        _number("failed_compactions"),
    ),
)
