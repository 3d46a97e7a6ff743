"""A thin typed skin over the native core: settings in as JSON, rows and counters out as Python values."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict, TypeVar, cast, overload

from sensor.alerts.rows import BeaconRow, FindingRow, HitRow, JudgedRow, MirrorRow
from sensor.identity.facts import PuntedFrame
from sensor.mail.rows import ClickRow, LoginRow, MailRow
from sensor.web.rows import WebRow

if TYPE_CHECKING:
    from sensor._native import Engine as NativeEngine
    from sensor._native import RecordBatch, Watchlists, WebRules


_R = TypeVar("_R")


class InterfaceCounters(TypedDict):
    """One interface. `kernel_packets` includes the kernel's drops; `reason` says why it is not up."""

    name: str
    state: str
    captured_frames: int
    captured_bytes: int
    kernel_packets: int
    kernel_dropped_frames: int
    kernel_freezes: int
    link_type: int
    granted_ring_bytes: int
    reason: NotRequired[str]


class Fates(TypedDict):
    """What became of the captured frames' bytes: the first account that closes."""

    stored: int
    cut: int
    ring_off: int
    dropped_slow: int
    dropped_full: int
    dropped_error: int


class Analysis(TypedDict):
    """What the analysis made of the captured frames: the second account that closes."""

    flow: int
    non_ip: int
    duplicate: int
    undecodable: int
    filtered: int
    table_full: int


class RingCounters(TypedDict):
    """The pcap ring; `oldest_time_ns` is 0 while it is empty."""

    bytes: int
    segments: int
    oldest_time_ns: int
    written_bytes: int
    index_errors: int
    free_bytes: int
    error: str | None


class FlowCounters(TypedDict):
    """The flow table."""

    active: int
    max: int
    ended: dict[str, int]


class HostCounters(TypedDict):
    """The host table."""

    active: int
    max: int
    evicted: int
    peers_forgotten: int
    senders_evicted: int
    beacon_pairs: int
    beacon_pairs_evicted: int
    askers_evicted: int
    clicks_forgotten: int


class PuntedCounters(TypedDict):
    """Frames of control protocols by what became of them."""

    handed: int
    repeated: int
    dropped: int


class MirrorCounters(TypedDict):
    """How the core judges the mirror (`ok`, `degraded`, `blind`), why, and what each source has shown."""

    verdict: str
    reasons: list[dict[str, Any]]
    sources: list[dict[str, Any]]


class ListCounters(TypedDict):
    """Indicators of one type in one list."""

    list: str
    type: str
    indicators: int


class HitCounters(TypedDict):
    """Hits of one list."""

    list: str
    hits: int


class WatchlistCounters(TypedDict):
    """The lists that are in use; `forgotten` counts what flows showed and there was no room to report."""

    generation: int
    lists: list[ListCounters]
    hits: list[HitCounters]
    forgotten: int


class SinkCounters(TypedDict):
    """One output; `written` is None where somebody else counts it."""

    sink: str
    written: int | None
    dropped: int
    error: str | None


class QueueCounters(TypedDict):
    """One bounded queue."""

    queue: str
    length: int
    capacity: int


class WorkerCounters(TypedDict):
    """One worker; `progress` moves on even when no frame comes."""

    worker: int
    progress: int


class ProtocolCounters(TypedDict):
    """Flows of one application protocol."""

    app_proto: str
    flows: int


class ProtocolErrors(TypedDict):
    """What could not be read of one application protocol."""

    app_proto: str
    error: str
    errors: int


class NameCounters(TypedDict):
    """What was heard in flows."""

    flows: list[ProtocolCounters]
    errors: list[ProtocolErrors]
    held_bytes: int
    given_up: int
    smtp_messages: int
    resolved: int
    resolved_forgotten: int


class DecodeErrors(TypedDict):
    """Frames whose decoding stopped at one layer for one reason."""

    layer: str
    error: str
    frames: int


