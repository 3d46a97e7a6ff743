"""Open flows of a running sensor, as rows that the search reads like records."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from sensor.alerts.text import counted
from sensor.api.client import NoAnswerError, RefusedError, ask
from sensor.hunt.wanted import WantedSet
from sensor.identity.ends import Ends

_MOST_QUESTIONS = 32
_MOST_ROWS = 10_000


def open_flows(socket: Path | None, wanted: WantedSet, ends: Ends, note: Callable[[str], None]) -> list[dict[str, Any]]:
    """Give the open flows that may meet what is wanted; none where nobody answers, which `note` is told if it matters.

    A few addresses are asked for by themselves, everything else in the 10,000 connections that were busy last.
    """
    if socket is None or not socket.exists():
        return []
    filters = _filters(wanted)
    found: dict[int, dict[str, Any]] = {}
    for text in filters:
        try:
            rows = ask(socket, "flows", filter=text, order="last", limit=str(_MOST_ROWS))
        except (NoAnswerError, RefusedError) as error:
            note(f"the running sensor does not tell its open connections: {error}")
            return []
        if len(rows) == _MOST_ROWS:
            note(f"of the open connections only the latest {counted(_MOST_ROWS, 'one', 'ones')} are looked through")
        found.update((row["flow_id"], row) for row in rows)
    return [_as_record(row, ends) for row in found.values()]


def _filters(wanted: WantedSet) -> Iterable[str]:
    networks: set[str] = set()
    for entry in wanted.entries():
        if entry.network is None or len(networks) == _MOST_QUESTIONS:
            return [""]
        networks.add(entry.network)
    return networks


def _as_record(row: dict[str, Any], ends: Ends) -> dict[str, Any]:
    return dict(_columns(row, ends))


def _columns(row: dict[str, Any], ends: Ends) -> Iterator[tuple[str, Any]]:
    yield from ((name, row[name]) for name in ("flow_id", "community_id", "proto", "vlan", "start_ns", "state", "name"))
    yield from (("time_ns", row["last_ns"]), ("end_ns", row["last_ns"]), ("reason", "open"))
    for end, side, towards in (("orig", "src", "toserver"), ("resp", "dest", "toclient")):
        yield from ((f"{side}_{name}", row[f"{end}_{name}"]) for name in ("ip", "port", "mac"))
        yield f"{side}_internal", ends.is_internal(row[f"{end}_ip"])
        yield f"packets_{towards}", row[f"{end}_packets"]
        yield f"bytes_{towards}", row[f"{end}_bytes"]
        yield f"total_packets_{towards}", row[f"{end}_packets"]
    yield from (("total_bytes_toclient", row["resp_bytes"]), ("tcp_flags_toclient", 0))
