"""A sample of the running sensor: what is busiest, what has changed, how fast everything goes."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from sensor.api.view import SensorView

Row = dict[str, Any]

TOP_ROWS = 100
"""Rows of each table at most."""

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
        """Take the next sample; asks the core once for counters and once for each kind of rows."""
        status = self._view.status()
        seconds = self._advance()
        sums = self._view.sums(TOP_ROWS)
        return {
            "time_ns": status["time_ns"],
            "healthy": status["healthy"],
            "problems": status["problems"],
            "active": {table: status[table]["active"] for table in ("flows", "hosts")},
            **self._rates(status, seconds),
            "mirror": status["mirror"],
            "flows": self._view.flows("", "rate", TOP_ROWS),
            "hosts": self._view.hosts("", "rate", TOP_ROWS),
            "remotes": sums["remotes"],
            "vlans": sums["vlans"],
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
