"""A hunt: history, open connections and ring together."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from sensor.api.client import NoAnswerError, RefusedError, ask
from sensor.config import Config
from sensor.hunt.answer import Machines, Sighting, sightings
from sensor.hunt.live import open_flows
from sensor.hunt.search import Search, SpanRow
from sensor.hunt.segments import Segments
from sensor.hunt.wanted import WantedSet
from sensor.hunt.window import Window
from sensor.identity.ends import Ends

_MOST_ASKED = 200


@dataclass(frozen=True, slots=True)
class Places:
    """Where a hunt looks; None where there is nothing to look at."""

    history: Path
    ring: Path | None
    socket: Path | None

    @classmethod
    def of(cls, config: Config) -> "Places":
        """Give what the configuration names."""
        ring = config.pcap_ring.directory if config.pcap_ring.enabled else None
        return cls(config.history.directory, ring, config.api.socket)


class Watcher:
    """Who hears how a hunt goes on; this one is content with its end."""

    shows_early = False
    """Whether `show` is called at all: what was found so far has to be added up each time."""

    def begin(self, size_bytes: int, oldest_hour: int | None) -> None:
        """Hear how many bytes the history holds in the window, and the first hour of them."""

    def show(self, found: Sequence[Sighting], done_hours: int, hours: int) -> None:
        """Hear what was found in the conversations and in so many of the hours to read, the newest of them."""


class Hunt:
    """One hunt; `note` is told in a line each what could not be looked through."""

    def __init__(self, places: Places, ends: Ends, note: Callable[[str], None]) -> None:
        self._places = places
        self._ends = ends
        self._note = note
        self._asked: dict[str, list[SpanRow]] = {}

    def run(self, wanted: WantedSet, window: Window, watcher: Watcher | None = None) -> list[Sighting]:
        """Give who met what is wanted, the newest first. Raises OSError when the history cannot be read."""
        watcher = watcher or Watcher()
        places = self._places
        with Search(places.history, wanted, window, self._note) as search:
            watcher.begin(search.size_bytes, search.oldest_hour)
            for done, hours in search.run(open_flows(places.socket, wanted, self._ends, self._note)):
                if watcher.shows_early and done < hours:
                    watcher.show(self._found(search), done, hours)
            return self._found(search)

    def _found(self, search: Search) -> list[Sighting]:
        met = search.met()
        if not met:
            return []
        spans = search.spans()
        known = {span.ip for span in spans}
        unknown = [ip for ip in search.addresses() if ip not in known and self._ends.is_internal(ip)]
        machines = Machines([*spans, *self._ask_machines(sorted(unknown))])
        return sightings(search.sums(), met, machines, self._ends, Segments(self._places.ring))

    def _ask_machines(self, addresses: Iterable[str]) -> list[SpanRow]:
        """Ask a running sensor, of each once, who hosts are of which the history does not know it yet."""
        socket = self._places.socket
        if socket is not None and socket.exists():
            new = (ip for ip in addresses if ip not in self._asked)
            for ip in islice(new, _MOST_ASKED - len(self._asked)):
                try:
                    self._asked[ip] = _machines_of(ip, socket)
                except NoAnswerError:
                    break
        return [row for rows in self._asked.values() for row in rows]


def _machines_of(ip: str, socket: Path) -> list[SpanRow]:
    try:
        host = ask(socket, f"hosts/{ip}")["host"]
    except RefusedError:
        return []
    return [
        SpanRow(ip, past["mac"], past["name"], past["first_seen_ns"], past["last_seen_ns"], host["vlan"])
        for past in (host["history"] if host else ())
    ]
