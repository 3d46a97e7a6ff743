//! Whose packets belong together: the oriented five-tuple, and the key that both directions share.

use std::hash::{Hash, Hasher};

use crate::address::Address;
use crate::packet::{IpPacket, Transport};
use crate::{icmp, protocol};

/// One end of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// Its address.
    pub address: Address,
    /// Its port; for ICMP as in [`IpPacket::five_tuple`], 0 where there is none.
    pub port: u16,
}

/// A flow's two ends and its protocol, oriented by who originated it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FiveTuple {
    /// The originator.
    pub orig: Endpoint,
    /// The responder.
    pub resp: Endpoint,
    /// IP protocol number.
    pub protocol: u8,
}

impl IpPacket<'_> {
    /// The packet's five-tuple, its source as originator.
    ///
    /// ICMP and ICMPv6 have no ports. As Community ID version 1 has it, a message that is one half of an exchange has its
    /// own type as source port and its counterpart's type as destination port, so that request and reply are one flow;
    /// any other message has type and code.
    #[inline]
    pub fn five_tuple(&self) -> FiveTuple {
        FiveTuple::of((self.source, self.destination), self.protocol, &self.transport)
    }
}

impl FiveTuple {
    /// That of a packet between these ends, source first; ports as in [`IpPacket::five_tuple`].
    #[inline]
    pub(crate) fn of((source, destination): (Address, Address), protocol: u8, transport: &Transport) -> Self {
        let (source_port, destination_port) = match *transport {
            Transport::Tcp { source_port, destination_port, .. }
            | Transport::Udp { source_port, destination_port }
            | Transport::Sctp { source_port, destination_port } => (source_port, destination_port),
            Transport::Icmp { kind, code } => {
                (u16::from(kind), u16::from(icmp::counterpart(protocol, kind).unwrap_or(code)))
            }
            Transport::None => (0, 0),
        };
        Self {
            orig: Endpoint { address: source, port: source_port },
            resp: Endpoint { address: destination, port: destination_port },
            protocol,
        }
    }

    /// Whether the two ends have to change places to be in the order that both directions share: by address, then by port.
    ///
    /// One-way ICMP messages are never turned: their type and code are no ends, and nothing comes back.
    #[inline]
    pub(crate) fn is_reversed(&self) -> bool {
        // Big-endian numbers order as the bytes do, in two comparisons.
        let orig = u128::from_be_bytes(*self.orig.address.bytes());
        let resp = u128::from_be_bytes(*self.resp.address.bytes());
        (orig, self.orig.port) > (resp, self.resp.port) && !self.is_one_way()
    }

    /// The code of an ICMP or ICMPv6 flow: what stands as its port, or 0 where that is the counterpart's type.
    pub fn icmp_code(&self) -> u16 {
        if self.is_one_way() { self.resp.port } else { 0 }
    }

    #[inline]
    fn is_one_way(&self) -> bool {
        matches!(self.protocol, protocol::ICMP | protocol::ICMPV6)
            && u8::try_from(self.orig.port).ok().and_then(|kind| icmp::counterpart(self.protocol, kind)).map(u16::from)
                != Some(self.resp.port)
    }
}

/// What both directions of a flow have in common: the key of the flow table.
#[derive(Debug, Clone, Copy, Eq)]
pub struct FlowKey([u64; 5]);

impl FlowKey {
    /// The key of a flow, and whether the originator stands second in it.
    #[inline]
    pub fn new(tuple: &FiveTuple) -> (Self, bool) {
        let reversed = tuple.is_reversed();
        let (first, second) = if reversed { (&tuple.resp, &tuple.orig) } else { (&tuple.orig, &tuple.resp) };
        let [a, b] = words(&first.address);
        let [c, d] = words(&second.address);
        let rest = u64::from(first.port) << 24 | u64::from(second.port) << 8 | u64::from(tuple.protocol);
        (Self([a, b, c, d, rest]), reversed)
    }

    /// The five-tuple back; `reversed` as [`FlowKey::new`] gave it.
    pub fn tuple(&self, reversed: bool) -> FiveTuple {
        let Self([a, b, c, d, rest]) = *self;
        let first = Endpoint { address: address(a, b), port: (rest >> 24) as u16 };
        let second = Endpoint { address: address(c, d), port: (rest >> 8) as u16 };
        let (orig, resp) = if reversed { (second, first) } else { (first, second) };
        FiveTuple { orig, resp, protocol: self.protocol() }
    }

    /// IP protocol number.
    #[inline]
    pub fn protocol(&self) -> u8 {
        self.0[4] as u8
    }
}

impl PartialEq for FlowKey {
    /// Without a call of memcmp, which costs more than the comparison, and without a branch a word.
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        let difference = self.0.iter().zip(&other.0).fold(0, |sum, (own, other)| sum | (own ^ other));
        difference == 0
    }
}

impl Hash for FlowKey {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        for &word in &self.0 {
            state.write_u64(word);
        }
    }
}

#[inline]
fn words(address: &Address) -> [u64; 2] {
    let number = u128::from_ne_bytes(*address.bytes());
    [number as u64, (number >> 64) as u64]
}

fn address(low: u64, high: u64) -> Address {
    Address::from_bytes((u128::from(high) << 64 | u128::from(low)).to_ne_bytes())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn end(last: u8, port: u16) -> Endpoint {
        Endpoint { address: Address::v4([10, 0, 0, last]), port }
    }

    fn key(orig: Endpoint, resp: Endpoint, protocol: u8) -> (FlowKey, bool) {
        FlowKey::new(&FiveTuple { orig, resp, protocol })
    }

    #[test]
    fn both_directions_have_one_key() {
        let (there, swapped_there) = key(end(2, 50_000), end(1, 443), 6);
        let (back, swapped_back) = key(end(1, 443), end(2, 50_000), 6);
        assert_eq!(there, back);
        assert_eq!((swapped_there, swapped_back), (true, false));
        assert_eq!(key(end(1, 2), end(1, 1), 6).0, key(end(1, 1), end(1, 2), 6).0);
    }

    #[test]
    fn a_key_gives_its_tuple_back() {
        for (orig, resp) in [(end(2, 50_000), end(1, 443)), (end(1, 443), end(2, 50_000))] {
            let tuple = FiveTuple { orig, resp, protocol: 6 };
            let (key, reversed) = FlowKey::new(&tuple);
            assert_eq!(key.tuple(reversed), tuple);
        }
    }

    #[test]
    fn whatever_differs_gives_another_key() {
        let keys: HashSet<FlowKey> = [
            key(end(1, 1), end(2, 2), 6),
            key(end(1, 2), end(2, 1), 6),
            key(end(1, 1), end(2, 2), 17),
            key(end(1, 1), end(3, 2), 6),
            key(end(1, 1), end(2, 3), 6),
            key(end(1, 256), end(2, 2), 6),
        ]
        .map(|(key, _)| key)
        .into();
        assert_eq!(keys.len(), 6);
    }

    #[test]
    fn an_exchange_of_icmp_is_one_flow_and_one_way_messages_are_not() {
        assert_eq!(key(end(2, 8), end(1, 0), 1).0, key(end(1, 0), end(2, 8), 1).0);
        assert_eq!(key(end(2, 135), end(1, 136), 58).0, key(end(1, 136), end(2, 135), 58).0);
        // Port unreachable (3, 3) each way, and (3, 5) against (5, 3).
        assert_ne!(key(end(2, 3), end(1, 3), 1).0, key(end(1, 3), end(2, 3), 1).0);
        assert_ne!(key(end(2, 3), end(1, 5), 1).0, key(end(1, 5), end(2, 3), 1).0);
    }
}
