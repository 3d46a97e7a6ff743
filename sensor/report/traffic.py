"""Protocols, conversations, hosts and the timeline, as the core has added them up."""

from collections.abc import Mapping, Sequence
from typing import Any

from sensor.alerts.text import utc_stamp
from sensor.report.finding import wireshark_filter

Row = Mapping[str, Any]
"""A row of `Engine.traffic`."""


def conversations(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Give them with their filter; `flows` counts those that ended."""
    return [{**_stamped(row), "filter": _filter(row)} for row in rows]


def _filter(row: Row) -> str:
    return wireshark_filter(row["source"], row["destination"], row["proto"], (row["port"],))


def hosts(rows: Sequence[Row], machines: Sequence[Row]) -> list[dict[str, Any]]:
    """Give internal hosts with their filter; `machines` say who they are."""
    known = {machine["ip"]: machine for machine in machines}
    return [_host(row, known.get(row["ip"], {})) for row in rows]


def _host(row: Row, machine: Row) -> dict[str, Any]:
    ip = row["ip"]
    return {
        "ip": ip,
        **{name: machine.get(name) for name in ("name", "mac", "vendor")},
        **_stamped(row),
        "filter": f"{'ipv6' if ':' in ip else 'ip'}.addr == {ip}",
    }


def timeline(steps: Sequence[Row]) -> list[dict[str, Any]]:
    """Give every step from the first to the last, also those in which nothing happened."""
    return [{"time": utc_stamp(step["time_ns"]), **_without(step, "time_ns")} for step in steps]


def _stamped(row: Row) -> dict[str, Any]:
    stamps = {"first_seen": utc_stamp(row["first_ns"]), "last_seen": utc_stamp(row["last_ns"])}
    return {**_without(row, "first_ns", "last_ns"), **stamps}


def _without(row: Row, *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}
