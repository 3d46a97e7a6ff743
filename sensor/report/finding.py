"""What every finding of the report refers to: a flow, when it was seen, and how to open it in Wireshark."""

from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from typing import Any

from sensor.alerts.text import utc_stamp

Row = Mapping[str, Any]
"""A row of the core with the columns of `sensor.mail.rows.FlowColumns`."""

_MOST_FLOWS = 200_000
_PORT_FIELDS = {"TCP": "tcp.port", "UDP": "udp.port", "SCTP": "sctp.port"}


def wireshark_filter(source: str, destination: str, proto: str, ports: Iterable[int | None]) -> str:
    """Give the display filter that shows what two ends said to each other; a port that is None is left out."""
    ends = [f"{'ipv6' if ip_address(end).version == 6 else 'ip'}.addr == {end}" for end in (source, destination)]  # noqa: PLR2004
    field = _PORT_FIELDS.get(proto)
    numbers = [f"{field} == {port}" for port in ports if field is not None and port]
    return " && ".join([*ends, *numbers])


class Places:
    """In which file, and with which frame, flows begin: known when their records come, after what was found in them."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        self._frames: dict[int, tuple[str, int | None] | None] = {}

    def want(self, flow_id: int) -> None:
        """Remember the flow's place when it comes; beyond 200,000 flows it is not told."""
        if len(self._frames) < _MOST_FLOWS:
            self._frames.setdefault(flow_id, None)

    def learn(self, flow_id: int, file: str, frame: int | None) -> None:
        """Take the place of a flow, if somebody wants it."""
        if flow_id in self._frames:
            self._frames[flow_id] = (file, frame)

    def of(self, flow_id: int) -> tuple[str, int | None] | None:
        """Give file and frame number."""
        return self._frames.get(flow_id)


class Seen:
    """The flow that a finding rests on first, and the time that it spans."""

    __slots__ = ("_row", "count", "first_ns", "last_ns")

    def __init__(self, row: Row) -> None:
        """The finding begins with this row."""
        self._row = row
        self.first_ns = self.last_ns = int(row["time_ns"])
        self.count = 0

    def add(self, row: Row, count: int = 1) -> None:
        """Another row belongs to the finding."""
        self.count += count
        if row["time_ns"] < self.first_ns:
            self._row, self.first_ns = row, int(row["time_ns"])
        self.last_ns = max(self.last_ns, int(row["time_ns"]))

    def document(self, places: Places) -> dict[str, Any]:
        """Give the keys that every finding has."""
        row = self._row
        file, frame = places.of(row["flow_id"]) or (row["in_iface"], None)
        ports = (row.get("src_port"), row.get("dest_port"))
        return {
            "community_id": row["community_id"],
            "first_seen": utc_stamp(self.first_ns),
            "last_seen": utc_stamp(self.last_ns),
            "file": file,
            "frame": frame,
            "filter": wireshark_filter(row["src_ip"], row["dest_ip"], row.get("proto", "TCP"), ports),
        }
