//! The UDP ports that are looked into for tunnels.

/// The tunnels that are known by their UDP port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum UdpTunnel {
    /// VXLAN (RFC 7348, 5).
    Vxlan,
    /// VXLAN-GPE (draft-ietf-nvo3-vxlan-gpe-12).
    VxlanGpe,
    /// Geneve (RFC 8926, 3.3).
    Geneve,
    /// GTP-U (3GPP TS 29.281, 4.4.2).
    Gtpu,
    /// TaZmen Sniffer Protocol.
    Tzsp,
    /// HPE encapsulated remote mirroring.
    Erm,
    /// CAPWAP data channel (RFC 5415, 3.1).
    Capwap,
    /// L2TP (RFC 2661, 8.1).
    L2tp,
    /// MPLS in UDP (RFC 7510, 3).
    Mpls,
    /// Teredo (RFC 4380, 2.7).
    Teredo,
}

/// The ports that no configuration moves: their headers are checked, and they are always looked into.
const FIXED: [(u16, UdpTunnel); 6] = [
    (1701, UdpTunnel::L2tp),
    (3544, UdpTunnel::Teredo),
    (4790, UdpTunnel::VxlanGpe),
    (5247, UdpTunnel::Capwap),
    (6635, UdpTunnel::Mpls),
    (7932, UdpTunnel::Erm),
];

const FILTER_WORDS: usize = 16;

/// UDP ports by the tunnel that they carry.
#[derive(Debug, Clone)]
pub struct TunnelPorts {
    /// By port.
    ports: Vec<(u16, UdpTunnel)>,
    /// One bit for each value of a port's low ten bits: nearly every port is told by it to be none of ours.
    filter: [u64; FILTER_WORDS],
}

impl Default for TunnelPorts {
    fn default() -> Self {
        Self::new(&[])
    }
}

impl TunnelPorts {
    /// VXLAN on these ports, and the tunnels whose ports are fixed. IANA's port of VXLAN is 4789, the old default of Linux
    /// 8472.
    pub fn new(vxlan: &[u16]) -> Self {
        let none = Self { ports: Vec::new(), filter: [0; FILTER_WORDS] };
        let fixed = FIXED.iter().fold(none, |ports, &(port, tunnel)| ports.with(tunnel, &[port]));
        fixed.with(UdpTunnel::Vxlan, vxlan)
    }

    /// As before, and `tunnel` on these ports; a port that carries another tunnel already is given to this one.
    #[must_use]
    pub fn with(mut self, tunnel: UdpTunnel, ports: &[u16]) -> Self {
        self.ports.retain(|(port, _)| !ports.contains(port));
        self.ports.extend(ports.iter().map(|&port| (port, tunnel)));
        self.ports.sort_unstable();
        self.ports.dedup();
        self.filter = [0; FILTER_WORDS];
        for (port, _) in &self.ports {
            self.filter[word(*port)] |= bit(*port);
        }
        self
    }

    /// Every port and its tunnel, the ports in order.
    pub fn iter(&self) -> impl Iterator<Item = (u16, UdpTunnel)> {
        self.ports.iter().copied()
    }

    /// Which tunnel a datagram between these ports may be, whichever way it goes.
    #[inline]
    pub(crate) fn tunnel(&self, source: u16, destination: u16) -> Option<UdpTunnel> {
        if (self.filter[word(source)] & bit(source)) | (self.filter[word(destination)] & bit(destination)) == 0 {
            return None;
        }
        // What these carry is sent to the port only, and their headers tell little.
        let either_way = |tunnel: &UdpTunnel| !matches!(tunnel, UdpTunnel::Erm | UdpTunnel::Mpls);
        self.find(destination).or_else(|| self.find(source).filter(either_way))
    }

    fn find(&self, port: u16) -> Option<UdpTunnel> {
        let place = self.ports.binary_search_by_key(&port, |(port, _)| *port).ok()?;
        Some(self.ports[place].1)
    }
}

#[inline]
fn word(port: u16) -> usize {
    usize::from(port >> 6) % FILTER_WORDS
}

#[inline]
fn bit(port: u16) -> u64 {
    1 << (port & 63)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_ports_that_were_given() {
        let ports = TunnelPorts::new(&[8472, 4789, 4789, 0, 65535]);
        for port in 0..=u16::MAX {
            let fixed = FIXED.iter().find(|(fixed, _)| *fixed == port).map(|(_, tunnel)| *tunnel);
            let expected = if [0, 4789, 8472, 65535].contains(&port) { Some(UdpTunnel::Vxlan) } else { fixed };
            let one_way = matches!(port, 6635 | 7932);
            assert_eq!(ports.tunnel(port, 1), expected.filter(|_| !one_way), "{port}");
            assert_eq!(ports.tunnel(1, port), expected, "{port}");
        }
    }

    #[test]
    fn the_destination_says_it_first_and_the_last_word_on_a_port_counts() {
        let ports = TunnelPorts::new(&[4789]).with(UdpTunnel::Geneve, &[6081, 4790]);
        assert_eq!(ports.tunnel(4789, 6081), Some(UdpTunnel::Geneve));
        assert_eq!(ports.tunnel(6081, 4789), Some(UdpTunnel::Vxlan));
        assert_eq!(ports.tunnel(1, 4790), Some(UdpTunnel::Geneve));
    }
}
