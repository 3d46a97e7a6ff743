//! What the engine is told to do. Python validates; this is the validated form, as JSON.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Deserializer};
use wire::{TunnelPorts, UdpTunnel};

use crate::networks::Networks;
use crate::pcap_ring::RingConfig;
use crate::records::RecordKind;
use crate::web::WebConfig;

/// The one thread that reads a file feeds no more.
const MAX_DEFAULT_WORKERS: usize = 4;

fn workers() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(MAX_DEFAULT_WORKERS)
}

/// Live capture or capture files: the same engine, but live a full queue drops and counts, and in `Read` it waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Frames arrive from interfaces; nothing may hold the workers up.
    Live,
    /// Frames come from capture files; nothing may be lost.
    Read,
}

/// The whole configuration of an [`crate::Engine`].
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EngineConfig {
    /// Live or read.
    pub mode: Mode,
    /// EVE `host`.
    pub sensor_name: String,
    /// Number of worker threads, at least 1; not given: as many as there are processors, at most 4.
    #[serde(default = "workers")]
    pub workers: usize,
    /// Interfaces to listen on (live).
    #[serde(default)]
    pub interfaces: Vec<InterfaceConfig>,
    /// Capture files, `-` for standard input (read).
    #[serde(default)]
    pub files: Vec<PathBuf>,
    /// BPF expression that the frames of files must pass (read).
    #[serde(default)]
    pub filter: String,
    /// Protocols whose flows are wanted afterwards; none for no such wish (read).
    #[serde(default)]
    pub apps: Vec<String>,
    /// Ports of tunnels that are known by their port only.
    pub decapsulation: DecapsulationConfig,
    /// Which addresses are ours.
    pub networks: NetworksConfig,
    /// The pcap ring, if frames are kept.
    pub pcap_ring: Option<RingConfig>,
    /// The flow table.
    pub flows: FlowsConfig,
    /// The host table.
    pub hosts: HostsConfig,
    /// What to do with copies of packets.
    pub deduplicate: Deduplicate,
    /// What the mirror should show.
    pub mirror: MirrorConfig,
    /// Thresholds of bulk SMTP.
    pub smtp: SmtpConfig,
    /// What is judged of web servers; nothing if it is missing.
    #[serde(default)]
    pub web: Option<WebConfig>,
    /// When calls are a beacon.
    pub beacon: BeaconConfig,
    /// The event log, if one is written.
    pub eve: Option<EveConfig>,
    /// The kinds of records that are given as Arrow.
    #[serde(default)]
    pub records: Vec<RecordKind>,
    /// Whether mails are given with their bytes (read).
    #[serde(default)]
    pub raw_mails: bool,
    /// Whether flow records are added up over the whole run (read).
    #[serde(default)]
    pub traffic: bool,
}

/// How one interface is captured.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InterfaceConfig {
    /// Name of the network device.
    pub name: String,
    /// Who captures.
    pub backend: Backend,
    /// BPF expression, empty for all.
    pub filter: String,
    /// Captured bytes a frame at most.
    pub snaplen: u32,
    /// Whether frames to other stations are wanted.
    pub promiscuous: bool,
    /// Size of the kernel ring for all workers together, in bytes.
    pub ring_memory_bytes: usize,
}

/// Who captures from an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// The engine, with an AF_PACKET ring.
    AfPacket,
    /// The caller, who hands frames in.
    Libpcap,
}

/// Ports of tunnels that are known by their port only.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecapsulationConfig {
    /// UDP ports of VXLAN.
    pub vxlan_ports: Vec<u16>,
    /// UDP ports of Geneve.
    pub geneve_ports: Vec<u16>,
    /// UDP ports of GTP-U.
    pub gtpu_ports: Vec<u16>,
    /// UDP ports of TZSP.
    pub tzsp_ports: Vec<u16>,
}

impl DecapsulationConfig {
    /// The ports as the decoder takes them.
    pub fn ports(&self) -> TunnelPorts {
        TunnelPorts::new(&self.vxlan_ports)
            .with(UdpTunnel::Geneve, &self.geneve_ports)
            .with(UdpTunnel::Gtpu, &self.gtpu_ports)
            .with(UdpTunnel::Tzsp, &self.tzsp_ports)
    }
}

/// Which addresses are ours.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworksConfig {
    /// What a host is.
    #[serde(deserialize_with = "networks")]
    pub internal: Networks,
    /// Hosts that may send mail in bulk.
    #[serde(deserialize_with = "networks")]
    pub mail_servers: Networks,
}

