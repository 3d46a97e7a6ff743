"""What a policy told, and rows that it is given."""

from __future__ import annotations

from typing import Any

from sensor.alerts.incident import EveAlert, Event
from sensor.alerts.log import format_line
from sensor.alerts.policy import Output, Policy
from sensor.alerts.state import decode, encode
from sensor.engine import Batch
from tests.unit.samples import SECOND, START, hit

MINUTE, HOUR = 60 * SECOND, 3600 * SECOND


def events(outputs: list[Output]) -> list[Event]:
    return [output for output in outputs if isinstance(output, Event)]


def eve(outputs: list[Output]) -> list[EveAlert]:
    return [output for output in outputs if isinstance(output, EveAlert)]


def lines(outputs: list[Output]) -> list[str]:
    return [format_line(event) for event in events(outputs)]


def take(policy: Policy, *rows: Any, until: int = 0) -> list[Output]:
    hits = [row for row in rows if "flow_id" in row]
    findings = [row for row in rows if "flow_id" not in row]
    return policy.take(Batch(until or max(row["time_ns"] for row in rows), hits, findings))


def contacts_each_minute(count: int, start: int = START) -> list[Any]:
    return [
        hit(start + n * MINUTE, flow_id=n, bytes_toserver=4364, bytes_toclient=109_091)
        for n in range(count)
    ]  # fmt: skip


def name_hit(time_ns: int = START, **changes: Any) -> Any:
    """A host asks its resolver for a listed name."""
    row = {
        "type": "domain", "indicator": "evil.example", "observed": "Evil.example", "observed_in": "dns",
        "dest_ip": "10.0.0.53", "dest_port": 53, "proto": "UDP", "dest_internal": True, "stage": "contact",
    }  # fmt: skip
    return hit(time_ns, **{**row, **changes})


def restarted(policy: Policy, now_ns: int) -> Policy:
    fresh = Policy(now_ns=now_ns)
    fresh.restore(decode(encode(policy.document())))
    return fresh
