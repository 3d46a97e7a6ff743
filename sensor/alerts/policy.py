"""The alert policy: from hits, findings and conditions to the lines that an operator reads.

No input or output and no clock: time is the packet time that comes with each call. Deadlines fire in time order
before any later hit is looked at, with their own time, so that the result does not depend on how the core cuts its
batches.
"""

import heapq
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable
from itertools import chain, count, islice
from typing import Any, cast

from sensor.alerts.batch import Row, RowsUntil, row_order
from sensor.alerts.beacon import BeaconTally, remote_end
from sensor.alerts.incident import (
    CLOSE_AFTER_NS,
    UPDATE_EVERY_NS,
    Condition,
    EveAlert,
    Event,
    Incident,
    Key,
    Kind,
    StateDocument,
    Tally,
    short_id,
)
from sensor.alerts.mirror import condition_of
from sensor.alerts.rows import BeaconRow, Ends, FindingRow, HitRow, JudgedRow, carries_news, ends_of
from sensor.alerts.rules import BY_NAME, Severity
from sensor.alerts.suppress import SuppressEntry, Suppressions
from sensor.alerts.tally import ConditionTally, FindingTally, FlowTally, JudgedTally
from sensor.alerts.text import NS_PER_SECOND, utc_stamp

MOST_OPEN = 10_000
"""Incidents that may be open at once; beyond that the one that was quiet for longest is closed."""

MOST_CLOSED = 1000
"""Closed incidents that are remembered, for whoever asks; the oldest beyond that are forgotten."""

EVE_ALERTS_PER_INCIDENT = 100
"""Flows of one incident that get an alert of their own in the event log."""

_REMEMBERED_IDS = 4096
_FURTHEST_AHEAD_NS = 60 * NS_PER_SECOND
_NEVER_NS = 1 << 63
_ADDRESS_RULE = "watchlist.ip"
_RULE_OF_TYPE = {
    "domain": "watchlist.domain",
    "suffix": "watchlist.domain",
    "url": "watchlist.url",
    "ja4": "watchlist.ja4",
}

Output = Event | EveAlert


