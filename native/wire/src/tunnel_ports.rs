//! The UDP ports that are looked into for tunnels.

/// UDP ports by the tunnel that they carry.
#[derive(Debug, Clone, Default)]
pub struct TunnelPorts {
    vxlan: Vec<u16>,
    /// One bit for each value of a port's low six bits: nearly every port is told by it to be none of ours.
    vxlan_filter: u64,
}

impl TunnelPorts {
    /// VXLAN on these ports: nothing else tells it. IANA's is 4789 (RFC 7348, 5), the old default of Linux 8472.
    pub fn new(vxlan: &[u16]) -> Self {
        let mut ports = vxlan.to_vec();
        ports.sort_unstable();
        ports.dedup();
        Self { vxlan_filter: ports.iter().fold(0, |filter, &port| filter | bit(port)), vxlan: ports }
    }

    /// Whether a datagram between these ports may be VXLAN, whichever way it goes.
    #[inline]
    pub(crate) fn is_vxlan(&self, source: u16, destination: u16) -> bool {
        self.vxlan_filter & (bit(source) | bit(destination)) != 0
            && (self.vxlan.binary_search(&destination).is_ok() || self.vxlan.binary_search(&source).is_ok())
    }
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
            assert_eq!(ports.is_vxlan(port, 1), [0, 4789, 8472, 65535].contains(&port), "{port}");
            assert_eq!(ports.is_vxlan(1, port), [0, 4789, 8472, 65535].contains(&port), "{port}");
        }
    }

    #[test]
    fn none_by_default() {
        assert!(!TunnelPorts::default().is_vxlan(4789, 4789));
    }
}
