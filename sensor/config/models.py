"""Every key of the configuration: its type, default, unit and meaning. The reference documents are generated from here.

Attributes bear the names of the keys. Durations are seconds (float), sizes bytes (int), rates bits per second (int).
"""

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from sensor.capture.filters import filter_error
from sensor.config.detection import Alerts, Detect, WatchlistSource
from sensor.config.fields import (
    ConfiguredNetwork,
    ConfiguredPath,
    Count,
    CountOrZero,
    Duration,
    InterfaceName,
    Interval,
    Many,
    Port,
    Size,
    between,
)
from sensor.config.outputs import Api, Eve, Evidence, History, Metrics
from sensor.config.section import Section
from sensor.config.units import GIB, KIB, MIB, format_size


def _compiles(expression: str) -> str:
    reason = filter_error(expression) if expression else None
    if reason:
        raise ValueError(f"{reason}; pcap-filter(7) has the grammar")
    return expression


Backend = Literal["afpacket", "libpcap"]

Snaplen = Annotated[int, AfterValidator(between(64, 262_144))]
Filter = Annotated[str, AfterValidator(_compiles)]
RingMemory = Annotated[Size, AfterValidator(between(MIB, 64 * GIB, format_size))]


class Sensor(Section):
    """The sensor itself."""

    name: str = Field(
        default="", description="Name of the sensor, `host` in the event log. Empty: the machine's host name."
    )


class Interface(Section):
    """One interface; what is not given is as in `capture`."""

    name: InterfaceName = Field(description="Name of the interface.")
    backend: Backend | None = Field(default=None, description="As `capture.backend`, for this interface.")
    filter: Filter | None = Field(default=None, description="As `capture.filter`, for this interface.")
    snaplen: Snaplen | None = Field(default=None, description="As `capture.snaplen`, for this interface.")
    promiscuous: bool | None = Field(default=None, description="As `capture.promiscuous`, for this interface.")
    ring_memory: RingMemory | None = Field(default=None, description="As `capture.ring_memory`, for this interface.")

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, value: object) -> object:
        return {"name": value} if isinstance(value, str) else value


class Capture(Section):
    """Where frames come from."""

    interfaces: Many[Interface] = Field(
        default=(),
        description="Interfaces to listen on: names, or groups of `name` and what differs from the keys below.",
    )
    backend: Backend = Field(
        default="afpacket",
        description="`afpacket`: the kernel's packet ring. `libpcap`: portable, slower, without wire lengths.",
    )
    filter: Filter = Field(
        default="", description="BPF expression as in tcpdump; frames that do not match are never seen. Empty: all."
    )
    snaplen: Snaplen = Field(default=262_144, description="Bytes captured of a frame at most, 64 to 262144.")
    promiscuous: bool = Field(
        default=True, description="Whether frames to other stations are taken, as a mirror port needs."
    )
    workers: Annotated[int, AfterValidator(between(1, 64))] = Field(
        default=1,
        description="Worker threads in all, 1 to 64; `read` takes as many as there are processors, up to 4, if unset.",
    )
    ring_memory: RingMemory = Field(
        default=64 * MIB,
        description="Memory of the kernel's packet ring of one interface, for all workers together (size).",
    )
    deduplicate: Literal["measure", "on", "off"] = Field(
        default="measure",
        description="Packets that the mirror shows more than once: `measure` counts them, `on` also leaves the copies "
        "out of flows, hosts and alerts, `off` looks for none. The pcap ring keeps all.",
    )

    @field_validator("interfaces")
    @classmethod
    def _named_once(cls, interfaces: tuple[Interface, ...]) -> tuple[Interface, ...]:
        names = [interface.name for interface in interfaces]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} is listed twice; name each interface once")
        return interfaces


Ports = Annotated[Many[Port], AfterValidator(lambda ports: tuple(dict.fromkeys(ports)))]


class Decapsulation(Section):
    """Ports of tunnels that are known by their UDP port only; what carries frames otherwise is always followed."""

    vxlan_ports: Ports = Field(default=(4789, 8472), description="UDP ports of VXLAN.")
    geneve_ports: Ports = Field(default=(6081,), description="UDP ports of Geneve.")
    gtpu_ports: Ports = Field(default=(2152,), description="UDP ports of GTP-U.")
    tzsp_ports: Ports = Field(default=(37008,), description="UDP ports of TZSP.")