class EncapsulationCounters(TypedDict):
    """Frames with one kind of outer layer."""

    encapsulation: str
    frames: int


class Counters(TypedDict):
    """One consistent snapshot of all that the core counts."""

    time_ns: int
    interfaces: list[InterfaceCounters]
    fates: Fates
    ring_in_flight_frames: int
    ring_cut_bytes: int
    analysis: Analysis
    decode_errors: list[DecodeErrors]
    encapsulations: list[EncapsulationCounters]
    ring: RingCounters | None
    flows: FlowCounters
    hosts: HostCounters
    names: NameCounters
    mirror: MirrorCounters
    watchlist: WatchlistCounters
    sinks: list[SinkCounters]
    queues: list[QueueCounters]
    workers: list[WorkerCounters]
    punted: PuntedCounters
    copies_forgotten: int
    fragments_forgotten: int
    flows_without_layers: int
    frames_without_source: int
    clock_jumps: int
    read_bytes: NotRequired[int]
    ring_notes: NotRequired[list[str]]
    warnings: NotRequired[list[str]]
    error: NotRequired[str | None]


@dataclass(frozen=True, slots=True)
class Batch:
    """What one poll brought: rows, and the packet time that everything has passed (0 before the first frame).

    `raw_mails` are the messages of `mails` as they were sent, empty where there is none, and nothing at all unless the
    settings ask for it. `punted` are frames of control protocols, `routers` MACs that have turned out to be routers'.
    `judged` is put in on the way, see `sensor.mail`. `mail_records` and `login_records` are the core's columns of
    mails and logins.
    """

    time_ns: int
    hits: Sequence[HitRow] = ()
    findings: Sequence[FindingRow] = ()
    ended: bool = False
    conditions: Sequence[MirrorRow] = ()
    punted: Sequence[PuntedFrame] = ()
    routers: Sequence[str] = ()
    mails: Sequence[MailRow] = ()
    raw_mails: Sequence[bytes] = ()
    logins: Sequence[LoginRow] = ()
    web: Sequence[WebRow] = ()
    beacons: Sequence[BeaconRow] = ()
    clicks: Sequence[ClickRow] = ()
    judged: Sequence[JudgedRow] = ()
    mail_records: "RecordBatch | None" = None
    login_records: "RecordBatch | None" = None


class _Rows(Sequence[_R]):
    """Records as dictionaries, made once somebody looks at one: a script may take the columns alone."""

    def __init__(self, records: "RecordBatch") -> None:
        self._records = records
        self._made: list[_R] | None = None

    def __len__(self) -> int:
        return len(self._records)

    @overload
    def __getitem__(self, place: int) -> _R: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[_R]: ...
    def __getitem__(self, place: int | slice) -> _R | Sequence[_R]:
        if self._made is None:
            self._made = cast("list[_R]", self._records.rows())
        return self._made[place]


def merged_sinks(*groups: Iterable[SinkCounters]) -> list[SinkCounters]:
    """Add up what several parts count of the same output."""
    merged: dict[str, SinkCounters] = {}
    for sink in chain.from_iterable(groups):
        other = merged.setdefault(sink["sink"], {"sink": sink["sink"], "written": 0, "dropped": 0, "error": None})
        other["written"] = (other["written"] or 0) + (sink["written"] or 0)
        other["dropped"] += sink["dropped"]
        other["error"] = other["error"] or sink["error"]
    return list(merged.values())


