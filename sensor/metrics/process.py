"""Outputs, queues and the process itself."""

import platform
from collections.abc import Callable, Iterator
from typing import Literal

from sensor import __version__
from sensor.engine import SinkCounters, merged_sinks
from sensor.metrics.definition import NEVER, Definition, Sample, Scrape, counter, gauge, one

_SINK = ("sink",)
_QUEUE = ("queue",)


def _sinks(value: Callable[[SinkCounters], float]) -> Callable[[Scrape], Iterator[Sample]]:
    def samples(scrape: Scrape) -> Iterator[Sample]:
        for sink in merged_sinks(scrape.counters["sinks"], scrape.sinks):
            yield (sink["sink"],), value(sink)

    return samples


def _queues(column: Literal["length", "capacity"]) -> Callable[[Scrape], Iterator[Sample]]:
    def samples(scrape: Scrape) -> Iterator[Sample]:
        for queue in scrape.counters["queues"]:
            yield (queue["queue"],), queue[column]

    return samples


def _reload_success(scrape: Scrape) -> Iterator[Sample]:
    yield (), float(scrape.reload_success)


def _build_info(_: Scrape) -> Iterator[Sample]:
    yield (__version__, platform.python_version()), 1


DEFINITIONS: tuple[Definition, ...] = (
    counter("sink_written_records_total", _SINK, "Records written.", _sinks(lambda sink: sink["written"] or 0)),
    counter(
        "sink_dropped_records_total",
        _SINK,
        "Records lost because the output was too slow or failed." + NEVER,
        _sinks(lambda sink: sink["dropped"]),
    ),
    gauge("sink_failing", _SINK, "Whether the output cannot be written now.", _sinks(lambda sink: bool(sink["error"]))),
    gauge("queue_length", _QUEUE, "Entries waiting.", _queues("length")),
    gauge("queue_capacity", _QUEUE, "Entries that may wait.", _queues("capacity")),
    counter(
        "clock_jumps_total",
        (),
        "Times that packet time jumped for good.",
        one(lambda counters: counters["clock_jumps"]),
    ),
    gauge("reload_success", (), "Whether the last reload took everything.", _reload_success),
    gauge("build_info", ("version", "python"), "Always 1; the labels tell the version.", _build_info),
)
