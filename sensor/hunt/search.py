"""The search: from what is wanted to what each host did, through rollups, conversations and flows, in this order.

Only hours that a rollup, a conversation or a name leads to are opened for their flows, and those that have no rollup
yet.
"""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from sensor._native import Watchlists
from sensor.history import tree
from sensor.history.database import quoted
from sensor.hunt import statements
from sensor.hunt.database import Database
from sensor.hunt.networks import Networks
from sensor.hunt.wanted import Wanted, WantedSet, compiled_urls, on_disk
from sensor.hunt.window import Window

_CHUNK_BYTES = 1 << 30
_CHUNK_HOURS = 24 * 31
_STRETCH_HOURS = 24
_MOST_NAMES = 5_000_000
_NAME_KINDS = ("dns", "tls", "quic", "http", "flow")
_INSIDE_TYPES = ("VARCHAR", "VARCHAR")
_URL_TYPES = ("VARCHAR", "VARCHAR", "USMALLINT", "UINTEGER")


class FlowOf(NamedTuple):
    """The latest connection of a sum."""

    flow_id: int
    community_id: str | None
    start_ns: int
    src_port: int | None
    dest_port: int | None
    proto: str


class Sum(NamedTuple):
    """What connections between two ends in one hour add up to; `side` is the end that is wanted, `src` or `dest`.

    Whether an end is internal is None where no flow record tells it. Bytes are the sum of the innermost IP lengths.
    """

    wanted: int
    side: str
    src_ip: str
    dest_ip: str
    src_internal: bool | None
    dest_internal: bool | None
    src_mac: str | None
    dest_mac: str | None
    vlan: list[int]
    first_ns: int
    last_ns: int
    contacts: int
    attempts: int
    to_dest_bytes: int
    to_src_bytes: int
    seen_in: list[str]
    latest: FlowOf


class SpanRow(NamedTuple):
    """A machine that had an address, as the history has it."""

    ip: str
    mac: str | None
    name: str | None
    first_seen_ns: int
    last_seen_ns: int
    vlan: list[int]


