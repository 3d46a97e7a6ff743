//! Whether a frame is one of those that are looked for, and which keys a block must have for it to be in there.

use std::collections::HashMap;

use capture::{Frame, LinkType, OfflineFilter};
use wire::{Address, EncapStack, Encapsulation, FiveTuple, FlowKey, Network, Packet, TunnelPorts, vlan_ids};

use super::{FindError, PacketQuery};
use crate::flow::Fragments;
use crate::pcap_ring::{IndexBlock, Key};

/// Flows whose Community ID is remembered; it costs more than all else.
const MAX_REMEMBERED: usize = 1 << 16;

/// What a query asks of addresses, ports and tags.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    host: Option<Address>,
    peer: Option<Address>,
    port: Option<u16>,
    community_id: Option<String>,
    vlan: Option<u16>,
}

impl Wanted {
    pub(super) fn of(query: &PacketQuery) -> Result<Self, FindError> {
        if query.peer.is_some() && query.host.is_none() {
            return Err(FindError::Query("peer is the other end of a host: give both".into()));
        }
        Ok(Self {
            host: query.host.map(Address::from),
            peer: query.peer.map(Address::from),
            port: query.port,
            community_id: query.community_id.clone(),
            vlan: query.vlan,
        })
    }

    /// Whether a block may hold something; `false` is sure.
    pub(super) fn may_be_in(&self, block: &IndexBlock) -> bool {
        let holds = |key| block.filter.may_hold(key);
        let addresses = [self.host, self.peer].into_iter().flatten();
        // A later fragment has its ports in another frame, which may be in another block.
        addresses.map(Key::address).all(holds)
            && self.port.is_none_or(|port| holds(Key::port(port)) || holds(Key::LATER_FRAGMENT))
            && self.vlan.is_none_or(|id| holds(Key::vlan(id)))
    }

    fn needs_packet(&self) -> bool {
        self.host.is_some() || self.port.is_some() || self.community_id.is_some()
    }

    fn has_ends(&self, source: Address, destination: Address) -> bool {
        let Some(host) = self.host else { return true };
        let other = match (source == host, destination == host) {
            (true, _) => destination,
            (_, true) => source,
            _ => return false,
        };
        self.peer.is_none_or(|peer| peer == other)
    }

    fn has_tunnel_ends(&self, stack: &EncapStack) -> bool {
        stack.iter().any(|layer| match *layer {
            Encapsulation::Ip { source, destination } => self.has_ends(source, destination),
            _ => false,
        })
    }
}

/// Judges frames.
pub(super) struct Matcher {
    wanted: Wanted,
    since_ns: u64,
    until_ns: u64,
    expression: String,
    filters: Vec<(LinkType, OfflineFilter)>,
    ports: TunnelPorts,
    stack: EncapStack,
    fragments: Fragments,
    by_id: HashMap<FlowKey, bool, ahash::RandomState>,
}

impl Matcher {
    pub(super) fn new(query: &PacketQuery) -> Result<Self, FindError> {
        let mut filters = Vec::new();
        if !query.filter.is_empty() {
            filters.push((LinkType::ETHERNET, OfflineFilter::compile(&query.filter, LinkType::ETHERNET)?));
        }
        Ok(Self {
            wanted: Wanted::of(query)?,
            since_ns: query.since_ns,
            until_ns: query.until_ns.unwrap_or(u64::MAX),
            expression: query.filter.clone(),
            filters,
            ports: query.decapsulation.ports(),
            stack: EncapStack::new(),
            fragments: Fragments::default(),
            by_id: HashMap::default(),
        })
    }

    /// Whether the frame is looked for.
    pub(super) fn matches(&mut self, frame: &Frame<'_>) -> bool {
        self.is_wanted(frame) && (self.since_ns..=self.until_ns).contains(&frame.timestamp_ns) && self.passes(frame)
    }

    /// All but time and BPF expression. A first fragment before the time is remembered for those behind it.
    fn is_wanted(&mut self, frame: &Frame<'_>) -> bool {
        if !self.wanted.needs_packet() && self.wanted.vlan.is_none() {
            return true;
        }
        let decoded = wire::decode(frame.data, frame.origlen, frame.link_type.0, &self.ports, &mut self.stack);
        if self.wanted.vlan.is_some_and(|id| !vlan_ids(&self.stack).contains(&id)) {
            return false;
        }
        if !self.wanted.needs_packet() {
            return true;
        }
        let Ok(Packet { network: Network::Ip(packet), .. }) = decoded else {
            // Of what cannot be decoded the tunnel that brought it is known.
            let by_tunnel = self.wanted.port.is_none() && self.wanted.community_id.is_none();
            return by_tunnel && self.wanted.has_tunnel_ends(&self.stack);
        };
        let tuple = match packet.fragment {
            true => self.fragments.tuple(&packet, frame.timestamp_ns),
            false => packet.five_tuple(),
        };
        let outside = self.wanted.host.is_some() && self.wanted.has_tunnel_ends(&self.stack);
        self.has_tuple(&tuple, outside) || packet.quoted().is_some_and(|quoted| self.has_tuple(&quoted, false))
    }

    /// `outside`: the addresses are those of a tunnel around it.
    fn has_tuple(&mut self, tuple: &FiveTuple, outside: bool) -> bool {
        let wanted = &self.wanted;
        (outside || wanted.has_ends(tuple.orig.address, tuple.resp.address))
            && wanted.port.is_none_or(|port| has_ports(tuple) && (tuple.orig.port == port || tuple.resp.port == port))
            && self.has_id(tuple)
    }

    fn has_id(&mut self, tuple: &FiveTuple) -> bool {
        let Some(id) = &self.wanted.community_id else { return true };
        let (key, _) = FlowKey::new(tuple);
        if let Some(&known) = self.by_id.get(&key) {
            return known;
        }
        if self.by_id.len() >= MAX_REMEMBERED {
            self.by_id.clear();
        }
        let equal = wire::community_id(tuple) == *id;
        self.by_id.insert(key, equal);
        equal
    }

    fn passes(&mut self, frame: &Frame<'_>) -> bool {
        if self.expression.is_empty() {
            return true;
        }
        let known = self.filters.iter().position(|(link_type, _)| *link_type == frame.link_type);
        let place = match known {
            Some(place) => place,
            // An expression that means nothing on this link type matches none of its frames.
            None => match OfflineFilter::compile(&self.expression, frame.link_type) {
                Ok(filter) => {
                    self.filters.push((frame.link_type, filter));
                    self.filters.len() - 1
                }
                Err(_) => return false,
            },
        };
        self.filters[place].1.matches(frame)
    }
}

/// ICMP keeps type and code where others have ports.
fn has_ports(tuple: &FiveTuple) -> bool {
    !matches!(tuple.protocol, wire::protocol::ICMP | wire::protocol::ICMPV6)
}
