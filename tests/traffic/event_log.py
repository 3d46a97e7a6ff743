"""Reading flow records of an event log."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.traffic.tshark import FlowKey


def flow_totals(records: Iterable[dict[str, Any]]) -> dict[FlowKey, tuple[int, int]]:
    """Packets and bytes of each TCP and UDP conversation over all its flow records, keyed as `tshark.flows` keys."""
    totals: dict[FlowKey, tuple[int, int]] = {}
    for record in records:
        if record["event_type"] != "flow" or record["proto"] not in ("TCP", "UDP"):
            continue
        ends = sorted([(record["src_ip"], record["src_port"]), (record["dest_ip"], record["dest_port"])])
        key = (record["proto"].lower(), ends[0], ends[1])
        packets, size = totals.get(key, (0, 0))
        flow = record["flow"]
        packets += flow["pkts_toserver"] + flow["pkts_toclient"]
        totals[key] = (packets, size + flow["bytes_toserver"] + flow["bytes_toclient"])
    return totals
