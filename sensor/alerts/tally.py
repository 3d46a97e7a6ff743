"""What an incident has counted so far, and how that reads in a line of the alert log."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from statistics import median
from typing import Any, Literal, NamedTuple

from sensor.alerts.rows import BeaconRow, Ends, FindingRow, HitRow, JudgedRow, name_and_mac
from sensor.alerts.text import NS_PER_SECOND, clock, counted, endpoint, escape, has_ports, pace, size, span

STAGES = ("attempt", "contact", "data")

_REMEMBERED_STARTS = 32
_FEWEST_INTERVALS = 5
_REGULAR_SHARE = 0.8
_REGULAR_DEVIATION = 0.1


class Life(NamedTuple):
    """When an incident was opened and last seen, and why it ends if not by silence."""

    opened_ns: int
    last_ns: int
    reason: str

    @property
    def seconds(self) -> float:
        """How long the incident was seen."""
        return (self.last_ns - self.opened_ns) / NS_PER_SECOND

    @property
    def suffix(self) -> str:
        """The reason as the end of a close line."""
        return f"; {self.reason}" if self.reason else ""


def period_seconds(starts_ns: Sequence[int]) -> float | None:
    """Give the period of regular contacts: the median interval if most intervals are near it, else None."""
    intervals = [later - earlier for earlier, later in pairwise(starts_ns)]
    if len(intervals) < _FEWEST_INTERVALS:
        return None
    middle = median(intervals)
    near = sum(abs(interval - middle) <= _REGULAR_DEVIATION * middle for interval in intervals)
    return middle / NS_PER_SECOND if near >= _REGULAR_SHARE * len(intervals) else None


@lru_cache(maxsize=1024)
def describe_entry(metadata: str, list_name: str, indicator: str, kind: str) -> str:
    """Say what the list tells of an indicator: `Emotet C2 (feodo, confidence 90)`."""
    entry = entry_of(metadata)
    words = " ".join(entry[column] for column in ("malware", "threat_type") if entry.get(column))
    what = words or entry.get("comment") or f"listed {indicator}"
    notes = [escape(list_name)]
    if words and kind in {"cidr", "suffix"}:
        notes.append(escape(indicator))
    if entry.get("confidence"):
        notes.append(f"confidence {escape(entry['confidence'])}")
    return f"{escape(what)} ({', '.join(notes)})"


def entry_of(metadata: str) -> dict[str, str]:
    """Give the own columns of a list entry, all as text."""
    entry: dict[str, Any] = json.loads(metadata or "{}")
    return {column: str(value) for column, value in entry.items()}


def host_details(address: str, row: HitRow | FindingRow | BeaconRow | JudgedRow) -> str:
    """Give a host with what is known of it: `10.20.3.44 (PC-0417 00:1b:44:11:3a:b7 vlan 20)`."""
    details = [escape(known) for known in name_and_mac(row) if known]
    vlan = row["vlan"]
    if vlan:
        details.append("vlan " + ".".join(map(str, vlan)))
    return f"{address} ({' '.join(details)})" if details else address


@dataclass(slots=True)
class FlowTally:
    """Flows between one host and one indicator. `contacts` counts flows, answered or not; out is from the host.

    `by_name` says that the flows showed the indicator: the remote end may be a resolver or a proxy, and names nothing.
    """

    host: str
    host_port: int | None
    remote: str
    remote_port: int | None
    host_opened: bool
    stage: str = STAGES[0]
    contacts: int = 0
    packets_out: int = 0
    packets_in: int = 0
    bytes_out: int = 0
    bytes_in: int = 0
    starts_ns: list[int] = field(default_factory=list)
    several_remotes: bool = False
    by_name: bool = False
    list_name: str = ""
    kind: Literal["flows"] = "flows"

    @classmethod
    def of(cls, row: HitRow, ends: Ends) -> "FlowTally":
        """Start the tally of a first hit; the hit itself is still to be added.

        A flow that was there before the incident has no open event left to be counted by.
        """
        ports = has_ports(row["proto"])
        host_port = ends.host_port if ports and not ends.host_opened else None
        remote_port = ends.remote_port if ports and ends.host_opened else None
        tally = cls(ends.host, host_port, ends.remote, remote_port, ends.host_opened)
        tally.contacts = 0 if row["event"] == "open" else 1
        tally.by_name = row["observed"] is not None
        tally.list_name = row["list"]
        return tally

    def add(self, row: HitRow, ends: Ends) -> bool:
        """Add a hit; tell whether it takes the incident to a later stage."""
        if ends.host_opened:
            self.packets_out += row["packets_toserver"]
            self.packets_in += row["packets_toclient"]
            self.bytes_out += row["bytes_toserver"]
            self.bytes_in += row["bytes_toclient"]
        else:
            self.packets_out += row["packets_toclient"]
            self.packets_in += row["packets_toserver"]
            self.bytes_out += row["bytes_toclient"]
            self.bytes_in += row["bytes_toserver"]
        if row["event"] == "open":
            self.contacts += 1
            self._remember_start(row["start_ns"])
        if self.remote_port is not None and (ends.remote_port != self.remote_port or not ends.host_opened):
            self.remote_port = None
        if self.host_port is not None and (ends.host_port != self.host_port or ends.host_opened):
            self.host_port = None
        self.several_remotes = self.several_remotes or ends.remote != self.remote
        return self._raise_stage(row["stage"])

    def _remember_start(self, start_ns: int) -> None:
        starts = self.starts_ns
        # Connections that are opened side by side are one contact for the period.
        if not starts or start_ns - starts[-1] >= NS_PER_SECOND:
            starts.append(start_ns)
            del starts[:-_REMEMBERED_STARTS]

    def _raise_stage(self, stage: str) -> bool:
        if stage == self.stage or STAGES.index(stage) < STAGES.index(self.stage):
            return False
        self.stage = stage
        return True

    def open_groups(self, row: HitRow) -> tuple[str, ...]:
        """What the open line tells."""
        packets = f"{self.stage}, {counted(self.packets_out, 'packet')} out, {self.packets_in:,} in"
        who = host_details(endpoint(self.host, self.host_port), row)
        entry = describe_entry(row["metadata"], row["list"], row["indicator"], row["type"])
        shown = () if row["observed"] is None else (f"{escape(row['observed'])} in {row['observed_in']}",)
        return (f"{who} {self._target}", entry, *shown, packets, f"{row['first_sender']} sent the first")

    def update_groups(self, indicator: str, *, risen: bool) -> tuple[str, ...]:
        """What an update line tells; `risen` when a new stage is the reason."""
        parts = [f"now {self.stage}"] if risen else []
        parts += [self._contacts, f"{size(self.bytes_out)} out", f"{size(self.bytes_in)} in"]
        period = period_seconds(self.starts_ns)
        if period is not None:
            parts.append(f"every {pace(period)}")
        return (self._ends(indicator), ", ".join(parts))

    def close_groups(self, indicator: str, life: Life) -> tuple[str, ...]:
        """What the close line tells."""
        within = f" in {span(life.seconds)}" if life.seconds >= 1 else ""
        return (self._ends(indicator), f"{self._contacts}{within}, last {clock(life.last_ns)}{life.suffix}")

    @property
    def _contacts(self) -> str:
        return counted(self.contacts, "attempt" if self.stage == "attempt" else "contact")

    @property
    def _target(self) -> str:
        return f"{'->' if self.host_opened else '<-'} {endpoint(self.remote, self.remote_port)}"

    def _ends(self, indicator: str) -> str:
        if not self.several_remotes and not self.by_name:
            return f"{endpoint(self.host, self.host_port)} {self._target}"
        return f"{endpoint(self.host, self.host_port)} {'->' if self.host_opened else '<-'} {escape(indicator)}"


@dataclass(slots=True)
class FindingTally:
    """The highest numbers of a finding about one host, each over `window_seconds`."""

    host: str
    window_seconds: int = 0
    connections: int = 0
    servers: int = 0
    rejects: int = 0
    kind: Literal["finding"] = "finding"

    def add(self, row: FindingRow) -> None:
        """Keep the highest numbers."""
        self.window_seconds = row["window_seconds"]
        self.connections = max(self.connections, row["connections"])
        self.servers = max(self.servers, row["servers"])
        self.rejects = max(self.rejects, row["rejects"])

    def open_groups(self, row: FindingRow) -> tuple[str, ...]:
        """What the open line tells."""
        groups = (host_details(self.host, row), self._numbers(row["rule"]))
        return (*groups, "such as " + ", ".join(map(escape, row["examples"]))) if row["examples"] else groups

    def update_groups(self, rule: str) -> tuple[str, ...]:
        """What an update line tells."""
        return (self.host, f"at most {self._numbers(rule)}")

    def close_groups(self, rule: str, life: Life) -> tuple[str, ...]:
        """What the close line tells."""
        lasted = f"; lasted {span(life.seconds)}, last {clock(life.last_ns)}{life.suffix}"
        return (self.host, f"at most {self._numbers(rule)}{lasted}")

    def _numbers(self, rule: str) -> str:
        servers = f"to {counted(self.servers, 'server')} in {pace(self.window_seconds)}"
        connections = counted(self.connections, "connection")
        if rule == "smtp.rejects":
            return f"{self.rejects:,} of {connections} {servers} turned away"
        return f"{connections} {servers}"


@dataclass(slots=True)
class JudgedTally:
    """What was judged of conversations: the latest figures, and the sum of what was counted."""

    host: str
    remote: str
    text: str = ""
    count: int = 0
    kind: Literal["judged"] = "judged"

    def add(self, row: JudgedRow) -> None:
        """Take the figures as of now."""
        self.text = row["text"]
        self.count += row["count"]

    def open_groups(self, row: JudgedRow) -> tuple[str, ...]:
        """What the open line tells."""
        return (host_details(self.host, row), self.text, *row["notes"])

    def update_groups(self) -> tuple[str, ...]:
        """What an update line tells."""
        return (self.host, self.text)

    def close_groups(self, life: Life) -> tuple[str, ...]:
        """What the close line tells."""
        return (self.host, f"{self.text}; lasted {span(life.seconds)}, last {clock(life.last_ns)}{life.suffix}")


@dataclass(slots=True)
class ConditionTally:
    """Something wrong with the sensor or the mirror: `text` says what, after `count` if that is not 0."""

    subject: str
    text: str
    count: int = 0
    kind: Literal["condition"] = "condition"

    def groups(self) -> tuple[str, ...]:
        """What the open line and an update line tell."""
        return (escape(self.subject), f"{self.count:,} {escape(self.text)}" if self.count else escape(self.text))

    def close_groups(self, life: Life) -> tuple[str, ...]:
        """What the close line tells."""
        subject, text = self.groups()
        return (subject, f"{text}; lasted {span(life.seconds)}{life.suffix}")
