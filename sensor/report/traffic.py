"""Protocols, conversations, hosts and the timeline, out of flow records."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from sensor.alerts.text import utc_stamp
from sensor.report.bounded import Groups
from sensor.report.finding import Places, wireshark_filter
from sensor.report.timeline import Timeline

if TYPE_CHECKING:
    from sensor._native import RecordBatch

MOST_CONVERSATIONS = 200_000
MOST_HOSTS = 100_000
TOP = 1000
"""Conversations and hosts that the report lists."""

_COLUMNS = [
    "flow_id",
    "in_iface",
    "frame",
    "src_ip",
    "dest_ip",
    "dest_port",
    "proto",
    "app_proto",
    "start_ns",
    "end_ns",
    "packets_toserver",
    "packets_toclient",
    "bytes_toserver",
    "bytes_toclient",
    "reason",
]
_ConversationKey = tuple[str, str, str, int | None]


class _Conversation:
    __slots__ = ("app", "bytes_toclient", "bytes_toserver", "first_ns", "flow", "flows", "last_ns", "packets")

    def __init__(self, flow: tuple[int, str, int | None], first_ns: int) -> None:
        self.flow = flow
        self.app: str | None = None
        self.flows = self.packets = self.bytes_toserver = self.bytes_toclient = 0
        self.first_ns, self.last_ns = first_ns, 0


class _Host:
    __slots__ = ("bytes_in", "bytes_out", "first_ns", "flows", "last_ns", "packets")

    def __init__(self, first_ns: int) -> None:
        self.flows = self.packets = self.bytes_out = self.bytes_in = 0
        self.first_ns, self.last_ns = first_ns, 0


class TrafficSections:
    """Adds up flow records; conversations beyond 200,000 count in protocols and timeline alone."""

    def __init__(self, places: Places, is_internal: Callable[[str], bool]) -> None:
        """No flow has come."""
        self._places = places
        self._is_internal = is_internal
        self._conversations: Groups[_ConversationKey, _Conversation] = Groups(MOST_CONVERSATIONS)
        self._protocols: Groups[tuple[str, str | None], list[int]] = Groups()
        self.timeline = Timeline()

    @property
    def left_out(self) -> int:
        """Records of conversations that found no room."""
        return self._conversations.left_out

    def take(self, batch: "RecordBatch") -> None:
        """Take flow records."""
        for row in zip(*batch.columns(_COLUMNS), strict=True):
            self._take(row)

    def _take(self, row: tuple[Any, ...]) -> None:
        flow_id, file, frame, source, destination, port, proto, app, start_ns, end_ns, out, back, sent, got, why = row
        over = why != "active"
        self._places.learn(flow_id, file, frame)
        totals = self._protocols.reach((proto, app), lambda: [0, 0, 0])
        if totals is not None:
            totals[0] += over
            totals[1] += out + back
            totals[2] += sent + got
        self.timeline.add((start_ns, end_ns), out + back, sent + got)
        key = (source, destination, proto, port)
        entry = self._conversations.reach(key, lambda: _Conversation((flow_id, file, frame), start_ns))
        if entry is not None:
            entry.app = entry.app or app
            entry.flows += over
            entry.packets += out + back
            entry.bytes_toserver += sent
            entry.bytes_toclient += got
            entry.first_ns = min(entry.first_ns, start_ns)
            entry.last_ns = max(entry.last_ns, end_ns)

    def protocols(self) -> list[dict[str, Any]]:
        """The hierarchy: transport, and what it carries, by bytes."""
        rows = [
            {"proto": proto, "app_proto": app, "flows": flows, "packets": packets, "bytes": size}
            for (proto, app), (flows, packets, size) in self._protocols.items()
        ]
        return sorted(rows, key=lambda row: (-row["bytes"], str(row["proto"]), str(row["app_proto"])))

    def conversations(self) -> list[dict[str, Any]]:
        """The 1000 with the most bytes; `flows` counts those that ended."""

        def rank(item: tuple[_ConversationKey, _Conversation]) -> tuple[int, str]:
            key, entry = item
            return -(entry.bytes_toserver + entry.bytes_toclient), str(key)

        return [_conversation(key, entry) for key, entry in sorted(self._conversations.items(), key=rank)[:TOP]]

    def hosts(self, machines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """The 1000 internal hosts with the most bytes; `machines` say who they are."""
        hosts: Groups[str, _Host] = Groups(MOST_HOSTS)
        for (source, destination, _, _), talk in self._conversations.items():
            for ip, out, back in (
                (source, talk.bytes_toserver, talk.bytes_toclient),
                (destination, talk.bytes_toclient, talk.bytes_toserver),
            ):
                if self._is_internal(ip) and (host := hosts.reach(ip, lambda talk=talk: _Host(talk.first_ns))):  # type: ignore[misc]
                    _add_to_host(host, talk, (out, back))
        known = {machine["ip"]: machine for machine in machines}
        ranked = sorted(hosts.items(), key=lambda item: (-(item[1].bytes_out + item[1].bytes_in), item[0]))
        return [_host(ip, host, known.get(ip, {})) for ip, host in ranked[:TOP]]


def _add_to_host(host: _Host, talk: _Conversation, counts: Iterable[int]) -> None:
    out, back = counts
    host.flows += talk.flows
    host.packets += talk.packets
    host.bytes_out += out
    host.bytes_in += back
    host.first_ns = min(host.first_ns, talk.first_ns)
    host.last_ns = max(host.last_ns, talk.last_ns)


def _host(ip: str, host: _Host, machine: dict[str, Any]) -> dict[str, Any]:
    return {
        "ip": ip,
        "name": machine.get("name"),
        "mac": machine.get("mac"),
        "vendor": machine.get("vendor"),
        "flows": host.flows,
        "packets": host.packets,
        "bytes_out": host.bytes_out,
        "bytes_in": host.bytes_in,
        "first_seen": utc_stamp(host.first_ns),
        "last_seen": utc_stamp(host.last_ns),
        "filter": f"{'ipv6' if ':' in ip else 'ip'}.addr == {ip}",
    }


def _conversation(key: _ConversationKey, entry: _Conversation) -> dict[str, Any]:
    source, destination, proto, port = key
    _, file, frame = entry.flow
    return {
        "source": source,
        "destination": destination,
        "proto": proto,
        "port": port,
        "app_proto": entry.app,
        "flows": entry.flows,
        "packets": entry.packets,
        "bytes_toserver": entry.bytes_toserver,
        "bytes_toclient": entry.bytes_toclient,
        "first_seen": utc_stamp(entry.first_ns),
        "last_seen": utc_stamp(entry.last_ns),
        "file": file,
        "frame": frame,
        "filter": wireshark_filter(source, destination, proto, (port,)),
    }
