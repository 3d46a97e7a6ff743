"""The metrics: one table of names, one snapshot of the counters a scrape."""

import platform
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector, CollectorRegistry

from sensor import __version__
from sensor.alerts.conditions import Verdict
from sensor.alerts.desk import AlertNumbers
from sensor.alerts.text import NS_PER_SECOND
from sensor.engine import Counters, SinkCounters, merged_sinks
from sensor.identity.naming import IdentityNumbers

Sample = tuple[tuple[str, ...], float]


@dataclass(frozen=True, slots=True)
class Scrape:
    """All that one scrape shows."""

    counters: Counters
    alerts: AlertNumbers
    sinks: tuple[SinkCounters, ...]
    verdict: Verdict
    reload_success: bool
    identities: IdentityNumbers


@dataclass(frozen=True, slots=True)
class Definition:
    """One metric: its name, what it means, and where its samples come from."""

    name: str
    kind: Literal["counter", "gauge"]
    labels: tuple[str, ...]
    help: str
    samples: Callable[[Scrape], Iterable[Sample]]


_NEVER = " Should always be zero."


def _one(value: Callable[[Counters], float]) -> Callable[[Scrape], Iterator[Sample]]:
    def samples(scrape: Scrape) -> Iterator[Sample]:
        yield (), value(scrape.counters)

    return samples


def _interfaces(column: str) -> Callable[[Scrape], Iterator[Sample]]:
    def samples(scrape: Scrape) -> Iterator[Sample]:
        for interface in scrape.counters["interfaces"]:
            yield (interface["name"],), interface[column]  # type: ignore[literal-required]

    return samples


def _ring(column: str, scale: float = 1) -> Callable[[Scrape], Iterator[Sample]]:
    def samples(scrape: Scrape) -> Iterator[Sample]:
        ring = scrape.counters["ring"]
        if ring is not None:
            yield (), ring[column] * scale  # type: ignore[literal-required]

    return samples


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


def _group(group: Literal["fates", "analysis"]) -> Callable[[Scrape], Iterator[Sample]]:
    def samples(scrape: Scrape) -> Iterator[Sample]:
        for name, frames in scrape.counters[group].items():
            yield (name,), float(frames)  # type: ignore[arg-type]

    return samples


def _ring_dropped(scrape: Scrape) -> Iterator[Sample]:
    fates = scrape.counters["fates"]
    yield (), fates["dropped_slow"] + fates["dropped_full"] + fates["dropped_error"]


def _decode_errors(scrape: Scrape) -> Iterator[Sample]:
    for row in scrape.counters["decode_errors"]:
        yield (row["layer"], row["error"]), row["frames"]


def _encapsulations(scrape: Scrape) -> Iterator[Sample]:
    for row in scrape.counters["encapsulations"]:
        yield (row["encapsulation"],), row["frames"]


def _flows_ended(scrape: Scrape) -> Iterator[Sample]:
    for reason, flows in scrape.counters["flows"]["ended"].items():
        yield (reason,), flows


def _app_flows(scrape: Scrape) -> Iterator[Sample]:
    for row in scrape.counters["names"]["flows"]:
        yield (row["app_proto"],), row["flows"]


def _app_errors(scrape: Scrape) -> Iterator[Sample]:
    for row in scrape.counters["names"]["errors"]:
        yield (row["app_proto"], row["error"]), row["errors"]


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


def _interface_up(scrape: Scrape) -> Iterator[Sample]:
    for interface in scrape.counters["interfaces"]:
        yield (interface["name"],), float(interface["state"] == "up")


def _alerts(scrape: Scrape) -> Iterator[Sample]:
    yield from scrape.alerts.opened.items()


def _suppressed(scrape: Scrape) -> Iterator[Sample]:
    for rule, incidents in scrape.alerts.suppressed.items():
        yield (rule,), incidents


def _alert_number(column: Literal["open", "overflowed"]) -> Callable[[Scrape], Iterator[Sample]]:
    def samples(scrape: Scrape) -> Iterator[Sample]:
        yield (), getattr(scrape.alerts, column)

    return samples


def _punted(scrape: Scrape) -> Iterator[Sample]:
    for result, frames in scrape.counters["punted"].items():
        yield (result,), float(frames)  # type: ignore[arg-type]


