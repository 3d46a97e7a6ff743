"""Hosts, what is remembered of them, and who they are."""

from collections.abc import Callable, Iterator
from typing import Literal

from sensor.metrics.definition import NEVER, Definition, Sample, Scrape, counter, gauge, one


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


DEFINITIONS: tuple[Definition, ...] = (
    gauge("hosts_active", (), "Hosts in the table.", one(lambda counters: counters["hosts"]["active"])),
    gauge("hosts_max", (), "Hosts that the table may hold.", one(lambda counters: counters["hosts"]["max"])),
    counter(
        "hosts_evicted_total",
        (),
        "Hosts that the full table gave up." + NEVER,
        one(lambda counters: counters["hosts"]["evicted"]),
    ),
    gauge(
        "beacon_pairs",
        (),
        "Pairs of host and outside remote end whose calls are remembered.",
        one(lambda counters: counters["hosts"]["beacon_pairs"]),
    ),
    counter(
        "beacon_pairs_evicted_total",
        (),
        "Pairs with three calls or more that the full table gave up." + NEVER,
        one(lambda counters: counters["hosts"]["beacon_pairs_evicted"]),
    ),
    counter(
        "web_askers_evicted_total",
        (),
        "Sources of web requests that were forgotten because too many were watched." + NEVER,
        one(lambda counters: counters["hosts"]["askers_evicted"]),
    ),
    counter(
        "mail_clicks_forgotten_total",
        (),
        "Hosts of links in mails, and who followed them, that were forgotten for want of room." + NEVER,
        one(lambda counters: counters["hosts"]["clicks_forgotten"]),
    ),
    counter(
        "punted_frames_total",
        ("result",),
        "Frames of control protocols that tell who hosts are: handed over to be read, repeated within ten seconds, or "
        "dropped because a worker had more than 200 or 64 KiB of them in a second; also what hosts say of themselves "
        "inside of flows, dropped beyond 100 a second. The result dropped should always be zero.",
        _punted,
    ),
    counter(
        "identity_errors_total", ("protocol",), "Frames of control protocols that could not be read.", _identity_errors
    ),
    gauge("identities_active", (), "Addresses of which a machine is known.", _identity_number("active")),
    counter(
        "identities_evicted_total",
        (),
        "Addresses whose machines were forgotten because there were more than hosts.max." + NEVER,
        _identity_number("evicted"),
    ),
)
