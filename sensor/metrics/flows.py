"""Flows and what is heard in them."""

from collections.abc import Callable, Iterator

from sensor.metrics.definition import NEVER, Definition, Sample, Scrape, counter, gauge, one


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


DEFINITIONS: tuple[Definition, ...] = (
    counter(
        "fragments_forgotten_total",
        (),
        "Datagrams that newer ones pushed out of the table of fragments before their last one came, which counts in a"
        " flow without ports." + NEVER,
        one(lambda counters: counters["fragments_forgotten"]),
    ),
    counter(
        "flows_without_layers_total",
        (),
        "Flows that do not tell what carried them, because a worker tells 16,384 stacks of layers apart." + NEVER,
        one(lambda counters: counters["flows_without_layers"]),
    ),
    gauge("flows_active", (), "Flows in the table.", one(lambda counters: counters["flows"]["active"])),
    gauge("flows_max", (), "Flows that the table may hold.", one(lambda counters: counters["flows"]["max"])),
    counter("flows_ended_total", ("reason",), "Flows ended. The reason evicted should always be zero.", _flows_ended),
    counter("app_flows_total", ("app_proto",), "Flows by what they speak; unknown: not known.", _app_flows),
    counter("app_errors_total", ("app_proto", "error"), "What could not be read in flows.", _app_errors),
    gauge("app_held_bytes", (), "Bytes of conversations that are kept for what follows.", _names("held_bytes")),
    counter(
        "app_given_up_flows_total",
        (),
        "Flows that were no longer listened to because too much was kept of all." + NEVER,
        _names("given_up"),
    ),
    gauge("names_resolved", (), "Names of addresses, by host, that are remembered.", _names("resolved")),
    counter(
        "names_forgotten_total",
        (),
        "Names of addresses that newer ones pushed out while they still held." + NEVER,
        _names("resolved_forgotten"),
    ),
)
