//! The tunnels that are known by their UDP port.

use wire::UdpTunnel;

use super::super::bpf::{Label, Test, Width};
use super::{FLAGS, KEPT, MAX_PORTS, Step, TunnelPorts, ethertype, kind};

const HEADER: u32 = 8;

/// Besides tags.
const ERM_CARRIES: [u32; 9] = [
    ethertype::IPV4,
    ethertype::IPV6,
    ethertype::ARP,
    ethertype::MPLS,
    ethertype::MPLS_MULTICAST,
    ethertype::PPPOE_SESSION,
    ethertype::CISCO_METADATA,
    ethertype::MACSEC,
    ethertype::NSH,
];

impl Step<'_> {
    /// The destination port says which tunnel, or else the source port.
    pub(super) fn udp(&mut self, ports: &TunnelPorts) {
        let tunnels = [
            UdpTunnel::Vxlan,
            UdpTunnel::VxlanGpe,
            UdpTunnel::Geneve,
            UdpTunnel::Gtpu,
            UdpTunnel::Tzsp,
            UdpTunnel::Erm,
            UdpTunnel::Capwap,
            UdpTunnel::L2tp,
            UdpTunnel::Mpls,
            UdpTunnel::Teredo,
        ]
        .map(|tunnel| (tunnel, self.code.label()));
        for (end, is_destination) in [(2, true), (0, false)] {
            self.code.load(Width::Half, end);
            for (port, tunnel) in ports.iter().take(MAX_PORTS) {
                // These are sent to their port only.
                if !is_destination && matches!(tunnel, UdpTunnel::Erm | UdpTunnel::Mpls) {
                    continue;
                }
                if let Some((_, label)) = tunnels.iter().find(|(known, _)| *known == tunnel) {
                    self.code.jump_if(Test::Is(u32::from(port)), *label);
                }
            }
        }
        self.code.jump(self.done);
        for (tunnel, label) in tunnels {
            self.code.bind(label);
            self.tunnel(tunnel);
        }
    }

    /// X is at the UDP header. Leads away.
    fn tunnel(&mut self, tunnel: UdpTunnel) {
        match tunnel {
            UdpTunnel::Vxlan => self.vxlan(),
            UdpTunnel::VxlanGpe => self.vxlan_gpe(),
            UdpTunnel::Geneve => self.geneve(),
            UdpTunnel::Gtpu => self.gtpu(),
            UdpTunnel::Tzsp => self.tzsp(),
            UdpTunnel::Erm => self.erm(),
            UdpTunnel::Capwap => self.capwap(),
            UdpTunnel::L2tp => self.l2tp(),
            UdpTunnel::Mpls => self.go_past(HEADER, self.mpls),
            UdpTunnel::Teredo => self.teredo(),
        }
    }

    fn go_past(&mut self, length: u32, label: Label) {
        self.code.advance(length);
        self.code.jump(label);
    }

    /// Ends where the datagram says that it is shorter; a length that cannot be, as with segmentation offload, is passed
    /// over.
    fn require_payload(&mut self, length: u32) {
        let whole = self.code.label();
        self.code.load(Width::Half, 4);
        self.code.jump_if(Test::AtLeast(HEADER + length), whole);
        self.code.jump_if(Test::AtLeast(HEADER), self.done);
        self.code.bind(whole);
    }

    fn vxlan(&mut self) {
        self.require_payload(8);
        self.code.load(Width::Byte, HEADER);
        self.code.jump_unless(Test::HasAny(0x08), self.done);
        self.go_past(HEADER + 8, self.ethernet);
    }

    /// Without the P flag as VXLAN.
    fn vxlan_gpe(&mut self) {
        self.require_payload(8);
        self.code.load(Width::Byte, HEADER);
        self.code.store(FLAGS);
        self.code.jump_if(Test::HasAny(0x30), self.done);
        self.code.jump_unless(Test::HasAny(0x0c), self.done);
        self.code.load(Width::Byte, HEADER + 3);
        self.code.store(KEPT);
        self.code.advance(HEADER + 8);
        self.code.recall(FLAGS);
        self.code.jump_unless(Test::HasAny(0x04), self.ethernet);
        self.code.recall(KEPT);
        self.code.jump(self.nsh_next);
    }

    fn geneve(&mut self) {
        self.require_payload(8);
        self.code.load(Width::Half, HEADER + 2);
        self.code.store(KEPT);
        self.code.load(Width::Byte, HEADER);
        self.code.jump_if(Test::HasAny(0xc0), self.done);
        self.code.compute(libc::BPF_LSH, 2);
        self.code.compute(libc::BPF_ADD, HEADER + 8);
        self.code.advance_by_a();
        self.code.recall(KEPT);
        self.code.jump(self.next);
    }

    /// A T-PDU, and an IP packet in it, behind optional fields and extension headers.
    fn gtpu(&mut self) {
        self.require_payload(8);
        self.code.load(Width::Byte, HEADER);
        self.code.store(FLAGS);
        self.code.compute(libc::BPF_AND, 0xf0);
        self.code.jump_unless(Test::Is(0x30), self.done);
        self.code.load(Width::Byte, HEADER + 1);
        self.code.jump_unless(Test::Is(0xff), self.done);
        self.code.advance(HEADER + 8);
        self.code.recall(FLAGS);
        self.code.jump_unless(Test::HasAny(0x07), self.by_version);
        self.code.advance(4);
        self.code.recall(FLAGS);
        self.code.jump_unless(Test::HasAny(0x04), self.by_version);
        self.gtpu_next();
    }

    /// The byte before X is the type of the extension header at X, or 0 where there is none.
    fn gtpu_next(&mut self) {
        self.code.load(Width::Byte, 1_u32.wrapping_neg());
        self.code.jump_if(Test::Is(0), self.by_version);
        self.go_on_with(kind::GTPU_EXTENSION);
    }

    /// X is at an extension header, which says its length in units of four bytes.
    pub(super) fn gtpu_extension(&mut self) {
        self.code.load(Width::Byte, 0);
        self.code.jump_if(Test::Is(0), self.done);
        self.code.compute(libc::BPF_LSH, 2);
        self.code.advance_by_a();
        self.gtpu_next();
    }

    /// A received or a sent Ethernet frame.
    fn tzsp(&mut self) {
        let tagged = self.code.label();
        self.require_payload(4);
        self.code.load(Width::Word, HEADER);
        self.code.compute(libc::BPF_OR, 0x0001_0000);
        self.code.jump_unless(Test::Is(0x0101_0001), self.done);
        self.code.advance(HEADER + 4);
        // Most have no tag but the last.
        self.code.load(Width::Byte, 0);
        self.code.jump_unless(Test::Is(1), tagged);
        self.go_past(1, self.ethernet);
        self.code.bind(tagged);
        self.go_on_with(kind::TZSP_TAG);
    }

    /// X is at a tag: the last, one of padding, or one that says its length.
    pub(super) fn tzsp_tag(&mut self) {
        let [last, padding] = [(); 2].map(|()| self.code.label());
        self.code.load(Width::Byte, 0);
        self.code.jump_if(Test::Is(1), last);
        self.code.jump_if(Test::Is(0), padding);
        self.code.load(Width::Byte, 1);
        self.code.compute(libc::BPF_ADD, 1);
        self.code.advance_by_a();
        self.code.bind(padding);
        self.code.advance(1);
        self.go_on_with(kind::TZSP_TAG);
        self.code.bind(last);
        self.go_past(1, self.ethernet);
    }

    /// A frame of a type behind which an address pair may stand, or stands in most others: what carries none is nobody's
    /// flow, and goes by the datagram.
    fn erm(&mut self) {
        const FRAME: u32 = HEADER + 12;
        let frame = self.code.label();
        self.require_payload(12 + 14);
        self.code.load(Width::Half, FRAME + 12);
        for carrying in ERM_CARRIES.into_iter().chain(ethertype::TAGS) {
            self.code.jump_if(Test::Is(carrying), frame);
        }
        self.code.jump(self.done);
        self.code.bind(frame);
        self.go_past(FRAME, self.ethernet);
    }

    /// An Ethernet frame that is no fragment behind the first.
    fn capwap(&mut self) {
        let whole = self.code.label();
        self.require_payload(8);
        self.code.load(Width::Byte, HEADER);
        self.code.jump_unless(Test::Is(0), self.done);
        self.code.load(Width::Byte, HEADER + 3);
        self.code.jump_if(Test::HasAny(0x08), self.done);
        self.code.jump_unless(Test::HasAny(0x80), whole);
        self.code.load(Width::Half, HEADER + 6);
        self.code.jump_if(Test::HasAny(0xfff8), self.done);
        self.code.bind(whole);
        self.code.load(Width::Half, HEADER + 1);
        self.code.jump_if(Test::HasAny(0x0001), self.done);
        // Five bits of length in units of four bytes.
        self.code.compute(libc::BPF_RSH, 11);
        self.code.compute(libc::BPF_LSH, 2);
        self.code.jump_unless(Test::AtLeast(8), self.done);
        self.code.compute(libc::BPF_ADD, HEADER);
        self.code.advance_by_a();
        self.code.jump(self.ethernet);
    }

    /// Data messages of version 2.
    fn l2tp(&mut self) {
        let without_offset = self.code.label();
        self.require_payload(6);
        self.code.load(Width::Half, HEADER);
        self.code.store(FLAGS);
        self.code.compute(libc::BPF_AND, 0x800f);
        self.code.jump_unless(Test::Is(2), self.done);
        self.code.advance(HEADER + 2 + 4);
        self.advance_if(0x4000, 2);
        self.advance_if(0x0800, 4);
        self.code.recall(FLAGS);
        self.code.jump_unless(Test::HasAny(0x0200), without_offset);
        self.code.load(Width::Half, 0);
        self.code.compute(libc::BPF_ADD, 2);
        self.code.advance_by_a();
        self.code.bind(without_offset);
        self.code.jump(self.ppp);
    }

    /// An IPv6 packet, behind an authentication and an origin indication.
    fn teredo(&mut self) {
        let [unauthenticated, without_origin] = [(); 2].map(|()| self.code.label());
        self.require_payload(40);
        self.code.advance(HEADER);
        self.code.load(Width::Half, 0);
        self.code.jump_unless(Test::Is(0x0001), unauthenticated);
        // The lengths of an identifier and of a value, of one byte each.
        self.code.load(Width::Half, 2);
        self.code.store(FLAGS);
        self.code.compute(libc::BPF_AND, 0xff);
        self.code.compute(libc::BPF_ADD, 13);
        self.code.advance_by_a();
        self.code.recall(FLAGS);
        self.code.compute(libc::BPF_RSH, 8);
        self.code.advance_by_a();
        self.code.bind(unauthenticated);
        self.code.load(Width::Half, 0);
        self.code.jump_unless(Test::Is(0), without_origin);
        self.code.advance(8);
        self.code.bind(without_origin);
        self.code.load(Width::Byte, 0);
        self.code.compute(libc::BPF_AND, 0xf0);
        self.code.jump_if(Test::Is(0x60), self.ipv6);
        self.code.jump(self.done);
    }
}
