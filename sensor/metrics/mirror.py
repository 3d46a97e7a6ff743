"""What the mirror port shows, and what it does not."""

from collections import Counter
from collections.abc import Callable, Iterator

from sensor.alerts.conditions import Verdict
from sensor.metrics.definition import NEVER, Definition, Sample, Scrape, counter, gauge, one


def _mirror_state(scrape: Scrape) -> Iterator[Sample]:
    for verdict in Verdict:
        yield (verdict.value,), float(scrape.verdict is verdict)


def _sequence_lost(scrape: Scrape) -> Iterator[Sample]:
    lost: Counter[str] = Counter()
    for source in scrape.counters["mirror"]["sources"]:
        if source["encapsulation"] is not None:
            lost[source["encapsulation"]] += source["sequence_lost_frames"]
    for encapsulation, frames in sorted(lost.items()):
        yield (encapsulation,), frames


def _mirror_sum(column: str) -> Callable[[Scrape], Iterator[Sample]]:
    def samples(scrape: Scrape) -> Iterator[Sample]:
        yield (), sum(source[column] for source in scrape.counters["mirror"]["sources"])

    return samples


def _duplicates(scrape: Scrape) -> Iterator[Sample]:
    for kind in ("exact", "routed", "vlan", "both_directions"):
        yield (kind,), sum(source["duplicate_frames"][kind] for source in scrape.counters["mirror"]["sources"])


DEFINITIONS: tuple[Definition, ...] = (
    counter(
        "mirror_sequence_lost_frames_total",
        ("encapsulation",),
        "Mirrored frames lost on the way, by the sequence numbers of GRE and ERSPAN." + NEVER,
        _sequence_lost,
    ),
    counter("mirror_duplicate_frames_total", ("kind",), "Packets that the mirror showed before.", _duplicates),
    counter(
        "mirror_truncated_frames_total", (), "Frames that arrived cut short." + NEVER, _mirror_sum("truncated_frames")
    ),
    counter(
        "mirror_merged_frames_total",
        (),
        "Frames larger than any wire carries." + NEVER,
        _mirror_sum("merged_frames"),
    ),
    counter(
        "mirror_tcp_unseen_bytes_total",
        (),
        "Bytes of TCP that were acknowledged but never seen." + NEVER,
        _mirror_sum("tcp_unseen_bytes"),
    ),
    counter(
        "mirror_copies_forgotten_total",
        (),
        "Packets that newer ones pushed out of the table of copies within 250 ms; a copy of them goes unseen.",
        one(lambda counters: counters["copies_forgotten"]),
    ),
    counter(
        "mirror_frames_without_source_total",
        (),
        "Frames of mirror sessions beyond the 256 sources that a worker tells apart, counted with their interface."
        + NEVER,
        one(lambda counters: counters["frames_without_source"]),
    ),
    gauge("mirror_state", ("state",), "1 for the verdict over the mirror: ok, degraded or blind.", _mirror_state),
)
