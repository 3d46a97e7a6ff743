//! What the targets that decode frames share: the outer headers that lead to each protocol, and what must hold for every
//! frame.

mod outer;

use std::sync::LazyLock;

use wire::{EncapStack, MAX_ENCAPSULATIONS, Network, TunnelPorts, UdpTunnel, decode};

pub use outer::{OUTERS, Outer};

/// LINKTYPE_ETHERNET.
pub const ETHERNET: u16 = 1;

static PORTS: LazyLock<TunnelPorts> = LazyLock::new(|| {
    TunnelPorts::new(&outer::VXLAN_PORTS)
        .with(UdpTunnel::Geneve, &[6081])
        .with(UdpTunnel::Gtpu, &[2152])
        .with(UdpTunnel::Tzsp, &[37008])
});

/// Decodes a frame of which `missing_bytes` were not captured, and checks what holds for every result.
///
/// # Panics
/// If it does not hold: an error lies outside the frame, or the payload does.
pub fn check(frame: &[u8], missing_bytes: u32, link_type: u16) {
    let mut stack = EncapStack::new();
    let origlen = frame.len() as u32 + missing_bytes;
    let result = decode(frame, origlen, link_type, &PORTS, &mut stack);
    assert!(stack.len() <= MAX_ENCAPSULATIONS);
    match result {
        Ok(packet) => {
            let Network::Ip(ip) = packet.network else { return };
            let (all, payload) = (frame.as_ptr_range(), ip.payload.as_ptr_range());
            assert!(ip.payload.is_empty() || all.start <= payload.start && payload.end <= all.end, "{ip:?}");
            assert!(ip.payload.len() as u32 <= ip.payload_length_bytes, "{ip:?}");
            assert!(ip.payload_length_bytes <= ip.length_bytes, "{ip:?}");
            std::hint::black_box(ip.quoted());
        }
        Err(error) => assert!(error.offset as usize <= frame.len(), "{error}"),
    }
}