def _identity_number(column: Literal["active", "evicted"]) -> Callable[[Scrape], Iterator[Sample]]:
    def samples(scrape: Scrape) -> Iterator[Sample]:
        yield (), getattr(scrape.identities, column)

    return samples


def _identity_errors(scrape: Scrape) -> Iterator[Sample]:
    for protocol, frames in scrape.identities.errors.items():
        yield (protocol,), frames


def _reload_success(scrape: Scrape) -> Iterator[Sample]:
    yield (), float(scrape.reload_success)


def _build_info(_: Scrape) -> Iterator[Sample]:
    yield (__version__, platform.python_version()), 1


def _counter(
    name: str, labels: tuple[str, ...], text: str, samples: Callable[[Scrape], Iterable[Sample]]
) -> Definition:
    return Definition(f"spanwatch_{name}", "counter", labels, text, samples)


def _gauge(name: str, labels: tuple[str, ...], text: str, samples: Callable[[Scrape], Iterable[Sample]]) -> Definition:
    return Definition(f"spanwatch_{name}", "gauge", labels, text, samples)


_INTERFACE, _LIST, _SINK, _QUEUE = ("interface",), ("list",), ("sink",), ("queue",)

DEFINITIONS: tuple[Definition, ...] = (
    _counter("capture_frames_total", _INTERFACE, "Frames captured.", _interfaces("captured_frames")),
    _counter(
        "capture_bytes_total", _INTERFACE, "Bytes of captured frames, as on the wire.", _interfaces("captured_bytes")
    ),
    _counter(
        "capture_kernel_dropped_frames_total",
        _INTERFACE,
        "Frames that the kernel dropped because the capture ring was full." + _NEVER,
        _interfaces("kernel_dropped_frames"),
    ),
    _counter(
        "capture_kernel_freezes_total",
        _INTERFACE,
        "Times that the kernel stopped filling the full capture ring." + _NEVER,
        _interfaces("kernel_freezes"),
    ),
    _gauge(
        "capture_ring_memory_bytes", _INTERFACE, "Capture ring memory as granted.", _interfaces("granted_ring_bytes")
    ),
    _gauge("capture_interface_up", _INTERFACE, "Whether the interface is there and up.", _interface_up),
    _counter(
        "frames_total",
        ("fate",),
        "Captured frames by what became of their bytes; with spanwatch_ring_in_flight_frames all captured frames. "
        "The fates dropped_slow, dropped_full and dropped_error should always be zero.",
        _group("fates"),
    ),
    _gauge(
        "ring_in_flight_frames",
        (),
        "Captured frames on their way to the disk.",
        _one(lambda counters: counters["ring_in_flight_frames"]),
    ),
    _counter(
        "analysis_frames_total",
        ("result",),
        "Captured frames by what the analysis made of them; all captured frames. "
        "The result table_full should always be zero.",
        _group("analysis"),
    ),
    _counter("decode_errors_total", ("layer", "error"), "Frames whose decoding stopped early.", _decode_errors),
    _counter("encapsulation_frames_total", ("encapsulation",), "Frames with this encapsulation.", _encapsulations),
    _counter(
        "mirror_sequence_lost_frames_total",
        ("encapsulation",),
        "Mirrored frames lost on the way, by the sequence numbers of GRE and ERSPAN." + _NEVER,
        _sequence_lost,
    ),
    _counter("mirror_duplicate_frames_total", ("kind",), "Packets that the mirror showed before.", _duplicates),
    _counter(
        "mirror_truncated_frames_total", (), "Frames that arrived cut short." + _NEVER, _mirror_sum("truncated_frames")
    ),
    _counter(
        "mirror_merged_frames_total",
        (),
        "Frames larger than any wire carries." + _NEVER,
        _mirror_sum("merged_frames"),
    ),
    _counter(
        "mirror_tcp_unseen_bytes_total",
        (),
        "Bytes of TCP that were acknowledged but never seen." + _NEVER,
        _mirror_sum("tcp_unseen_bytes"),
    ),
    _counter(
        "mirror_copies_forgotten_total",
        (),
        "Packets that newer ones pushed out of the table of copies within 250 ms; a copy of them goes unseen.",
        _one(lambda counters: counters["copies_forgotten"]),
    ),
    _counter(
        "mirror_frames_without_source_total",
        (),
        "Frames of mirror sessions beyond the 256 sources that a worker tells apart, counted with their interface."
        + _NEVER,
        _one(lambda counters: counters["frames_without_source"]),
    ),
    _gauge("mirror_state", ("state",), "1 for the verdict over the mirror: ok, degraded or blind.", _mirror_state),
    _gauge("ring_bytes", (), "Size of all files of the pcap ring.", _ring("bytes")),
    _gauge("ring_segments", (), "Files of the pcap ring.", _ring("segments")),
    _gauge(
        "ring_oldest_timestamp_seconds",
        (),
        "Time of the oldest frame in the pcap ring.",
        _ring("oldest_time_ns", 1 / NS_PER_SECOND),
    ),
    _counter("ring_written_bytes_total", (), "Bytes written to the pcap ring.", _ring("written_bytes")),
    _counter(
        "ring_index_errors_total",
        (),
        "Indexes of ring files that could not be written to their end; searches read the rest of those files whole."
        + _NEVER,
        _ring("index_errors"),
    ),
    _counter("ring_dropped_frames_total", (), "Frames analysed but not stored in the ring." + _NEVER, _ring_dropped),
    _counter(
        "ring_cut_bytes_total",
        (),
        "Bytes, as on the wire, of captured frames that pcap_ring.flow_cutoff kept out of the ring: the fate cut.",
        _one(lambda counters: counters["ring_cut_bytes"]),
    ),
    _gauge("ring_disk_free_bytes", (), "Free space on the disk of the pcap ring.", _ring("free_bytes")),
    _counter(
        "fragments_forgotten_total",
        (),
        "Datagrams that newer ones pushed out of the table of fragments before their last one came, which counts in a"
        " flow without ports." + _NEVER,
        _one(lambda counters: counters["fragments_forgotten"]),
    ),
    _counter(
        "flows_without_layers_total",
        (),
        "Flows that do not tell what carried them, because a worker tells 16,384 stacks of layers apart." + _NEVER,
        _one(lambda counters: counters["flows_without_layers"]),
    ),
    _gauge("flows_active", (), "Flows in the table.", _one(lambda counters: counters["flows"]["active"])),
    _gauge("flows_max", (), "Flows that the table may hold.", _one(lambda counters: counters["flows"]["max"])),
    _counter("flows_ended_total", ("reason",), "Flows ended. The reason evicted should always be zero.", _flows_ended),
    _counter("app_flows_total", ("app_proto",), "Flows by what they speak; unknown: not known.", _app_flows),
    _counter("app_errors_total", ("app_proto", "error"), "What could not be read in flows.", _app_errors),
    _gauge("app_held_bytes", (), "Bytes of conversations that are kept for what follows.", _names("held_bytes")),
    _counter(
        "app_given_up_flows_total",
        (),
        "Flows that were no longer listened to because too much was kept of all." + _NEVER,
        _names("given_up"),
    ),
    _gauge("names_resolved", (), "Names of addresses, by host, that are remembered.", _names("resolved")),
    _counter(
        "names_forgotten_total",
        (),
        "Names of addresses that newer ones pushed out while they still held." + _NEVER,
        _names("resolved_forgotten"),
    ),
    _gauge("hosts_active", (), "Hosts in the table.", _one(lambda counters: counters["hosts"]["active"])),
    _gauge("hosts_max", (), "Hosts that the table may hold.", _one(lambda counters: counters["hosts"]["max"])),
    _counter(
        "hosts_evicted_total",
        (),
        "Hosts that the full table gave up." + _NEVER,
        _one(lambda counters: counters["hosts"]["evicted"]),
    ),
    _gauge(
        "beacon_pairs",
        (),
        "Pairs of host and outside remote end whose calls are remembered.",
        _one(lambda counters: counters["hosts"]["beacon_pairs"]),
    ),
    _counter(
        "beacon_pairs_evicted_total",
        (),
        "Pairs with three calls or more that the full table gave up." + _NEVER,
        _one(lambda counters: counters["hosts"]["beacon_pairs_evicted"]),
    ),
    _counter(
        "web_askers_evicted_total",
        (),
        "Sources of web requests that were forgotten because too many were watched." + _NEVER,
        _one(lambda counters: counters["hosts"]["askers_evicted"]),
    ),
    _counter(
        "mail_clicks_forgotten_total",
        (),
        "Hosts of links in mails, and who followed them, that were forgotten for want of room." + _NEVER,
        _one(lambda counters: counters["hosts"]["clicks_forgotten"]),
    ),
    _counter(
        "punted_frames_total",
        ("result",),
        "Frames of control protocols that tell who hosts are: handed over to be read, repeated within ten seconds, or "
        "dropped because a worker had more than 200 or 64 KiB of them in a second; also what hosts say of themselves "
        "inside of flows, dropped beyond 100 a second. The result dropped should always be zero.",
        _punted,
    ),
    _counter(
        "identity_errors_total", ("protocol",), "Frames of control protocols that could not be read.", _identity_errors
    ),
    _gauge("identities_active", (), "Addresses of which a machine is known.", _identity_number("active")),
    _counter(
        "identities_evicted_total",
        (),
        "Addresses whose machines were forgotten because there were more than hosts.max." + _NEVER,
        _identity_number("evicted"),
    ),
    _gauge("watchlist_indicators", ("list", "type"), "Indicators in use.", _indicators),
    _gauge(
        "watchlist_generation",
        (),
        "Generation of the lists in use; one more with each reload.",
        _one(lambda counters: counters["watchlist"]["generation"]),
    ),
    _counter(
        "watchlist_hits_total",
        _LIST,
        "Meetings of flows with indicators of the list, each indicator once a flow.",
        _watchlist_hits,
    ),
    _counter(
        "watchlist_hits_forgotten_total",
        (),
        "Names, URLs and fingerprints of lists that flows showed and there was no room to report." + _NEVER,
        _one(lambda counters: counters["watchlist"]["forgotten"]),
    ),
    _counter("alerts_total", ("rule", "severity"), "Incidents opened.", _alerts),
    _counter("alerts_suppressed_total", ("rule",), "Incidents that a suppression kept out of the logs.", _suppressed),
    _gauge("alerts_open", (), "Incidents open.", _alert_number("open")),
    _counter(
        "alerts_overflowed_total",
        (),
        "Incidents closed early because too many were open." + _NEVER,
        _alert_number("overflowed"),
    ),
    _counter("smtp_messages_total", (), "Mail messages that passed by SMTP in clear.", _names("smtp_messages")),
    _counter("sink_written_records_total", _SINK, "Records written.", _sinks(lambda sink: sink["written"] or 0)),
    _counter(
        "sink_dropped_records_total",
        _SINK,
        "Records lost because the output was too slow or failed." + _NEVER,
        _sinks(lambda sink: sink["dropped"]),
    ),
    _gauge(
        "sink_failing", _SINK, "Whether the output cannot be written now.", _sinks(lambda sink: bool(sink["error"]))
    ),
    _gauge("queue_length", _QUEUE, "Entries waiting.", _queues("length")),
    _gauge("queue_capacity", _QUEUE, "Entries that may wait.", _queues("capacity")),
    _counter(
        "clock_jumps_total",
        (),
        "Times that packet time jumped for good.",
        _one(lambda counters: counters["clock_jumps"]),
    ),
    _gauge("reload_success", (), "Whether the last reload took everything.", _reload_success),
    _gauge("build_info", ("version", "python"), "Always 1; the labels tell the version.", _build_info),
)


class SensorCollector(Collector):
    """Turns one snapshot into all metrics, so that the accounts close within a scrape."""

    def __init__(self, take_scrape: Callable[[], Scrape]) -> None:
        self._take_scrape = take_scrape

    def collect(self) -> Iterator[Metric]:
        """Take the snapshot and give the families."""
        scrape = self._take_scrape()
        for definition in DEFINITIONS:
            kind = CounterMetricFamily if definition.kind == "counter" else GaugeMetricFamily
            family = kind(definition.name, definition.help, labels=definition.labels)
            for labels, value in definition.samples(scrape):
                family.add_metric(labels, value)
            yield family

    def describe(self) -> Iterator[Metric]:
        """Give no names: registering must not take a snapshot."""
        yield from ()


def registry_of(take_scrape: Callable[[], Scrape]) -> CollectorRegistry:
    """Make a registry with the sensor's metrics and those of its process."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(SensorCollector(take_scrape))
    ProcessCollector(registry=registry)
    return registry