class Policy:
    """Keeps the open incidents. `now_ns` is the time at the start.

    With `rows_tell_time` the time of a batch is that of its latest row. What the core says how far packet time has
    come depends on when its threads ran; its rows do not, and `read` must give the same lines each time.
    `name` puts the host's machine in a row that is told in full.
    """

    def __init__(
        self,
        suppressions: Iterable[SuppressEntry] = (),
        now_ns: int = 0,
        *,
        rows_tell_time: bool = False,
        name: Callable[[Row], None] | None = None,
    ) -> None:
        self._rows_tell_time = rows_tell_time
        self._name = name or _leave_nameless
        self.opened: Counter[tuple[str, str]] = Counter()
        self.suppressed: Counter[str] = Counter()
        self.overflowed = 0
        self.revision = 0
        self._suppressions = Suppressions(suppressions)
        self._clock_ns = now_ns
        self._open: OrderedDict[Key, Incident] = OrderedDict()
        self._ids: set[str] = set()
        self._recent_ids: deque[str] = deque()
        self._timers: list[tuple[int, int, Incident]] = []
        self._sequence = count()
        self._hushed: OrderedDict[Key, int] = OrderedDict()
        self._closed: deque[tuple[Incident, int]] = deque(maxlen=MOST_CLOSED)

    @property
    def open_incidents(self) -> int:
        """How many incidents are open."""
        return len(self._open)

    def replace_suppressions(self, suppressions: Iterable[SuppressEntry]) -> None:
        """Use other suppressions from now on."""
        self._suppressions = Suppressions(suppressions)

    def take(self, batch: RowsUntil) -> list[Output]:
        """Take the rows of a batch and move the time to the batch's."""
        out: list[Output] = []
        rows: list[Row] = [*batch.hits, *batch.findings, *batch.beacons, *batch.judged]
        rows.sort(key=row_order)
        known_ns = max(batch.time_ns, self._clock_ns)
        furthest_ns = known_ns + _FURTHEST_AHEAD_NS if known_ns else _NEVER_NS
        until_ns = batch.time_ns
        if self._rows_tell_time:
            times = [row["time_ns"] for row in (*rows, *batch.conditions)]
            until_ns = max((min(time_ns, furthest_ns) for time_ns in times), default=0)
        for row in rows:
            time_ns = min(row["time_ns"], furthest_ns)
            self._run_timers(min(time_ns, until_ns), out)
            if "flow_id" in row:
                self._take_hit(row, time_ns, out)
            elif "notes" in row:
                self._take_judged(row, time_ns, out)
            elif "remote" in row:
                self._take_beacon(row, time_ns, out)
            else:
                self._take_finding(row, time_ns, out)
        # A second's judgement comes after what was judged in it.
        for change in batch.conditions:
            out += self.observe([condition_of(change)], min(change["time_ns"], furthest_ns))
        self._run_timers(until_ns, out)
        return out

    def observe(self, conditions: Iterable[Condition], time_ns: int) -> list[Output]:
        """Take what is wrong with the sensor, or no longer is."""
        out: list[Output] = []
        for condition in conditions:
            key = Key(condition.rule, "", condition.subject)
            incident = self._open.get(key)
            if condition.over:
                self._hushed.pop(key, None)
                if incident is not None:
                    out.append(self._close(incident, time_ns))
            elif incident is not None:
                self._repeat_condition(incident, condition, time_ns)
            elif not self._is_suppressed(key, "", time_ns):
                tally = ConditionTally(condition.subject, condition.text, condition.count)
                incident = self._new(key, BY_NAME[condition.rule].severity, time_ns, tally)
                self._announce(incident, time_ns, tally.groups(), out)
                out.append(EveAlert(time_ns, key.rule, incident.severity, incident.id, condition))
        return out

    def tick(self, time_ns: int) -> list[Output]:
        """Move the time on: everything that is due before it happens now."""
        out: list[Output] = []
        self._run_timers(time_ns, out)
        return out

    def set_back(self, time_ns: int) -> None:
        """Follow a clock that was set back, so that incidents do not wait for the old time to come again."""
        self._clock_ns = time_ns
        for incident in self._open.values():
            incident.opened_ns = min(incident.opened_ns, time_ns)
            incident.last_ns = min(incident.last_ns, time_ns)
            incident.reported_ns = min(incident.reported_ns, time_ns)
        self._rebuild_timers()

    def alive(self, time_ns: int, groups: tuple[str, ...]) -> Event:
        """Make the heartbeat line: silence in the log means that nothing happened."""
        noun = "incident" if len(self._open) == 1 else "incidents"
        return Event(Kind.ALIVE, time_ns, (*groups[:-1], f"{groups[-1]}, {len(self._open)} {noun} open"))

    def finish(self, reason: str) -> list[Output]:
        """Close everything that is still open, with its sums: there will be no next run to go on with it."""
        out: list[Output] = []
        for incident in sorted(self._open.values(), key=lambda found: (found.opened_ns, found.key)):
            if incident.news:
                out.append(incident.update_event(self._clock_ns))
            out.append(self._close(incident, self._clock_ns, reason))
        return out

    def describe(self, most: int | None = None) -> list[dict[str, Any]]:
        """Give the open incidents as the API shows them, the latest first; only the first `most` of them."""
        return [incident.describe() for incident in islice(reversed(self._open.values()), most)]

    def describe_closed(self, most: int | None = None) -> list[dict[str, Any]]:
        """Give the incidents that this run has closed and still remembers, the last closed first."""
        latest = islice(reversed(self._closed), most)
        return [{**incident.describe(), "closed": utc_stamp(closed_ns)} for incident, closed_ns in latest]

    def attach(self, incident_id: str, file_name: str) -> None:
        """Note that a file holds packets of an incident, which may be closed by now."""
        closed = (incident for incident, _ in reversed(self._closed))
        for incident in chain(self._open.values(), closed):
            if incident.id == incident_id:
                incident.evidence.append(file_name)
                self.revision += 1
                return

    def without_evidence(self) -> list[Event]:
        """Announce the open incidents again that no file holds packets of."""
        return [incident.announcement() for incident in self._open.values() if not incident.evidence]

    def document(self) -> StateDocument:
        """Give what must outlive a restart; the incidents in it are the live ones."""
        return StateDocument(list(self._open.values()), list(self._recent_ids))

    def restore(self, document: StateDocument) -> None:
        """Go on with the incidents of an earlier run."""
        self._recent_ids.extend(document.recent_ids[-_REMEMBERED_IDS:])
        self._open.update((incident.key, incident) for incident in document.incidents[-MOST_OPEN:])
        self._ids = set(self._recent_ids) | {incident.id for incident in self._open.values()}
        self._rebuild_timers()

    def _take_hit(self, row: HitRow, time_ns: int, out: list[Output]) -> None:
        ends = ends_of(row)
        key = Key(_RULE_OF_TYPE.get(row["type"], _ADDRESS_RULE), ends.host, row["indicator"])
        if self._is_suppressed(key, ends.remote, time_ns):
            return
        incident = self._open.get(key)
        if incident is None:
            if not carries_news(row):
                return
            incident = self._open_flows(key, row, ends, time_ns, out)
        else:
            self._add_hit(incident, row, ends, time_ns, out)
        if row["event"] == "open" and incident.eve_alerts < EVE_ALERTS_PER_INCIDENT:
            self._name(row)
            incident.eve_alerts += 1
            out.append(EveAlert(time_ns, key.rule, incident.severity, incident.id, row))

    def _open_flows(self, key: Key, row: HitRow, ends: Ends, time_ns: int, out: list[Output]) -> Incident:
        self._name(row)
        tally = FlowTally.of(row, ends)
        incident = self._new(key, Severity(row["severity"]), time_ns, tally)
        tally.add(row, ends)
        self._announce(incident, time_ns, tally.open_groups(row), out)
        return incident

    def _add_hit(self, incident: Incident, row: HitRow, ends: Ends, time_ns: int, out: list[Output]) -> None:
        if carries_news(row):
            self._seen(incident, time_ns)
            incident.news = True
        if cast("FlowTally", incident.tally).add(row, ends):
            out.append(incident.update_event(time_ns, risen=True))
        self._schedule(incident)

    def _take_finding(self, row: FindingRow, time_ns: int, out: list[Output]) -> None:
        self._name(row)
        key = Key(row["rule"], row["host"], "")
        if self._is_suppressed(key, "", time_ns):
            return
        incident = self._open.get(key)
        if incident is None:
            tally = FindingTally(row["host"])
            tally.add(row)
            incident = self._new(key, BY_NAME[key.rule].severity, time_ns, tally)
            self._announce(incident, time_ns, tally.open_groups(row), out)
        else:
            cast("FindingTally", incident.tally).add(row)
            if not self._repeat(incident, time_ns, out):
                return
        out.append(EveAlert(time_ns, key.rule, incident.severity, incident.id, row))

    def _take_judged(self, row: JudgedRow, time_ns: int, out: list[Output]) -> None:
        self._name(row)
        key = Key(row["rule"], row["host"], row["subject"])
        if self._is_suppressed(key, row["remote"], time_ns):
            return
        incident = self._open.get(key)
        severity = Severity(row["severity"])
        if incident is None:
            tally = JudgedTally(row["host"], row["remote"])
            tally.add(row)
            incident = self._new(key, severity, time_ns, tally)
            self._announce(incident, time_ns, tally.open_groups(row), out)
        else:
            cast("JudgedTally", incident.tally).add(row)
            self._seen(incident, time_ns)
            incident.news = True
            if severity < incident.severity:
                incident.severity = severity
                out.append(incident.update_event(time_ns))
            self._schedule(incident)
        if incident.eve_alerts < EVE_ALERTS_PER_INCIDENT:
            incident.eve_alerts += 1
            out.append(EveAlert(time_ns, key.rule, incident.severity, incident.id, row))

    def _take_beacon(self, row: BeaconRow, time_ns: int, out: list[Output]) -> None:
        self._name(row)
        key = Key(row["rule"], row["host"], remote_end(row))
        if self._is_suppressed(key, row["remote"], time_ns):
            return
        incident = self._open.get(key)
        if incident is None:
            tally = BeaconTally(row["host"])
            tally.add(row)
            incident = self._new(key, BY_NAME[key.rule].severity, time_ns, tally)
            self._announce(incident, time_ns, tally.open_groups(row), out)
        else:
            cast("BeaconTally", incident.tally).add(row)
            if not self._repeat(incident, time_ns, out):
                return
        out.append(EveAlert(time_ns, key.rule, incident.severity, incident.id, row))

    def _repeat(self, incident: Incident, time_ns: int, out: list[Output]) -> bool:
        """See an open incident again; tell whether it was time for an update.

        An update hangs on a row and not on a timer, so that its place in the event log is always the same.
        """
        self._seen(incident, time_ns)
        if time_ns < incident.reported_ns + UPDATE_EVERY_NS:
            return False
        out.append(incident.update_event(time_ns))
        return True

    def _repeat_condition(self, incident: Incident, condition: Condition, time_ns: int) -> None:
        tally = cast("ConditionTally", incident.tally)
        tally.text = condition.text
        incident.last_ns = max(incident.last_ns, time_ns)
        self._open.move_to_end(incident.key)
        if condition.count:
            tally.count += condition.count
            incident.news = True
            self.revision += 1
            self._schedule(incident)

    def _new(self, key: Key, severity: Severity, time_ns: int, tally: Tally) -> Incident:
        name = short_id(key, time_ns, self._ids)
        self._ids.add(name)
        return Incident(name, key.rule, key.host, key.subject, severity, time_ns, time_ns, time_ns, tally)

    def _announce(self, incident: Incident, time_ns: int, groups: tuple[str, ...], out: list[Output]) -> None:
        if len(self._open) >= MOST_OPEN:
            self.overflowed += 1
            quietest = next(iter(self._open.values()))
            out.append(self._close(quietest, time_ns, "the table of incidents is full"))
        self._open[incident.key] = incident
        self.opened[incident.rule, incident.severity.word] += 1
        self.revision += 1
        self._schedule(incident)
        out.append(incident.open_event(time_ns, groups))

    def _seen(self, incident: Incident, time_ns: int) -> None:
        incident.last_ns = max(incident.last_ns, time_ns)
        self._open.move_to_end(incident.key)
        self.revision += 1

    def _close(self, incident: Incident, time_ns: int, reason: str = "") -> Event:
        del self._open[incident.key]
        self._closed.append((incident, time_ns))
        self.revision += 1
        self._recent_ids.append(incident.id)
        if len(self._recent_ids) > _REMEMBERED_IDS:
            self._ids.discard(self._recent_ids.popleft())
        return incident.close_event(time_ns, reason)

    def _is_suppressed(self, key: Key, remote: str, time_ns: int) -> bool:
        if not self._suppressions.covers(key, remote, time_ns):
            return False
        seen_ns = self._hushed.pop(key, None)
        if seen_ns is None or time_ns - seen_ns >= CLOSE_AFTER_NS:
            self.suppressed[key.rule] += 1
        self._hushed[key] = time_ns
        if len(self._hushed) > MOST_OPEN:
            self._hushed.popitem(last=False)
        return True

    def _schedule(self, incident: Incident) -> None:
        due_ns = max(incident.due_ns, self._clock_ns)
        if incident.scheduled_ns and incident.scheduled_ns <= due_ns:
            return
        incident.scheduled_ns = due_ns
        heapq.heappush(self._timers, (due_ns, next(self._sequence), incident))
        if len(self._timers) > 8 * MOST_OPEN:
            self._rebuild_timers()

    def _rebuild_timers(self) -> None:
        self._timers.clear()
        for incident in self._open.values():
            incident.scheduled_ns = max(incident.due_ns, self._clock_ns)
            self._timers.append((incident.scheduled_ns, next(self._sequence), incident))
        heapq.heapify(self._timers)

    def _run_timers(self, until_ns: int, out: list[Output]) -> None:
        while self._timers and self._timers[0][0] < until_ns:
            due_ns, _, incident = heapq.heappop(self._timers)
            if incident.scheduled_ns != due_ns or self._open.get(incident.key) is not incident:
                continue
            self._clock_ns = max(self._clock_ns, due_ns)
            incident.scheduled_ns = 0
            if incident.due_ns <= due_ns:
                self._report_due(incident, due_ns, out)
            if incident.key in self._open:
                self._schedule(incident)
        self._clock_ns = max(self._clock_ns, until_ns)

    def _report_due(self, incident: Incident, due_ns: int, out: list[Output]) -> None:
        if incident.news:
            out.append(incident.update_event(due_ns))
            self.revision += 1
        if incident.last_ns + CLOSE_AFTER_NS <= due_ns:
            out.append(self._close(incident, due_ns))


def _leave_nameless(row: Row) -> None:
    """Where nobody looks for machines, rows have none."""
