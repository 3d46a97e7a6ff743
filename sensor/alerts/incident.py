"""An incident: everything that one rule has to say about one host and one indicator or remote, over time."""

import hashlib
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, NamedTuple

from pydantic import Field

from sensor.alerts.beacon import BeaconTally
from sensor.alerts.rows import BeaconRow, FindingRow, HitRow, JudgedRow
from sensor.alerts.rules import Severity
from sensor.alerts.tally import ConditionTally, FindingTally, FlowTally, JudgedTally, Life
from sensor.alerts.text import NS_PER_SECOND, utc_stamp

UPDATE_EVERY_NS = 600 * NS_PER_SECOND
"""An open incident is reported again at most this often, unless it reaches a later stage."""

CLOSE_AFTER_NS = 3600 * NS_PER_SECOND
"""An incident that was not seen for so long is closed, whatever its rule."""


STATE_VERSION = 1
"""Form of the state document."""


Tally = FlowTally | FindingTally | BeaconTally | JudgedTally | ConditionTally
"""What an incident counts with."""


class Kind(StrEnum):
    """What a line of the alert log reports."""

    OPEN = "OPEN"
    UPDATE = "UPDATE"
    CLOSE = "CLOSE"
    ALIVE = "ALIVE"


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the alert log. `groups` are its text after the rule and the id, already escaped.

    `remote` is the one address that it is about besides its host, empty where there is none or several. `figures` are
    what the incident has counted by then, as the API names it; None of a line that is about none.
    """

    kind: Kind
    time_ns: int
    groups: tuple[str, ...]
    rule: str = ""
    severity: Severity = Severity.INFO
    incident: str = ""
    host: str = ""
    remote: str = ""
    subject: str = ""
    opened_ns: int = 0
    last_ns: int = 0
    figures: Mapping[str, Any] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Condition:
    """Something about the sensor itself; `count` is what was lost since the last report, 0 where nothing counts."""

    rule: str
    subject: str
    text: str
    count: int = 0
    over: bool = False


@dataclass(frozen=True, slots=True)
class EveAlert:
    """One line for the event log: a hit, a finding, a judgement or a condition, and the incident that it belongs to."""

    time_ns: int
    rule: str
    severity: Severity
    incident: str
    row: HitRow | FindingRow | BeaconRow | JudgedRow | Condition


class Key(NamedTuple):
    """What makes two hits one incident."""

    rule: str
    host: str
    subject: str


@dataclass(slots=True)
class Incident:
    """The state of one incident. Its fields are what the state file keeps."""

    id: str
    rule: str
    host: str
    subject: str
    severity: Severity
    opened_ns: int
    last_ns: int
    reported_ns: int
    tally: Annotated[Tally, Field(discriminator="kind")]
    news: bool = False
    eve_alerts: int = 0
    scheduled_ns: int = 0
    evidence: list[str] = field(default_factory=list)

    @property
    def key(self) -> Key:
        """The key under which it is open."""
        return Key(self.rule, self.host, self.subject)

    @property
    def due_ns(self) -> int:
        """When it is next to be reported or closed."""
        close_ns = self.last_ns + CLOSE_AFTER_NS
        return min(close_ns, self.reported_ns + UPDATE_EVERY_NS) if self.news else close_ns

    def announcement(self) -> Event:
        """Make an event as that of its opening, for who has to know of it again; it is no line of the log."""
        return self._event_at(Kind.OPEN, self.opened_ns, ())

    def open_event(self, time_ns: int, groups: tuple[str, ...]) -> Event:
        """Make the line that announces it."""
        return self._event(Kind.OPEN, time_ns, groups)

    def update_event(self, time_ns: int, *, risen: bool = False) -> Event:
        """Make the line with the sums so far."""
        return self._event(Kind.UPDATE, time_ns, self._update_groups(risen=risen))

    def close_event(self, time_ns: int, reason: str = "") -> Event:
        """Make the last line; `reason` says why it ends if not by silence."""
        groups = self._close_groups(Life(self.opened_ns, self.last_ns, reason))
        if self.evidence:
            groups = (*groups[:-1], f"{groups[-1]}; evidence {', '.join(self.evidence)}")
        return self._event(Kind.CLOSE, time_ns, groups)

    def _close_groups(self, life: Life) -> tuple[str, ...]:
        match self.tally:
            case FlowTally():
                return self.tally.close_groups(self.subject, life)
            case FindingTally():
                return self.tally.close_groups(self.rule, life)
            case BeaconTally():
                return self.tally.close_groups(self.subject, life)
            case JudgedTally():
                return self.tally.close_groups(life)
            case ConditionTally():
                return self.tally.close_groups(life)

    def _update_groups(self, *, risen: bool) -> tuple[str, ...]:
        match self.tally:
            case FlowTally():
                return self.tally.update_groups(self.subject, risen=risen)
            case FindingTally():
                return self.tally.update_groups(self.rule)
            case BeaconTally():
                return self.tally.update_groups(self.subject)
            case JudgedTally():
                return self.tally.update_groups()
            case ConditionTally():
                return self.tally.groups()

    def _event(self, kind: Kind, time_ns: int, groups: tuple[str, ...]) -> Event:
        self.reported_ns = time_ns
        self.news = False
        return self._event_at(kind, time_ns, groups)

    def _event_at(self, kind: Kind, time_ns: int, groups: tuple[str, ...]) -> Event:
        return Event(
            kind,
            time_ns,
            groups,
            self.rule,
            self.severity,
            self.id,
            self.host,
            self.remote,
            self.subject,
            self.opened_ns,
            self.last_ns,
            self.figures(),
        )

    @property
    def remote(self) -> str:
        """The one address that it is about besides its host; empty where there is none, or not only one."""
        match self.tally:
            case FlowTally(several_remotes=False, by_name=False) | JudgedTally() | BeaconTally():
                return self.tally.remote
            case _:
                return ""

    def describe(self) -> dict[str, Any]:
        """Give it as the API shows it: times in UTC, bytes and packets seen from the host."""
        return {
            "id": self.id,
            "rule": self.rule,
            "severity": self.severity.word,
            "host": self.host,
            "indicator": self.subject,
            "opened": utc_stamp(self.opened_ns),
            "last_seen": utc_stamp(self.last_ns),
            "last_seen_ns": self.last_ns,
            "closed": None,
            "evidence": list(self.evidence),
            **self.figures(),
        }

    def figures(self) -> dict[str, Any]:
        """Give what its rule counts with, and what it is about besides the host."""
        match self.tally:
            case FlowTally() as flows:
                return {
                    "remote": flows.remote,
                    "stage": flows.stage,
                    "list": flows.list_name,
                    "contacts": flows.contacts,
                    "packets_out": flows.packets_out,
                    "packets_in": flows.packets_in,
                    "bytes_out": flows.bytes_out,
                    "bytes_in": flows.bytes_in,
                }
            case FindingTally() as finding:
                return {"connections": finding.connections, "servers": finding.servers, "rejects": finding.rejects}
            case JudgedTally() as judged:
                return {"remote": judged.remote, "text": judged.text, "count": judged.count}
            case BeaconTally() as beacon:
                return {
                    "remote": beacon.remote,
                    "contacts": beacon.calls,
                    "bytes_out": beacon.bytes_out,
                    "bytes_in": beacon.bytes_in,
                    "interval_seconds": beacon.interval_seconds,
                    "jitter_ratio": beacon.jitter_ratio,
                }
            case ConditionTally() as condition:
                return {"text": condition.text, "count": condition.count}


@dataclass(frozen=True, slots=True)
class StateDocument:
    """What outlives a restart."""

    incidents: list[Incident]
    recent_ids: list[str]
    version: int = STATE_VERSION


def short_id(key: Key, time_ns: int, taken: Container[str]) -> str:
    """Make an id of four hexadecimal digits that is not taken, the same for the same incident on each run.

    More digits are used only when no window of four in the digest is free.
    """
    digest = hashlib.blake2s("\n".join((*key, str(time_ns))).encode()).hexdigest()
    for length in range(4, len(digest)):
        for start in range(len(digest) - length):
            candidate = digest[start : start + length]
            if candidate not in taken:
                return candidate
    return digest
