"""How an incident of a beacon reads: who calls whom, at which pace, how often and since when."""

from dataclasses import dataclass
from typing import Literal

from sensor.alerts.rows import BeaconRow
from sensor.alerts.tally import Life, host_details
from sensor.alerts.text import clock, counted, endpoint, escape, pace, size, span


def remote_end(row: BeaconRow) -> str:
    """Give the remote end as an incident's subject: name, or else address, and port."""
    return endpoint(row["name"] or row["remote"], row["port"])


@dataclass(slots=True)
class BeaconTally:
    """What the last row told of a beacon."""

    host: str
    remote: str = ""
    interval_seconds: float = 0.0
    jitter_ratio: float = 0.0
    since_ns: int = 0
    calls: int = 0
    bytes_out: int = 0
    bytes_in: int = 0
    kind: Literal["beacon"] = "beacon"

    def add(self, row: BeaconRow) -> None:
        """Take the numbers of a row, which stand for all calls so far."""
        self.remote = row["remote"]
        self.interval_seconds = row["interval_seconds"]
        self.jitter_ratio = row["jitter_ratio"]
        self.since_ns = row["since_ns"]
        self.calls = row["calls"]
        self.bytes_out = row["bytes_out"]
        self.bytes_in = row["bytes_in"]

    def open_groups(self, row: BeaconRow) -> tuple[str, ...]:
        """What the open line tells."""
        address = f" ({row['remote']})" if row["name"] else ""
        ends = f"{host_details(self.host, row)} -> {escape(remote_end(row))}{address}"
        return (ends, self._pace, f"{self._sums} since {clock(self.since_ns)}")

    def update_groups(self, remote: str) -> tuple[str, ...]:
        """What an update line tells."""
        return (self._ends(remote), f"{self._pace}, {self._sums}")

    def close_groups(self, remote: str, life: Life) -> tuple[str, ...]:
        """What the close line tells."""
        seen = f"in {span((life.last_ns - self.since_ns) / 1e9)}, last {clock(life.last_ns)}"
        return (self._ends(remote), f"{self._pace}, {self._sums} {seen}{life.suffix}")

    def _ends(self, remote: str) -> str:
        return f"{self.host} -> {escape(remote)}"

    @property
    def _pace(self) -> str:
        return f"every {pace(self.interval_seconds)}, jitter {self.jitter_ratio:.0%}"

    @property
    def _sums(self) -> str:
        return f"{counted(self.calls, 'call')}, {size(self.bytes_out)} out, {size(self.bytes_in)} in"
