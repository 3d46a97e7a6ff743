//! Which transport header an IP packet carries.

use crate::cursor::Cursor;
use crate::packet::{IpHeader, Transport};
use crate::{icmp, protocol, sctp, tcp, udp};

/// Takes the transport header that the protocol promises, and leaves the cursor at its payload.
#[inline]
pub(crate) fn read(cursor: &mut Cursor<'_>, ip: &IpHeader) -> Transport {
    if ip.later_fragment {
        return Transport::None;
    }
    match ip.protocol {
        protocol::TCP => tcp::read(cursor),
        protocol::UDP => udp::read(cursor),
        protocol::UDP_LITE => udp::read_lite(cursor),
        protocol::SCTP => sctp::read(cursor),
        protocol::ICMP | protocol::ICMPV6 => icmp::read(cursor),
        _ => Transport::None,
    }
}
