//! Bytes to meaning. One file a header, one cursor, one error type; no I/O and no clock.
//!
//! [`decode`] takes a frame as captured and returns the innermost [`Packet`]; the stack that the caller lends it takes
//! the encapsulations that carried the packet. Decoding is total: any bytes give a packet or a [`DecodeError`].
//!
//! What is an error, and what is only less to tell: a frame counts even where little of it can be read. A link, tag,
//! tunnel or IP header that is cut or contradicts itself is an error, because nothing innermost can be named behind
//! it. From there on nothing is: a transport header that is cut or malformed gives a packet with what was read, and a
//! tunnel that carries neither a frame nor an IP packet is the innermost packet itself. A frame that carries no IP is
//! [`Network::NonIp`], however deep it was found.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))] // a test that fails may panic

mod address;
mod capwap;
mod cisco_hdlc;
mod cisco_metadata;
mod community_id;
mod cursor;
mod decode;
mod encapsulation;
mod erm;
mod error;
mod erspan;
mod ethernet;
mod ethertype;
mod five_tuple;
mod geneve;
mod gre;
mod gtpu;
mod icmp;
mod ipv4;
mod ipv6;
mod ipv6_extension;
mod l2tp;
mod l2tpv3;
mod link;
mod linux_cooked;
mod llc;
mod loopback;
mod macsec;
mod mpls;
mod nflog;
mod nsh;
mod packet;
mod plain;
mod ppp;
mod pppoe;
pub mod protocol;
mod quote;
mod radio_header;
mod sctp;
mod shim;
mod sound;
mod switch_tag;
mod tcp;
mod teredo;
#[cfg(test)]
mod testing;
mod transport;
mod tunnel;
mod tunnel_ports;
mod tzsp;
mod udp;
mod vlan;
mod vxlan;
mod wlan;

pub use address::{Address, Mac};
pub use community_id::community_id;
pub use decode::decode;
pub use encapsulation::{EncapStack, Encapsulation, EncapsulationKind, MAX_ENCAPSULATIONS, Tunnel, vlan_ids};
pub use error::{DecodeError, DecodeErrorKind, Layer};
pub use five_tuple::{Endpoint, FiveTuple, FlowKey};
pub use packet::{Ether, IpPacket, Network, Packet, TcpFlags, Transport};
pub use plain::{plain_ends, plain_packet};
pub use tunnel_ports::{TunnelPorts, UdpTunnel};
