"""The rows that the core hands to the alert policy, one typed dictionary a kind, and who is who in them.

`machine` is put in where a row is told in full, see `sensor.identity`; it is the host's machine at the time of the row.
"""

from typing import TYPE_CHECKING, Any, NamedTuple, NotRequired, TypedDict, final

if TYPE_CHECKING:
    from sensor.identity.table import Machine


@final
class HitRow(TypedDict):
    """An event of a flow that met a listed indicator; counts are since its last row under that indicator.

    `observed` is the name, URL or fingerprint that the flow showed, as it was on the wire, and `observed_in` the
    protocol that showed it; both are None where its addresses met the indicator.
    """

    time_ns: int
    event: str
    stage: str
    flow_id: int
    community_id: str
    start_ns: int
    src_ip: str
    src_port: int
    dest_ip: str
    dest_port: int
    proto: str
    src_mac: str | None
    dest_mac: str | None
    vlan: list[int]
    tunnel_src: str | None
    tunnel_dest: str | None
    tunnel_proto: str | None
    tunnel_depth: int
    in_iface: str
    frame: int | None
    packets_toserver: int
    packets_toclient: int
    bytes_toserver: int
    bytes_toclient: int
    src_internal: bool
    dest_internal: bool
    first_sender: str
    list: str
    indicator: str
    type: str
    severity: int
    metadata: str
    matched: str
    observed: str | None
    observed_in: str | None
    machine: NotRequired["Machine | None"]


@final
class FindingRow(TypedDict):
    """A threshold that a host is over; repeated while it lasts. `window_seconds` is what the numbers cover."""

    time_ns: int
    rule: str
    host: str
    mac: str | None
    vlan: list[int]
    in_iface: str
    window_seconds: int
    count: int
    connections: int
    servers: int
    rejects: int
    examples: list[str]
    machine: NotRequired["Machine | None"]


@final
class BeaconRow(TypedDict):
    """A host that calls a remote end at a machine's pace; repeated while it goes on.

    `name` is the remote end's where it is known: `remote` is then only the address that was called last. The interval
    is the median of the last calls', the jitter the median deviation from it as a share, `fit_ratio` the share of
    intervals near a beat. Calls and bytes are counted from `since_ns`.
    """

    time_ns: int
    rule: str
    host: str
    mac: str | None
    vlan: list[int]
    in_iface: str
    name: str | None
    remote: str
    port: int
    proto: str
    since_ns: int
    calls: int
    interval_seconds: float
    jitter_ratio: float
    fit_ratio: float
    bytes_out: int
    bytes_in: int
    machine: NotRequired["Machine | None"]


@final
class MirrorRow(TypedDict):
    """A rule that has begun or, if `over`, ceased to speak against a source of frames; repeated while it lasts."""

    time_ns: int
    rule: str
    source: str
    over: bool
    blind: bool
    figures: dict[str, Any]


@final
class FlowReference(TypedDict):
    """The connection that a judgement rests on; `src` opened it."""

    flow_id: int
    community_id: str
    start_ns: int
    frame: int | None
    src_ip: str
    src_port: int
    dest_ip: str
    dest_port: int
    proto: str
    app_proto: str


@final
class JudgedRow(TypedDict):
    """What was judged of what conversations said, in Python.

    `subject` makes it one incident, together with rule and host: a sender, a URL's host. `count` is what it adds to the
    incident. `text` says the figures as of now, and `notes` what else a reader of the first line wants to know: texts
    for people, in which everything foreign is escaped. `context` is for programs, not escaped.
    """

    time_ns: int
    rule: str
    severity: int
    host: str
    remote: str
    subject: str
    count: int
    text: str
    notes: list[str]
    mac: str | None
    vlan: list[int]
    in_iface: str
    flow: FlowReference
    context: dict[str, Any]
    machine: NotRequired["Machine | None"]


class Ends(NamedTuple):
    """The two ends of a hit as an operator sees them: the own host, and the other one."""

    host: str
    host_port: int
    remote: str
    remote_port: int
    host_opened: bool


def ends_of(row: HitRow) -> Ends:
    """Tell the host of a hit from its remote end.

    The host is the internal end. Of two internal ends it is the one that is not listed, of none the originator.
    """
    if row["src_internal"] and row["dest_internal"]:
        host_opened = row["matched"] == "dest"
    else:
        host_opened = row["src_internal"] or not row["dest_internal"]
    source = (row["src_ip"], row["src_port"])
    destination = (row["dest_ip"], row["dest_port"])
    if host_opened:
        return Ends(*source, *destination, host_opened=True)
    return Ends(*destination, *source, host_opened=False)


def host_mac(row: HitRow | FindingRow | BeaconRow | JudgedRow) -> str | None:
    """Give the MAC that frames of the host show; behind a router it is the router's."""
    if "flow_id" not in row:
        return row["mac"]
    return row["src_mac"] if ends_of(row).host == row["src_ip"] else row["dest_mac"]


def name_and_mac(row: HitRow | FindingRow | BeaconRow | JudgedRow) -> tuple[str | None, str | None]:
    """Give name and MAC of the host; the frames' MAC where nobody has looked for the machine."""
    if "machine" not in row:
        return None, host_mac(row)
    machine = row["machine"]
    return (machine["name"], machine["mac"]) if machine else (None, None)


def carries_news(row: HitRow) -> bool:
    """Whether a hit tells of a new flow or of packets, and not only that a silent flow has ended."""
    return row["event"] == "open" or row["packets_toserver"] > 0 or row["packets_toclient"] > 0
