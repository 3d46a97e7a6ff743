"""The pcap ring."""

from collections.abc import Callable, Iterator

from sensor.alerts.text import NS_PER_SECOND
from sensor.metrics.definition import NEVER, Definition, Sample, Scrape, counter, gauge, one


def _ring(column: str, scale: float = 1) -> Callable[[Scrape], Iterator[Sample]]:
    def samples(scrape: Scrape) -> Iterator[Sample]:
        ring = scrape.counters["ring"]
        if ring is not None:
            yield (), ring[column] * scale  # type: ignore[literal-required]

    return samples


def _ring_dropped(scrape: Scrape) -> Iterator[Sample]:
    fates = scrape.counters["fates"]
    yield (), fates["dropped_slow"] + fates["dropped_full"] + fates["dropped_error"]


DEFINITIONS: tuple[Definition, ...] = (
    gauge("ring_bytes", (), "Size of all files of the pcap ring.", _ring("bytes")),
    gauge("ring_segments", (), "Files of the pcap ring.", _ring("segments")),
    gauge(
        "ring_oldest_timestamp_seconds",
        (),
        "Time of the oldest frame in the pcap ring.",
        _ring("oldest_time_ns", 1 / NS_PER_SECOND),
    ),
    counter("ring_written_bytes_total", (), "Bytes written to the pcap ring.", _ring("written_bytes")),
    counter(
        "ring_index_errors_total",
        (),
        "Indexes of ring files that could not be written to their end; searches read the rest of those files whole."
        + NEVER,
        _ring("index_errors"),
    ),
    counter("ring_dropped_frames_total", (), "Frames analysed but not stored in the ring." + NEVER, _ring_dropped),
    counter(
        "ring_cut_bytes_total",
        (),
        "Bytes, as on the wire, of captured frames that pcap_ring.flow_cutoff kept out of the ring: the fate cut.",
        one(lambda counters: counters["ring_cut_bytes"]),
    ),
    gauge("ring_disk_free_bytes", (), "Free space on the disk of the pcap ring.", _ring("free_bytes")),
)
