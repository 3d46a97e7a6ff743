"""What Python knows as rows of history: who hosts are, and alerts."""

from collections.abc import Mapping
from typing import Any

from sensor.alerts.incident import Event
from sensor.alerts.log import format_line
from sensor.alerts.text import MINUTE, NS_PER_SECOND
from sensor.history.schema import HOST_COLUMNS
from sensor.history.tree import hour_number
from sensor.identity.naming import Identities

_CHANGES_NS = MINUTE * NS_PER_SECOND


class HostRows:
    """Tells the machines of addresses: each minute what has changed, and after each hour all that were heard in it."""

    def __init__(self, identities: Identities, since_ns: int) -> None:
        """What was heard before `since_ns`, an earlier run has told."""
        self._identities = identities
        self._told: dict[tuple[str, str | None], tuple[object, ...]] = {}
        self._since_ns = self._hour_ns = since_ns

    def due(self, time_ns: int) -> list[dict[str, Any]]:
        """Give the rows that are to be written at a packet time."""
        if hour_number(time_ns) > hour_number(self._hour_ns):
            since_ns, self._hour_ns = self._hour_ns, time_ns
            self._told.clear()
        elif time_ns - self._since_ns >= _CHANGES_NS:
            since_ns = self._since_ns
        else:
            return []
        self._since_ns = time_ns
        return self._heard_since(since_ns)

    def rest(self) -> list[dict[str, Any]]:
        """Give what has changed since the last rows."""
        return self._heard_since(self._since_ns)

    def _heard_since(self, since_ns: int) -> list[dict[str, Any]]:
        rows = []
        for machine in self._identities.heard_since(since_ns):
            users = [user["text"] for user in machine["users"]]
            agents = [agent["text"] for agent in machine["agents"]]
            row = {**machine, "time_ns": machine["last_seen_ns"], "users": users, "agents": agents}
            known = tuple(row[column] for column in HOST_COLUMNS if not column.endswith("_ns"))
            key = (machine["ip"], machine["mac"])
            if self._told.get(key) != known:
                self._told[key] = known
                rows.append({column: row[column] for column in HOST_COLUMNS})
        return rows


def alert_row(event: Event) -> dict[str, Any] | None:
    """Give a line of the alert log as a row; None of one that tells of no incident."""
    figures = event.figures
    if figures is None:
        return None
    return {
        "time_ns": event.time_ns,
        "event": event.kind.value,
        "id": event.incident,
        "rule": event.rule,
        "severity": event.severity.word,
        "host": event.host,
        "remote": figures.get("remote"),
        "indicator": event.subject,
        "list": figures.get("list"),
        "opened_ns": event.opened_ns,
        "last_seen_ns": event.last_ns,
        "count": _count(figures),
        "packets_out": figures.get("packets_out"),
        "packets_in": figures.get("packets_in"),
        "bytes_out": figures.get("bytes_out"),
        "bytes_in": figures.get("bytes_in"),
        "text": format_line(event),
    }


def _count(figures: Mapping[str, Any]) -> int | None:
    """Give the number that the rule counts with: contacts, connections, or events."""
    return next((figures[column] for column in ("contacts", "connections", "count") if column in figures), None)
