"""What was captured, and what became of each frame."""

from collections.abc import Callable, Iterator
from typing import Literal

from sensor.metrics.definition import NEVER, Definition, Sample, Scrape, counter, gauge, one

_INTERFACE = ("interface",)


def _interfaces(column: str) -> Callable[[Scrape], Iterator[Sample]]:
    def samples(scrape: Scrape) -> Iterator[Sample]:
        for interface in scrape.counters["interfaces"]:
            yield (interface["name"],), interface[column]  # type: ignore[literal-required]

    return samples


def _group(group: Literal["fates", "analysis"]) -> Callable[[Scrape], Iterator[Sample]]:
    def samples(scrape: Scrape) -> Iterator[Sample]:
        for name, frames in scrape.counters[group].items():
            yield (name,), float(frames)  # type: ignore[arg-type]

    return samples


def _decode_errors(scrape: Scrape) -> Iterator[Sample]:
    for row in scrape.counters["decode_errors"]:
        yield (row["layer"], row["error"]), row["frames"]


def _encapsulations(scrape: Scrape) -> Iterator[Sample]:
    for row in scrape.counters["encapsulations"]:
        yield (row["encapsulation"],), row["frames"]


def _interface_up(scrape: Scrape) -> Iterator[Sample]:
    for interface in scrape.counters["interfaces"]:
        yield (interface["name"],), float(interface["state"] == "up")


DEFINITIONS: tuple[Definition, ...] = (
    counter("capture_frames_total", _INTERFACE, "Frames captured.", _interfaces("captured_frames")),
    counter(
        "capture_bytes_total", _INTERFACE, "Bytes of captured frames, as on the wire.", _interfaces("captured_bytes")
    ),
    counter(
        "capture_kernel_dropped_frames_total",
        _INTERFACE,
        "Frames that the kernel dropped because the capture ring was full." + NEVER,
        _interfaces("kernel_dropped_frames"),
    ),
    counter(
        "capture_kernel_freezes_total",
        _INTERFACE,
        "Times that the kernel stopped filling the full capture ring." + NEVER,
        _interfaces("kernel_freezes"),
    ),
    gauge(
        "capture_ring_memory_bytes", _INTERFACE, "Capture ring memory as granted.", _interfaces("granted_ring_bytes")
    ),
    gauge("capture_interface_up", _INTERFACE, "Whether the interface is there and up.", _interface_up),
    counter(
        "frames_total",
        ("fate",),
        "Captured frames by what became of their bytes; with spanwatch_ring_in_flight_frames all captured frames. "
        "The fates dropped_slow, dropped_full and dropped_error should always be zero.",
        _group("fates"),
    ),
    gauge(
        "ring_in_flight_frames",
        (),
        "Captured frames on their way to the disk.",
        one(lambda counters: counters["ring_in_flight_frames"]),
    ),
    counter(
        "analysis_frames_total",
        ("result",),
        "Captured frames by what the analysis made of them; all captured frames. "
        "The result table_full should always be zero.",
        _group("analysis"),
    ),
    counter("decode_errors_total", ("layer", "error"), "Frames whose decoding stopped early.", _decode_errors),
    counter("encapsulation_frames_total", ("encapsulation",), "Frames with this encapsulation.", _encapsulations),
)
