"""What a capture tells, one named tuple a kind. Fields are the columns of the Arrow tables, in their order.

Every record begins with the flow that it belongs to: `src` opened it, `time_ns` is the packet time of the record in
nanoseconds since 1970, `flow_id` is the same in all records of a flow, `in_iface` names the file and `frame` the number
of the flow's first packet in it, as Wireshark counts. `vlan` and `tunnel_*` say what carried it, ports are None where
there are none. Every text comes from the wire: it is bounded, and escaped by whoever shows it.
"""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(time_ns: int) -> datetime:
    """Give a time in UTC, to the microsecond."""
    return _EPOCH + timedelta(microseconds=time_ns // 1000)


class Flow(NamedTuple):
    """A stretch of a flow: all of it, or for a long one what came since the last record.

    Counts are since the flow's last record, `total_*` since its start; bytes are the sum of the innermost IP lengths.
    `state` is `new`, `established` or `closed`, `reason` why the record was made (`fin`, `rst`, `idle`, `active`,
    `evicted`, `shutdown`), `name` what the responder is called and `name_source` the protocol that says so,
    `encapsulation` a JSON list of the layers around it.
    """

    time_ns: int
    flow_id: int
    community_id: str
    src_ip: str
    src_port: int | None
    dest_ip: str
    dest_port: int | None
    proto: str
    icmp_type: int | None
    icmp_code: int | None
    app_proto: str | None
    src_mac: str | None
    dest_mac: str | None
    vlan: list[int]
    tunnel_src: str | None
    tunnel_dest: str | None
    tunnel_proto: str | None
    tunnel_depth: int
    in_iface: str
    frame: int | None
    start_ns: int
    end_ns: int
    packets_toserver: int
    packets_toclient: int
    bytes_toserver: int
    bytes_toclient: int
    total_packets_toserver: int
    total_packets_toclient: int
    total_bytes_toserver: int
    total_bytes_toclient: int
    tcp_flags_toserver: int
    tcp_flags_toclient: int
    state: str
    reason: str
    alerted: bool
    src_internal: bool
    dest_internal: bool
    name: str | None
    name_source: str | None
    encapsulation: str | None

    @property
    def time(self) -> datetime:
        """When the record was complete, in UTC."""
        return moment(self.time_ns)

    @property
    def start(self) -> datetime:
        """When the flow began, in UTC."""
        return moment(self.start_ns)

    @property
    def end(self) -> datetime:
        """When its last packet came, in UTC."""
        return moment(self.end_ns)


class DnsMessage(NamedTuple):
    """A question or an answer (`response`); the lists `answer_*` belong together, place by place.

    `query` and `query_type` are the first question's. `answer_data` is text; None of a type that is not read.
    """

    time_ns: int
    flow_id: int
    community_id: str
    src_ip: str
    src_port: int | None
    dest_ip: str
    dest_port: int | None
    proto: str
    icmp_type: int | None
    icmp_code: int | None
    app_proto: str | None
    src_mac: str | None
    dest_mac: str | None
    vlan: list[int]
    tunnel_src: str | None
    tunnel_dest: str | None
    tunnel_proto: str | None
    tunnel_depth: int
    in_iface: str
    frame: int | None
    id: int
    response: bool
    opcode: int
    rcode: str
    query: str | None
    query_type: str | None
    answer_name: list[str]
    answer_type: list[str]
    answer_ttl_seconds: list[int]
    answer_data: list[str | None]

    @property
    def time(self) -> datetime:
        """When the record was complete, in UTC."""
        return moment(self.time_ns)


class TlsHello(NamedTuple):
    """The beginning of a TLS connection; `version` is the one that the server chose, or the client's highest.

    `cipher` is the number of the suite in IANA's registry.
    """

    time_ns: int
    flow_id: int
    community_id: str
    src_ip: str
    src_port: int | None
    dest_ip: str
    dest_port: int | None
    proto: str
    icmp_type: int | None
    icmp_code: int | None
    app_proto: str | None
    src_mac: str | None
    dest_mac: str | None
    vlan: list[int]
    tunnel_src: str | None
    tunnel_dest: str | None
    tunnel_proto: str | None
    tunnel_depth: int
    in_iface: str
    frame: int | None
    sni: str | None
    version: str | None
    ja4: str | None
    cipher: int | None

    @property
    def time(self) -> datetime:
        """When the record was complete, in UTC."""
        return moment(self.time_ns)


class QuicHello(NamedTuple):
    """The beginning of a QUIC connection."""

    time_ns: int
    flow_id: int
    community_id: str
    src_ip: str
    src_port: int | None
    dest_ip: str
    dest_port: int | None
    proto: str
    icmp_type: int | None
    icmp_code: int | None
    app_proto: str | None
    src_mac: str | None
    dest_mac: str | None
    vlan: list[int]
    tunnel_src: str | None
    tunnel_dest: str | None
    tunnel_proto: str | None
    tunnel_depth: int
    in_iface: str
    frame: int | None
    sni: str | None
    version: str
    ja4: str

    @property
    def time(self) -> datetime:
        """When the record was complete, in UTC."""
        return moment(self.time_ns)


class HttpExchange(NamedTuple):
    """A request and its response, as far as they were seen.

    `host` is as on the wire, with a port if it has one; `url` the target. `response_bytes` are those of the response's
    body that were seen.
    """

    time_ns: int
    flow_id: int
    community_id: str
    src_ip: str
    src_port: int | None
    dest_ip: str
    dest_port: int | None
    proto: str
    icmp_type: int | None
    icmp_code: int | None
    app_proto: str | None
    src_mac: str | None
    dest_mac: str | None
    vlan: list[int]
    tunnel_src: str | None
    tunnel_dest: str | None
    tunnel_proto: str | None
    tunnel_depth: int
    in_iface: str
    frame: int | None
    method: str | None
    host: str | None
    url: str | None
    version: str | None
    user_agent: str | None
    referer: str | None
    request_content_type: str | None
    xff: str | None
    status: int | None
    content_type: str | None
    location: str | None
    server: str | None
    response_bytes: int

    @property
    def time(self) -> datetime:
        """When the record was complete, in UTC."""
        return moment(self.time_ns)


class SshBanners(NamedTuple):
    """With which programs two ends speak SSH."""

    time_ns: int
    flow_id: int
    community_id: str
    src_ip: str
    src_port: int | None
    dest_ip: str
    dest_port: int | None
    proto: str
    icmp_type: int | None
    icmp_code: int | None
    app_proto: str | None
    src_mac: str | None
    dest_mac: str | None
    vlan: list[int]
    tunnel_src: str | None
    tunnel_dest: str | None
    tunnel_proto: str | None
    tunnel_depth: int
    in_iface: str
    frame: int | None
    client_proto: str | None
    client_software: str | None
    server_proto: str | None
    server_software: str | None

    @property
    def time(self) -> datetime:
        """When the record was complete, in UTC."""
        return moment(self.time_ns)


KINDS: "dict[str, type[Flow | DnsMessage | TlsHello | QuicHello | HttpExchange | SshBanners]]" = {
    "flow": Flow,
    "dns": DnsMessage,
    "tls": TlsHello,
    "quic": QuicHello,
    "http": HttpExchange,
    "ssh": SshBanners,
}
"""The records by the name of their kind."""
