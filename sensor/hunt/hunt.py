"""A hunt: history, open connections and ring together."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from sensor.api.client import NoAnswerError, RefusedError, ask
from sensor.config import Config
from sensor.hunt.answer import Machines, Sighting, sightings
from sensor.hunt.live import open_flows
from sensor.hunt.search import Search, SpanRow
from sensor.hunt.segments import Segments
from sensor.hunt.tree import Window
from sensor.hunt.wanted import WantedSet
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


class Hunt:
    """One hunt; `note` is told in a line each what could not be looked through."""

    def __init__(self, places: Places, ends: Ends, note: Callable[[str], None]) -> None:
        self._places = places
        self._ends = ends
        self._note = note

    def run(
        self, wanted: WantedSet, window: Window, announce: Callable[[int, int | None], None] = lambda *_: None
    ) -> list[Sighting]:
        """Give who met what is wanted, the newest first.

        `announce` is told beforehand how many bytes the history holds in the window and the first hour of them. Raises
        OSError when the history cannot be read.
        """
        places = self._places
        with Search(places.history, wanted, window, self._note) as search:
            announce(search.size_bytes, search.oldest_hour)
            search.run(open_flows(places.socket, wanted, self._ends, self._note))
            sums = list(search.sums())
            spans = search.spans() if sums else []
            met = search.met() if sums else {}
        known = {span.ip for span in spans}
        unknown = {ip for row in sums for ip in (row.src_ip, row.dest_ip) if ip not in known}
        spans += self._ask_machines(ip for ip in sorted(unknown) if self._ends.is_internal(ip))
        return sightings(sums, met, Machines(spans), self._ends, Segments(places.ring))

    def _ask_machines(self, addresses: Iterable[str]) -> list[SpanRow]:
        """Ask a running sensor who hosts are of which the history does not know it yet."""
        socket = self._places.socket
        found: list[SpanRow] = []
        if socket is None or not socket.exists():
            return found
        for _, ip in zip(range(_MOST_ASKED), addresses, strict=False):
            try:
                page = ask(socket, f"hosts/{ip}")
            except NoAnswerError:
                return found
            except RefusedError:
                continue
            host = page["host"]
            found += [
                SpanRow(ip, past["mac"], past["name"], past["first_seen_ns"], past["last_seen_ns"], host["vlan"])
                for past in (host["history"] if host else ())
            ]
        return found
