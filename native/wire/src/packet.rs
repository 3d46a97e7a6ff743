//! The decoded view of a frame after decapsulation: the innermost packet, borrowed.

use crate::address::{Address, Mac};
use crate::cursor::Cursor;

/// The innermost packet of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    /// The innermost Ethernet header, if any layer of the frame had one.
    pub ether: Option<Ether>,
    /// What the innermost frame carries.
    pub network: Network<'a>,
}

/// Source and destination of an Ethernet frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ether {
    /// Who sent the frame on its last hop.
    pub source: Mac,
    /// To whom.
    pub destination: Mac,
}

/// The network layer of the innermost frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network<'a> {
    /// An IPv4 or IPv6 packet.
    Ip(IpPacket<'a>),
    /// Anything else: ARP, LLDP, STP, …
    NonIp {
        /// EtherType, or 0 for an 802.3 length field (LLC).
        ethertype: u16,
        /// What stands behind the EtherType as captured, padding included; behind a length field the LLC header is its
        /// first part.
        payload: &'a [u8],
    },
}

/// An IPv4 or IPv6 packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IpPacket<'a> {
    /// Source address.
    pub source: Address,
    /// Destination address.
    pub destination: Address,
    /// Protocol of the payload behind all extension headers (IANA protocol numbers); where an extension header was not
    /// captured, that header's number.
    pub protocol: u8,
    /// Hop limit or time to live.
    pub ttl: u8,
    /// IPv4 identification, 16 bits, or the IPv6 fragment header's, 32 bits; 0 where there is none.
    pub identification: u32,
    /// Length of the whole IP packet in bytes, header included, as the header says it; where the header says 0
    /// (segmentation offload, jumbograms) what the wire frame has left.
    pub length_bytes: u32,
    /// Whether this is a fragment behind the first, which has no ports.
    pub later_fragment: bool,
    /// Whether this is any fragment of a larger packet, the first included.
    pub fragment: bool,
    /// Whether the header says that fragments follow behind this one.
    pub more_fragments: bool,
    /// The transport header.
    pub transport: Transport,
    /// Transport payload as captured, padding left out; empty where the end of the transport header is not known.
    pub payload: &'a [u8],
    /// Length of the transport payload on the wire in bytes, whether captured or not; 0 where the end of the transport
    /// header is not known, so that no data is claimed that may be none.
    pub payload_length_bytes: u32,
}

/// What the header of an IPv4 or IPv6 packet and its extension headers say; fields as in [`IpPacket`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct IpHeader {
    pub(crate) source: Address,
    pub(crate) destination: Address,
    pub(crate) protocol: u8,
    pub(crate) ttl: u8,
    pub(crate) identification: u32,
    pub(crate) length_bytes: u32,
    pub(crate) fragment: bool,
    pub(crate) later_fragment: bool,
    pub(crate) more_fragments: bool,
}

impl IpHeader {
    /// The packet with this header, whose transport header was taken from `rest`.
    #[inline]
    pub(crate) fn packet<'a>(&self, transport: Transport, rest: &Cursor<'a>) -> IpPacket<'a> {
        IpPacket {
            source: self.source,
            destination: self.destination,
            protocol: self.protocol,
            ttl: self.ttl,
            identification: self.identification,
            length_bytes: self.length_bytes,
            later_fragment: self.later_fragment,
            fragment: self.fragment,
            more_fragments: self.more_fragments,
            transport,
            payload: rest.rest(),
            payload_length_bytes: rest.wire_left(),
        }
    }
}

/// The transport header of the innermost packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// TCP (RFC 9293).
    Tcp {
        /// Source port.
        source_port: u16,
        /// Destination port.
        destination_port: u16,
        /// Sequence number.
        sequence: u32,
        /// Acknowledgement number.
        acknowledgement: u32,
        /// Control bits.
        flags: TcpFlags,
    },
    /// UDP and UDP-Lite (RFC 768, RFC 3828).
    Udp {
        /// Source port.
        source_port: u16,
        /// Destination port.
        destination_port: u16,
    },
    /// SCTP (RFC 9260).
    Sctp {
        /// Source port.
        source_port: u16,
        /// Destination port.
        destination_port: u16,
    },
    /// ICMP and ICMPv6 (RFC 792, RFC 4443).
    Icmp {
        /// Message type.
        kind: u8,
        /// Message code.
        code: u8,
    },
    /// Any other protocol, a fragment behind the first, or a transport header that the captured bytes do not reach.
    None,
}

/// TCP control bits, low to high: FIN, SYN, RST, PSH, ACK, URG, ECE, CWR.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TcpFlags(pub u8);

impl TcpFlags {
    /// No more data from sender.
    pub const FIN: Self = Self(0x01);
    /// Synchronize sequence numbers.
    pub const SYN: Self = Self(0x02);
    /// Reset the connection.
    pub const RST: Self = Self(0x04);
    /// Push function.
    pub const PSH: Self = Self(0x08);
    /// Acknowledgement field is significant.
    pub const ACK: Self = Self(0x10);

    /// Whether every bit of `other` is set.
    #[inline]
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}