/// The flow table.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlowsConfig {
    /// Live flows at most, over all workers.
    pub max: usize,
    /// Silence that ends a TCP flow.
    #[serde(rename = "tcp_idle_seconds", deserialize_with = "seconds")]
    pub tcp_idle: Duration,
    /// Silence that ends any other flow.
    #[serde(rename = "udp_idle_seconds", deserialize_with = "seconds")]
    pub udp_idle: Duration,
    /// Interval of the records of a long flow.
    #[serde(rename = "active_seconds", deserialize_with = "seconds")]
    pub active: Duration,
}

/// The host table.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostsConfig {
    /// Hosts at most.
    pub max: usize,
}

/// What to do with packets that the mirror shows more than once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Deduplicate {
    /// They are counted.
    Measure,
    /// They are counted, and left out of flows, hosts and alerts.
    On,
    /// Nothing is looked for.
    Off,
}

/// What the mirror should show.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MirrorConfig {
    /// VLANs.
    pub expected_vlans: Vec<u16>,
    /// Networks of which some host should show.
    #[serde(deserialize_with = "subnets")]
    pub expected_subnets: Vec<SubnetConfig>,
    /// Speed of the observing port, if it is known.
    pub port_speed_bits_per_second: Option<f64>,
}

/// A network, and how the operator wrote it.
#[derive(Debug, Clone)]
pub struct SubnetConfig {
    /// As written.
    pub text: String,
    /// The network alone.
    pub network: Networks,
}

/// Thresholds of bulk SMTP; windows are 10 minutes unless the name says otherwise.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmtpConfig {
    /// `smtp.fanout`: distinct servers on port 25.
    pub fanout_servers: u64,
    /// `smtp.bulk`: distinct servers.
    pub bulk_servers: u64,
    /// `smtp.bulk`: connections in 10 minutes.
    pub bulk_connections_10m: u64,
    /// `smtp.bulk`: connections in an hour.
    pub bulk_connections_1h: u64,
    /// `smtp.rejects`: share of connections that the server ended early.
    pub reject_ratio: f64,
    /// `smtp.rejects`: connections at least.
    pub reject_connections: u64,
    /// `smtp.rejects`: an end within this time is early.
    #[serde(rename = "reject_seconds", deserialize_with = "seconds")]
    pub reject_time: Duration,
    /// `smtp.rejects`: an end before this many bytes were sent is early.
    pub reject_bytes: u64,
}

/// When the calls of a host to a remote end are a beacon.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BeaconConfig {
    /// Calls at least.
    pub calls: u64,
    /// How long the pace must have lasted.
    #[serde(rename = "span_seconds", deserialize_with = "seconds")]
    pub span: Duration,
    /// The median deviation from the beat at most, as a share of it.
    pub jitter_ratio: f64,
    /// The share of intervals that must lie near a beat.
    pub fit_ratio: f64,
    /// Bytes of both directions of a call at most, in the median.
    pub call_bytes: u64,
    /// A remote that so many hosts call is a service.
    pub popular_hosts: u64,
    /// Ports of remote ends that do not count.
    pub ignore_ports: Vec<u16>,
    /// Addresses of remote ends that do not count.
    #[serde(deserialize_with = "networks")]
    pub ignore_networks: Networks,
    /// Names of remote ends that do not count, with all that lies in them.
    pub ignore_domains: Vec<String>,
}

/// The event log.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EveConfig {
    /// Where it is written.
    pub path: PathBuf,
    /// Event types that are written.
    pub types: Vec<String>,
}

impl EveConfig {
    /// Whether events of this type are written.
    pub fn writes(&self, event_type: &str) -> bool {
        self.types.iter().any(|wanted| wanted == event_type)
    }
}

fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let seconds = f64::deserialize(deserializer)?;
    Duration::try_from_secs_f64(seconds).map_err(serde::de::Error::custom)
}

fn subnets<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SubnetConfig>, D::Error> {
    let subnet =
        |text: String| parse_prefix(&text).map(|prefix| SubnetConfig { network: Networks::new(&[prefix]), text });
    Vec::<String>::deserialize(deserializer)?
        .into_iter()
        .map(subnet)
        .collect::<Result<_, _>>()
        .map_err(serde::de::Error::custom)
}

pub(crate) fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Networks, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    let prefixes = texts.iter().map(|text| parse_prefix(text)).collect::<Result<Vec<_>, _>>();
    Ok(Networks::new(&prefixes.map_err(serde::de::Error::custom)?))
}

fn parse_prefix(text: &str) -> Result<(IpAddr, u8), String> {
    let (address, length) = text.split_once('/').map_or((text, None), |(a, l)| (a, Some(l)));
    let address: IpAddr = address.parse().map_err(|_| format!("'{text}' is not a network"))?;
    let width = if address.is_ipv4() { 32 } else { 128 };
    let length = length.map_or(Ok(width), str::parse).map_err(|_| format!("'{text}' is not a network"))?;
    if length > width {
        return Err(format!("'{text}': the prefix is longer than {width} bits"));
    }
    Ok((address, length))
}
