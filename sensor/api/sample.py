"""A sample of the running sensor: what is busiest, what has changed, how fast everything goes."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sensor.api.view import SensorView

Row = dict[str, Any]

TOP_ROWS = 100
"""Rows of each table at most."""

_FLOWS_LOOKED_AT = 1000
"""Remotes and VLANs are summed up over so many of the busiest flows."""

_STALE_SECONDS = 5.0


class Sampler:
    """Takes samples, one after the other. Rates are since the sample before, None if that is long ago."""

    def __init__(self, view: SensorView, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._view = view
        self._monotonic = monotonic
        self._taken_at = -_STALE_SECONDS
        self._totals: dict[str, dict[str, int]] = {}
        self._alerts: dict[str, Row] = {}

    def take(self) -> Row:
        """Take the next sample; asks the core once for counters, once for flows and once for hosts."""
        status = self._view.status()
        seconds = self._advance()
        flows = self._view.flows("", "rate", _FLOWS_LOOKED_AT)
        return {
            "time_ns": status["time_ns"],
            "healthy": status["healthy"],
            "problems": status["problems"],
            "active": {table: status[table]["active"] for table in ("flows", "hosts")},
            **self._rates(status, seconds),
            "mirror": status["mirror"],
            "flows": flows[:TOP_ROWS],
            "hosts": self._view.hosts("", "rate", TOP_ROWS),
            "remotes": remotes(flows, self._view)[:TOP_ROWS],
            "vlans": vlans(flows)[:TOP_ROWS],
            "alerts": {"open": status["alerts"]["open"], "changed": self._changed_alerts()},
        }

    def _advance(self) -> float | None:
        """Give the seconds since the last sample, None if it is of no use any more."""
        before, self._taken_at = self._taken_at, self._monotonic()
        seconds = self._taken_at - before
        if 0 < seconds < _STALE_SECONDS:
            return seconds
        self._totals, self._alerts = {}, {}
        return None

    def _rates(self, status: Mapping[str, Any], seconds: float | None) -> Row:
        totals = {"": _totals(status), **{row["name"]: _interface_totals(row) for row in status["interfaces"]}}
        before, self._totals = self._totals, totals

        def rates(name: str) -> Row:
            known = before.get(name) if seconds else None
            return {
                f"{column}_per_second": None if known is None or not seconds else (total - known[column]) / seconds
                for column, total in totals[name].items()
            }

        interfaces = [
            {"name": row["name"], "state": row["state"], **totals[row["name"]], **rates(row["name"])}
            for row in status["interfaces"]
        ]
        return {"totals": totals[""], "rates": rates(""), "interfaces": interfaces}

    def _changed_alerts(self) -> list[Row]:
        recent = [*self._view.open_incidents(TOP_ROWS), *self._view.closed_incidents(TOP_ROWS)]
        changed = [row for row in recent if self._alerts.get(row["id"]) != row]
        self._alerts = {row["id"]: row for row in recent}
        return changed


def _totals(status: Mapping[str, Any]) -> dict[str, int]:
    fates = status["fates"]
    sums = [_interface_totals(row) for row in status["interfaces"]]
    return {
        **{column: sum(row[column] for row in sums) for column in ("frames", "bytes", "kernel_dropped_frames")},
        "ring_dropped_frames": fates["dropped_slow"] + fates["dropped_full"] + fates["dropped_error"],
        "flows_ended": sum(status["flows"]["ended"].values()),
        "watchlist_hits": sum(row["hits"] for row in status["watchlist"]["hits"]),
    }


def _interface_totals(row: Mapping[str, Any]) -> dict[str, int]:
    return {
        "frames": row["captured_frames"],
        "bytes": row["captured_bytes"],
        "kernel_dropped_frames": row["kernel_dropped_frames"],
    }


def remotes(flows: Iterable[Row], view: SensorView) -> list[Row]:
    """Sum up flows by their remote end where that is not internal; the fastest first. Out is from the own hosts."""
    sums: dict[str, Row] = {}
    for flow in flows:
        local, remote = _sides(flow)
        address = flow[f"{remote}_ip"]
        if not view.is_internal(address):
            row = sums.setdefault(address, {"ip": address, "ports": set(), **_nothing()})
            row["ports"].add(f"{flow['proto'].lower()}/{flow['resp_port']}")
            _add(row, flow, local, remote)
    return _fastest(sums.values())


def vlans(flows: Iterable[Row]) -> list[Row]:
    """Sum up flows by their VLAN tags, outermost first; the fastest first."""
    sums: dict[tuple[int, ...], Row] = {}
    for flow in flows:
        row = sums.setdefault(tuple(flow["vlan"]), {"vlan": flow["vlan"], **_nothing()})
        _add(row, flow, *_sides(flow))
    return _fastest(sums.values())


def _sides(flow: Row) -> tuple[str, str]:
    return ("orig", "resp") if flow["local"] == "orig" else ("resp", "orig")


def _nothing() -> Row:
    columns = ("flows", "bytes_out", "bytes_in", "bytes_out_per_second", "bytes_in_per_second")
    return {"hosts": set(), **dict.fromkeys(columns, 0)}


def _add(row: Row, flow: Row, local: str, remote: str) -> None:
    row["hosts"].add(flow[f"{local}_ip"])
    row["flows"] += 1
    for column, side in (("out", local), ("in", remote)):
        row[f"bytes_{column}"] += flow[f"{side}_bytes"]
        row[f"bytes_{column}_per_second"] += flow[f"{side}_bytes_per_second"]


def _fastest(sums: Iterable[Row]) -> list[Row]:
    rows = sorted(sums, key=lambda row: row["bytes_out_per_second"] + row["bytes_in_per_second"], reverse=True)
    return [{**row, **_counted(row)} for row in rows]


def _counted(row: Row) -> Row:
    """Sets as JSON has them: of hosts the number, of ports the names in order."""
    counted: Row = {"hosts": len(row["hosts"])}
    return {**counted, "ports": sorted(row["ports"])[:8]} if "ports" in row else counted
