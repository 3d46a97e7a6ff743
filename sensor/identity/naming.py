"""The identities of a run: learns from each batch of the core, and names the hosts of rows."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sensor.alerts.batch import Row
from sensor.alerts.rows import ends_of, host_mac
from sensor.engine import Batch
from sensor.identity import dissect, memory_file, vendor
from sensor.identity.dissect import PROTOCOLS, Dissector
from sensor.identity.ends import Ends, Network
from sensor.identity.facts import Evidence, Neighbour, PuntedFrame, RouterMac
from sensor.identity.places import Places
from sensor.identity.table import IdentityTable, Machine, Memory


@dataclass(frozen=True, slots=True)
class IdentityNumbers:
    """What is counted: addresses in the table, those given up, and frames by protocol that could not be read."""

    active: int = 0
    evicted: int = 0
    errors: Mapping[str, int] = field(default_factory=dict)


class Identities:
    """One table, the dissection that feeds it, and the mirror's places. Any method may be called from any thread."""

    def __init__(self, most_hosts: int, internal: Iterable[Network] = ()) -> None:
        """`internal` are the networks whose addresses are hosts."""
        self.ends = Ends(internal)
        self._dissector = Dissector()
        self._table = IdentityTable(most_hosts)
        self._places = Places()
        self._lock = threading.Lock()

    def restore(self, memory: Memory) -> None:
        """Go on with what an earlier run remembered."""
        with self._lock:
            self._table.restore(memory)

    def document(self) -> bytes:
        """Give what is remembered, for the next run."""
        with self._lock:
            return memory_file.encode(self._table.memory)

    def warm_up(self) -> None:
        """Import what naming needs, a fifth of a second of work: best done while nothing waits for it."""
        dissect.warm_up()
        vendor.warm_up()

    def learn(self, evidence: Evidence) -> None:
        """Take what any parser has found out about a machine."""
        with self._lock:
            self._table.learn(evidence)

    def take(self, batch: Batch) -> None:
        """Learn from a batch."""
        with self._lock:
            self._table.learn_routers(batch.routers)
            for frame in batch.punted:
                self._read(frame)

    def name(self, row: Row) -> None:
        """Put the machine of the host in a row, as far as it is known by now; a row that has one keeps it."""
        if "machine" in row:
            return
        host = ends_of(row).host if "flow_id" in row else row["host"]
        with self._lock:
            row["machine"] = self._table.who(host, row["time_ns"], host_mac(row))

    def who(self, ip: str, time_ns: int) -> Machine | None:
        """Say who had an address at a time."""
        with self._lock:
            return self._table.who(ip, time_ns)

    def describe_host(self, row: dict[str, Any]) -> dict[str, Any]:
        """Give a row of the host table with name, MAC, vendor, and the machines that had the address before."""
        with self._lock:
            machine = self._table.who(row["ip"], row["last_seen_ns"], row["mac"])
            inside = self._table.inside(row["ip"], row["last_seen_ns"])
            history = self._table.history(row["ip"])
        return {**row, **(machine or dict.fromkeys(Machine.__annotations__)), **inside, "history": history}

    def describe_incident(self, incident: dict[str, Any]) -> dict[str, Any]:
        """Give an open incident with the machine that its host was when it was last seen."""
        return {**incident, "machine": self.who(incident["host"], incident["last_seen_ns"])}

    def machines(self, most: int) -> list[dict[str, Any]]:
        """Give the newest addresses with their last machine, in the order of the addresses' text."""
        with self._lock:
            newest = sorted(self._table.addresses()[-most:])
            return [{"ip": ip, **self._table.history(ip)[-1]} for ip in newest]

    def heard_since(self, time_ns: int) -> Iterator[dict[str, Any]]:
        """Give each machine that was heard at a time or later, with its address; others may learn meanwhile."""
        with self._lock:
            heard = self._table.heard_since(time_ns)
        for ip in heard:
            with self._lock:
                known = self._table.history(ip)
            yield from ({"ip": ip, **machine} for machine in known if machine["last_seen_ns"] >= time_ns)

    def places(self) -> list[dict[str, Any]]:
        """Give the switch ports that the mirror hangs on."""
        with self._lock:
            return self._places.describe()

    def numbers(self) -> IdentityNumbers:
        """Give the counts as of now."""
        with self._lock:
            errors = {protocol: self._dissector.errors[protocol] for protocol in PROTOCOLS}
            return IdentityNumbers(len(self._table), self._table.evicted, errors)

    def _read(self, frame: PuntedFrame) -> None:
        learn: dict[type, Callable[[Any], None]] = {
            Evidence: self._table.learn,
            Neighbour: self._places.learn,
            RouterMac: lambda router: self._table.learn_routers([router.mac]),
        }
        for fact in self._dissector.read(frame):
            learn[type(fact)](replace(fact, vlan=tuple(frame.vlan)) if isinstance(fact, Evidence) else fact)