_PRIVATE = tuple(map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")))


class Networks(Section):
    """Which addresses are whose."""

    internal: Many[ConfiguredNetwork] = Field(
        default=_PRIVATE, description="Networks of your own: their addresses are hosts, everything else is outside."
    )
    mail_servers: Many[ConfiguredNetwork] = Field(
        default=(), description="Addresses or networks of mail servers: they may send mail in bulk."
    )
    web_servers: Many[ConfiguredNetwork] = Field(
        default=(),
        description="Addresses or networks of web servers that are watched for attacks. Empty: every internal address.",
    )
    mail_domains: Many[str] = Field(
        default=(),
        description="Mail domains of your own. Empty: those for which servers inside take mail from outside.",
    )


class PcapRing(Section):
    """The store of raw frames: rotating pcap files. Whatever limit is met first deletes the oldest file."""

    enabled: bool = Field(default=True, description="Whether frames are stored.")
    directory: ConfiguredPath = Field(
        default=Path("/var/lib/spanwatch/ring"), description="Where the files lie; one sensor a directory."
    )
    segment_size: Annotated[Size, AfterValidator(between(64 * KIB, 64 * GIB, format_size))] = Field(
        default=256 * MIB, description="A file is closed at this size (size, at least 64KiB)."
    )
    segment_time: Interval = Field(
        default=300.0, description="A file is closed after this packet time (duration, at least 100ms)."
    )
    max_size: Size = Field(default=50 * GIB, description="Size of all files together (size, at least 2 segments).")
    max_segments: CountOrZero = Field(default=0, description="Number of files. 0: no limit.")
    max_age: Duration = Field(
        default=0.0, description="Age of a file, counted from the newest frame (duration). 0: no limit."
    )
    min_free: Size = Field(default=10 * GIB, description="Space that stays free on the disk (size). 0: none.")
    flow_cutoff: Size = Field(
        default=0,
        description="Bytes of each flow that are stored, both directions together (size). Flows that meet a watchlist, "
        "mail, DNS, requests to watched web servers, control protocols and what is no flow are stored whole. "
        "0: all frames.",
    )

    @field_validator("max_size")
    @classmethod
    def _holds_two_segments(cls, value: int, info: ValidationInfo) -> int:
        segment_size = info.data.get("segment_size", 0)
        if value < 2 * segment_size:
            raise ValueError(f"must be at least {format_size(2 * segment_size)}, twice pcap_ring.segment_size")
        return value


class Flows(Section):
    """The flow table."""

    max: Count = Field(default=1_000_000, description="Live flows at most; then the least useful ones are ended early.")
    tcp_idle: Interval = Field(default=300.0, description="Silence that ends a TCP flow (duration).")
    udp_idle: Interval = Field(default=60.0, description="Silence that ends any other flow (duration).")
    active: Interval = Field(default=300.0, description="Interval of the interim records of a long flow (duration).")


class Hosts(Section):
    """The host table."""

    max: Count = Field(default=100_000, description="Hosts at most; then the one that was silent longest is forgotten.")


_LISTS = (WatchlistSource(path=Path("/etc/spanwatch/watchlists.d/*.csv")),)


class Config(Section):
    """The whole configuration. Every key may be left out."""

    sensor: Sensor = Sensor()
    capture: Capture = Capture()
    decapsulation: Decapsulation = Decapsulation()
    networks: Networks = Networks()
    pcap_ring: PcapRing = PcapRing()
    flows: Flows = Flows()
    hosts: Hosts = Hosts()
    watchlists: Many[WatchlistSource] = Field(
        default=_LISTS, description="Lists of indicators: paths, or groups of the keys below."
    )
    detect: Detect = Detect()
    alerts: Alerts = Alerts()
    eve: Eve = Eve()
    history: History = History()
    evidence: Evidence = Evidence()
    api: Api = Api()
    metrics: Metrics = Metrics()
