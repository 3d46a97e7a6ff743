"""Packets of incidents, cut out of the ring."""

from collections.abc import Callable, Iterator
from typing import Literal

from sensor.metrics.definition import NEVER, Definition, Sample, Scrape, counter, gauge

_Column = Literal["bytes", "captures", "waiting", "cut", "deleted"]


def _number(column: _Column) -> Callable[[Scrape], Iterator[Sample]]:
    def samples(scrape: Scrape) -> Iterator[Sample]:
        if scrape.evidence is not None:
            yield (), getattr(scrape.evidence, column)

    return samples


def _missed(scrape: Scrape) -> Iterator[Sample]:
    if scrape.evidence is not None:
        for reason, incidents in scrape.evidence.missed.items():
            yield (reason,), incidents


DEFINITIONS: tuple[Definition, ...] = (
    gauge("evidence_bytes", (), "Size of all captures of incidents, manifests included.", _number("bytes")),
    gauge("evidence_captures", (), "Captures of incidents.", _number("captures")),
    gauge("evidence_waiting", (), "Incidents whose packets are still to be cut out of the ring.", _number("waiting")),
    counter("evidence_cut_total", (), "Captures that were cut out of the ring.", _number("cut")),
    counter("evidence_deleted_total", (), "Captures that were deleted to keep evidence.max_size.", _number("deleted")),
    counter(
        "evidence_missed_total",
        ("reason",),
        "Captures that were wanted and not made: too many incidents waited, the ring did not hold the packets, the disk"
        " was full, or it failed." + NEVER,
        _missed,
    ),
)