class Search:
    """One search of the history and, if `live` rows are given, of the flows that are open.

    Raises OSError when the history cannot be read; what is damaged is left out, and `note` is told.
    """

    def __init__(self, directory: Path, wanted: WantedSet, window: Window, note: Callable[[str], None]) -> None:
        self._directory = directory
        self._wanted = wanted.path
        self._window = window
        self._spill = tempfile.TemporaryDirectory(prefix="spanwatch-hunt-", dir=on_disk())
        self._database = Database(directory, Path(self._spill.name), wanted.path, note)
        self._kinds: set[str] = set()
        self._hours: dict[str, list[int]] = {}
        self._spans: list[SpanRow] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()
        self._spill.cleanup()

    @property
    def size_bytes(self) -> int:
        """Bytes of all files that the window leaves, of which most need not be read."""
        kinds = ("rollup", "flow", "dns", "tls", "quic", "http", "mail")
        return sum(self._bytes_of(kind, hour) for kind in kinds for hour in self._of(kind))

    @property
    def oldest_hour(self) -> int | None:
        """The first hour of which there is anything."""
        return min((self._of(kind)[-1] for kind in ("flow", "rollup") if self._of(kind)), default=None)

    def run(self, live: Sequence[Mapping[str, Any]] = ()) -> Iterator[tuple[int, int]]:
        """Search, and tell before each part of the last phase how many of how many hours are done, at the end all.

        `sums`, `met` and `spans` tell what was found so far. That phase goes through the hours from the newest on.
        """
        self._database.execute(statements.TABLES)
        self._load_wanted()
        self._load_live(live)
        self._find_addresses()
        self._find_names()
        self._find_urls()
        self._find_conversations()
        yield from self._find_flows()

    def sums(self) -> Iterator[Sum]:
        """Give what was found, the newest first. Nothing else may be asked until the last is taken."""
        for row in self._database.stream(statements.SUMS):
            yield Sum(*(*row[:-1], FlowOf(**row[-1])))

    def addresses(self) -> Iterator[str]:
        """Give the addresses that were found, each once."""
        yield from (address for (address,) in self._database.stream(statements.MET_ENDS))

    def met(self) -> dict[int, Wanted]:
        """Give by number what of all that is wanted was met."""
        return {row[0]: Wanted(*row) for row in self._database.rows(statements.MET)}

    def spans(self) -> list[SpanRow]:
        """Give the machines that had the addresses which were found so far, as far as the history knows them."""
        self._database.execute(statements.UNTOLD)
        if self._database.has("untold"):
            self._spans += [SpanRow(*row) for row in self._each_chunk(["host"], statements.SPANS)]
        return self._spans

    def _of(self, kind: str) -> list[int]:
        """Give the hours of a kind that the window leaves, the newest first."""
        if kind not in self._hours:
            # Who a host was may have been told long before.
            window = Window() if kind == "host" else self._window
            held = (number for number in reversed(tree.hours(self._directory, kind)) if window.holds(number))
            self._hours[kind] = [number for number in held if tree.hour_files(self._directory, tree.Hour(number, kind))]
        return self._hours[kind]

    def _bytes_of(self, kind: str, hour: int) -> int:
        return sum(map(_size, tree.hour_files(self._directory, tree.Hour(hour, kind))))

    def _load_wanted(self) -> None:
        self._database.execute(statements.LOAD_WANTED.format(file=quoted(self._wanted)))
        self._kinds = {kind for (kind,) in self._database.rows(statements.KINDS)}
        self._database.execute(statements.TEXTS)

    def _load_live(self, live: Sequence[Mapping[str, Any]]) -> None:
        self._database.execute(statements.LIVE)
        if live:
            self._database.execute(statements.LOAD_LIVE, rows=[dict(row) for row in live])

    def _each_chunk(self, kinds: Sequence[str], sql: str, hours: Iterable[int] | None = None) -> list[tuple[Any, ...]]:
        """Ask the same of each part of the history, the newest first, and give all answers."""
        wanted = set(hours) if hours is not None else None
        found: list[tuple[Any, ...]] = []
        for chunk in self._chunks(kinds[0], wanted):
            found += self._database.ask(dict.fromkeys(kinds, chunk), sql)
        return found

    def _chunks(self, kind: str, wanted: set[int] | None) -> Iterator[list[int]]:
        """Cut hours into parts of which none takes more memory or time than is told in between."""
        chunk: list[int] = []
        gathered = 0
        for hour in self._of(kind):
            if wanted is not None and hour not in wanted:
                continue
            gathered += self._bytes_of(kind, hour)
            chunk.append(hour)
            if gathered >= _CHUNK_BYTES or len(chunk) >= _CHUNK_HOURS:
                yield chunk
                chunk, gathered = [], 0
        if chunk:
            yield chunk

    def _find_addresses(self) -> None:
        """Put down the addresses that are wanted: those named, and of networks those that were ever seen."""
        networks = Networks(text for rows in self._database.chunks("wanted", statements.NETWORKS) for (text,) in rows)
        if networks:
            self._see_addresses()
            seen = self._database.chunks("seen", statements.SEEN_ADDRESSES)
            for rows in chain(seen, self._database.chunks("wanted", statements.LISTED_ADDRESSES)):
                inside = [(address, network) for (address,) in rows for network in networks.of(address)]
                self._database.insert("inside", _INSIDE_TYPES, inside)
        self._database.execute(statements.ADDRESSES)

    def _see_addresses(self) -> None:
        """Put down the addresses that were ever seen: millions, so they stay where memory is bounded."""
        rest = set(self._of("flow")) - self._summed
        self._each_chunk(["rollup"], statements.see_addresses("rollup"))
        self._each_chunk(["flow"], statements.see_addresses("flow"), rest)
        self._database.execute(statements.see_addresses("live"))

    def _find_names(self) -> None:
        if not self._kinds & {"domain", "suffix"}:
            return
        for kind in _NAME_KINDS:
            for chunk in self._chunks(kind, None):
                self._database.ask({kind: chunk}, f"INSERT INTO shown {statements.NAMES_OF[kind]}")
                if self._database.count("shown") >= _MOST_NAMES:
                    self._database.execute(statements.MATCH_NAMES)
        self._database.execute("INSERT INTO shown SELECT name FROM live")
        self._database.execute(statements.MATCH_NAMES)

    def _find_urls(self) -> None:
        if "url" not in self._kinds:
            return
        links = ((None, url, None) for (url,) in self._each_chunk(["mail"], statements.LINK_CANDIDATES))
        candidates = [*self._each_chunk(["http"], statements.URL_CANDIDATES), *links]
        if not candidates:
            return
        allowed = self._database.rows(statements.ALLOWED_URLS)
        for urls in self._database.chunks("wanted", statements.URLS):
            self._match_urls(compiled_urls(url for (url,) in [*allowed, *urls]), candidates)

    def _match_urls(self, lists: Watchlists, candidates: Iterable[tuple[str | None, str, int | None]]) -> None:
        """Put down the requests and links that these lists have."""
        found: list[tuple[str, str | None, str, int | None]] = []
        for host, target, port in candidates:
            entry = lists.find_url(target if host is None else _url_of(host, target, port), 1)
            if entry is not None:
                found.append((entry["indicator"], host, target, port))
        urls = list({indicator for indicator, *_ in found})
        numbers = dict(self._database.rows(statements.URL_NUMBERS, urls=urls)) if urls else {}
        rows = [(*shown, numbers[indicator]) for indicator, *shown in found if indicator in numbers]
        self._database.insert("url", _URL_TYPES, rows)

    def _find_conversations(self) -> None:
        for how in statements.HEARD:
            if self._database.count(how.table):
                match = statements.heard_in(how, self._window.since_ns, self._window.until_ns)
                self._each_chunk([how.kind], statements.heard(how, match), self._holding(how.kind, match))
        self._database.execute(statements.HEARD_FLOWS)

    def _find_flows(self) -> Iterator[tuple[int, int]]:
        """Look for flows in parts of the hours that double: the newest are told soon, and all of them quickly."""
        tables = [table for table in ("address", "name") if self._database.count(table)] + self._ports
        if tables:
            self._database.execute(statements.flows("live", self._flows_in("live", tables)))
        hours = self._hours_to_read()
        done = 0
        while done < len(hours):
            yield done, len(hours)
            part = hours[done : done + max(1, done)]
            self._read_flows(set(part))
            done += len(part)
        yield done, len(hours)

    def _hours_to_read(self) -> list[int]:
        """Give the hours in which there may be flows, or sums of them, the newest first."""
        flows = set(self._of("flow"))
        hours = flows if self._database.count("name") or self._database.count("heard") or self._ports else set()
        if self._database.count("address"):
            hours = hours | (flows - self._summed) | (self._met_hours & (flows | self._only_summed))
        return sorted(hours, reverse=True)

    def _read_flows(self, part: set[int]) -> None:
        """Look for flows in these hours each way. What two ways find is not the same."""
        for tables, hours in self._ways(part & set(self._of("flow"))):
            self._each_chunk(["flow"], statements.flows("flow", self._flows_in("flow", tables)), hours)
        if self._database.count("address"):
            sums = statements.ROLLUP_SUMS.format(since=self._window.since_ns, until=self._window.until_ns)
            self._each_chunk(["rollup"], sums, part & self._only_summed & self._met_hours)

    def _ways(self, hours: set[int]) -> Iterator[tuple[list[str], set[int]]]:
        """Give tables whose values flows may have, and those of these hours in which they have."""
        if self._database.count("address"):
            yield ["address"], self._flow_hours("address", hours - self._summed)
            yield ["met_address"], hours & self._summed & self._met_hours
        named = self._flow_hours("name", hours)
        if self._database.count("heard"):
            yield ["name", "heard"], named | self._flow_hours("heard", hours & self._heard_hours)
        else:
            yield ["name"], named
        if self._ports:
            yield self._ports, hours

    def _flow_hours(self, table: str, hours: set[int]) -> set[int]:
        """Give those of these hours whose flows have a value of a table."""
        return self._holding("flow", self._flows_in("flow", [table]), hours) if self._database.count(table) else set()

    def _flows_in(self, source: str, tables: list[str]) -> str:
        return statements.flows_in(source, tables, self._window.since_ns, self._window.until_ns)

    def _holding(self, kind: str, match: str, hours: Iterable[int] | None = None) -> set[int]:
        """Give the hours in which a statement finds something, so that only these are read in full."""
        return {tree.hour_of(Path(path)) for (path,) in self._each_chunk([kind], statements.holding(match), hours)}

    @cached_property
    def _met_hours(self) -> set[int]:
        """The hours in which a rollup has a wanted address; it is put down which these addresses are."""
        self._each_chunk(["rollup"], statements.SUMMED)
        self._database.execute(statements.MET_ADDRESSES)
        return {tree.hour_of(Path(path)) for (path,) in self._database.rows(statements.SUMMED_FILES)}

    @cached_property
    def _heard_hours(self) -> set[int]:
        """The hours in which flows of the conversations that were found may be told."""
        [(first, last)] = self._database.rows(statements.HEARD_HOURS)
        return {hour for hour in self._of("flow") if first <= hour <= last + _STRETCH_HOURS}

    @cached_property
    def _only_summed(self) -> set[int]:
        """The hours of which no flows are left."""
        return set(self._of("rollup")) - set(self._of("flow"))

    @property
    def _ports(self) -> list[str]:
        return ["port"] if "port" in self._kinds else []

    @cached_property
    def _summed(self) -> set[int]:
        """The hours whose flows a rollup tells of, looked up once: of each hour one way of searching it holds."""
        return {hour for hour in self._of("rollup") if tree.is_summed(self._directory, hour)}


def _url_of(host: str, target: str, port: int | None) -> str:
    """Give what a request asks for as a URL: a proxy is asked for a whole one."""
    if "://" in target.partition("?")[0]:
        return target
    has_port = host.rpartition("]")[2].count(":") == 1
    return f"http://{host}{target}" if has_port or port is None else f"http://{host}:{port}{target}"


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