class Engine:
    """The core of one run. Errors of the core come through: ValueError for settings, OSError for the system."""

    def __init__(self, settings: Mapping[str, Any], core: "NativeEngine | None" = None) -> None:
        self._core = core or _native_core(json.dumps(settings))
        self._has_event_log = settings.get("eve") is not None
        self._has_raw_mails = bool(settings.get("raw_mails"))
        self._stopped = False

    def start(self) -> None:
        """Open the interfaces or files and start to store and analyse. Uses the caller's network namespace."""
        self._core.start()

    def poll(self, timeout_seconds: float) -> Batch:
        """Wait for rows, at most `timeout_seconds`. Raises if a worker died."""
        native = self._core.poll(timeout_seconds)
        mails, logins = native.mails, native.logins
        return Batch(
            native.time_ns,
            hits=cast("list[HitRow]", json.loads(native.hits)),
            findings=cast("list[FindingRow]", json.loads(native.findings)),
            ended=native.ended,
            conditions=cast("list[MirrorRow]", json.loads(native.conditions)),
            beacons=cast("list[BeaconRow]", json.loads(native.beacons)),
            punted=[PuntedFrame(*frame) for frame in native.punted],
            routers=native.routers,
            mails=_Rows[MailRow](mails),
            raw_mails=native.raw_mails if self._has_raw_mails else (),
            logins=_Rows[LoginRow](logins),
            clicks=cast("list[ClickRow]", json.loads(native.clicks)),
            web=cast("list[WebRow]", json.loads(native.web)),
            mail_records=mails,
            login_records=logins,
        )

    def records(self, timeout_seconds: float) -> "list[tuple[str, RecordBatch]] | None":
        """Give the records that have gathered as Arrow, by kind; None when no more will come."""
        return self._core.records(timeout_seconds)

    def replace_watchlists(self, watchlists: object) -> int:
        """Use other compiled lists from now on, also for flows that are open; gives their generation."""
        return self._core.replace_watchlists(cast("Watchlists", watchlists))

    def replace_web_rules(self, rules: object) -> None:
        """Use other compiled rules of web attacks from now on, for connections that begin."""
        self._core.replace_web_rules(cast("WebRules", rules))

    def counters(self) -> Counters:
        """Take one snapshot in which the accounts close."""
        return cast("Counters", json.loads(self._core.counters()))

    def flows(self, filter_text: str, order: str, limit: int) -> list[dict[str, Any]]:
        """Give live flows with the layers around them; ValueError says what is wrong with the question."""
        rows = self._core.flows(filter_text, order, limit).rows()
        return [row | {"encapsulation": json.loads(row["encapsulation"])} for row in rows]

    def hosts(self, filter_text: str, order: str, limit: int) -> list[dict[str, Any]]:
        """Give live hosts; ValueError says what is wrong with the question."""
        return self._core.hosts(filter_text, order, limit).rows()

    def sums(self, limit: int) -> dict[str, list[dict[str, Any]]]:
        """Give `remotes` and `vlans`: all live flows summed up, the fastest `limit` of each."""
        return cast("dict[str, list[dict[str, Any]]]", json.loads(self._core.sums(limit)))

    def traffic(self, limit: int) -> dict[str, Any]:
        """Give all flow records so far added up, if the settings say `traffic`; see `sensor._native`."""
        return cast("dict[str, Any]", json.loads(self._core.traffic(limit)))

    def log_event(self, line: str) -> None:
        """Hand one JSON line to the event log; without an event log it goes nowhere."""
        if "\n" in line:
            raise ValueError("an event must be one line")
        if self._has_event_log:
            self._core.log_event(line)

    def hand_in(self, interface: int, frames: list[tuple[int, bytes]]) -> None:
        """Hand in frames of an interface (by its place in the settings) that another source has captured."""
        self._core.hand_in(interface, frames)

    def write_frames(self, path: str, rotation: tuple[int, int, int]) -> tuple[int, int, bool]:
        """After the end of `read`: write the frames of the wanted flows; see `sensor._native`."""
        return self._core.write_frames(path, rotation)

    def stop(self) -> None:
        """Stop capturing and drain everything; `poll` then gives what is left, until it says `ended`."""
        if not self._stopped:
            self._stopped = True
            self._core.stop()


def _native_core(settings: str) -> "NativeEngine":
    # Imported late, so that commands that need no core start fast, and tests run without a built one.
    from sensor._native import Engine as Core  # noqa: PLC0415

    return Core(settings)
