"""`hosts --host ADDRESS`: one host's page, a line for each thing that is known of it."""

from collections.abc import Iterator, Mapping
from typing import Any

from sensor.alerts.text import counted, size, utc_stamp

COLUMNS = ("", "", "first seen", "last seen")

Row = Mapping[str, Any]


def page_rows(page: Row) -> Iterator[tuple[object, ...]]:
    """Give the lines of the API's answer: machine, traffic, users and agents with their times, machines before it."""
    host = page["host"]
    if host is None:
        yield "host", f"{page['address']}, not an internal host, or not seen yet", *_NEVER
    else:
        yield "host", host["ip"], *_seen(host)
        yield from ((word, host[word], *_NEVER) for word in ("name", "mac", "vendor", "system") if host[word])
        if host["vlan"]:
            yield "vlan", ".".join(map(str, host["vlan"])), *_NEVER
        both = f"{size(host['bytes_out'])} out, {size(host['bytes_in'])} in"
        yield "traffic", f"{both}, {counted(host['flows'], 'flow')}, {counted(host['peers'], 'peer')}", *_NEVER
        yield "serves", ", ".join(host["ports_served"]) or "nothing", *_NEVER
        for column, word in (("users", "user"), ("agents", "agent")):
            yield from ((word, said["text"], *_seen(said)) for said in reversed(host[column]))
        yield from (("machine", _machine(span), *_seen(span)) for span in reversed(host["history"]))
    yield "live flows", len(page["flows"]), *_NEVER
    yield "incidents", len(page["alerts"]), *_NEVER


_NEVER = ("", "")


def _seen(row: Row) -> tuple[str, str]:
    first, last = (utc_stamp(row[f"{which}_seen_ns"])[:19].replace("T", " ") for which in ("first", "last"))
    return f"{first} UTC", f"{last} UTC"


def _machine(span: Row) -> str:
    """Who had the address for a while: its name and MAC, as far as they are known."""
    return " ".join(filter(None, (span["name"], span["mac"], span["vendor"]))) or "unknown"
