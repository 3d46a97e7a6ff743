"""The alerts, each with a flow that it rests on, where it rests on one."""

from collections.abc import Iterable, Mapping
from typing import Any

from sensor.alerts.rows import BeaconRow, HitRow, JudgedRow, ends_of
from sensor.engine import Batch
from sensor.report.bounded import Groups
from sensor.report.finding import Row, Seen, wireshark_filter

_SEVERITIES = ("high", "medium", "low", "info")
_FLOW_KEYS = ("community_id", "file", "frame", "filter")


class AlertSection:
    """Remembers of what may become an incident the flow that came first."""

    def __init__(self) -> None:
        """Nothing has been told."""
        self._flows: Groups[tuple[str, str], Row] = Groups()
        self._filters: Groups[tuple[str, str], str] = Groups()

    @property
    def left_out(self) -> int:
        """What found no room."""
        return self._flows.left_out + self._filters.left_out

    def take(self, batch: Batch) -> None:
        """Take hits, judgements and beacons; what is told of a host alone rests on no flow."""
        for hit in batch.hits:
            self._flows.reach(_hit_key(hit), lambda row=hit: row)  # type: ignore[misc]
        for judged in batch.judged:
            self._flows.reach((judged["host"], judged["subject"]), lambda row=judged: _flow_of(row))  # type: ignore[misc]
        for beacon in batch.beacons:
            key = (beacon["host"], beacon["name"] or beacon["remote"])
            self._filters.reach(key, lambda row=beacon: _filter_of(row))  # type: ignore[misc]

    def alerts(self, incidents: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Give incidents as the API describes them, the gravest first, with where to find them."""
        ranked = sorted(incidents, key=lambda alert: (_SEVERITIES.index(alert["severity"]), alert["opened"]))
        return [{**alert, **self._where((alert["host"], alert["indicator"]))} for alert in ranked]

    def _where(self, key: tuple[str, str]) -> dict[str, Any]:
        row = self._flows.get(key)
        if row is not None:
            flow = Seen(row).document()
            return {name: flow[name] for name in _FLOW_KEYS}
        shown = self._filters.get(key)
        return {} if shown is None else {"filter": shown}


def _hit_key(hit: HitRow) -> tuple[str, str]:
    return ends_of(hit).host, hit["indicator"]


def _flow_of(judged: JudgedRow) -> dict[str, Any]:
    return {**judged["flow"], "time_ns": judged["time_ns"], "in_iface": judged["in_iface"]}


def _filter_of(beacon: BeaconRow) -> str:
    return wireshark_filter(beacon["host"], beacon["remote"], beacon["proto"], (beacon["port"],))
