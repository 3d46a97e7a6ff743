"""What every finding of the report refers to: a flow, when it was seen, and how to open it in Wireshark."""

from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from typing import Any

from sensor.alerts.text import utc_stamp

Row = Mapping[str, Any]
"""A row of the core with the columns of `sensor.mail.rows.FlowColumns`."""

_PORT_FIELDS = {"TCP": "tcp.port", "UDP": "udp.port", "SCTP": "sctp.port"}


def wireshark_filter(source: str, destination: str, proto: str, ports: Iterable[int | None]) -> str:
    """Give the display filter that shows what two ends said to each other; a port that is None is left out."""
    ends = [f"{'ipv6' if ip_address(end).version == 6 else 'ip'}.addr == {end}" for end in (source, destination)]  # noqa: PLR2004
    field = _PORT_FIELDS.get(proto)
    numbers = [f"{field} == {port}" for port in ports if field is not None and port]
    return " && ".join([*ends, *numbers])


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

    def document(self) -> dict[str, Any]:
        """Give the keys that every finding has."""
        row = self._row
        ports = (row.get("src_port"), row.get("dest_port"))
        return {
            "community_id": row["community_id"],
            "first_seen": utc_stamp(self.first_ns),
            "last_seen": utc_stamp(self.last_ns),
            "file": row["in_iface"],
            "frame": row["frame"],
            "filter": wireshark_filter(row["src_ip"], row["dest_ip"], row.get("proto", "TCP"), ports),
        }
