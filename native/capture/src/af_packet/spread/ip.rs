//! IP headers, extension headers, and the tunnels that have a protocol number.

use super::super::bpf::{Label, Test, Width};
use super::{FLAGS, IP_AT, IP_TYPE, KEPT, Step, TunnelPorts, ethertype, kind};

mod protocol {
    pub(super) const IPV4: u32 = 4;
    pub(super) const TCP: u32 = 6;
    pub(super) const UDP: u32 = 17;
    pub(super) const IPV6: u32 = 41;
    pub(super) const FRAGMENT: u32 = 44;
    pub(super) const GRE: u32 = 47;
    pub(super) const AH: u32 = 51;
    pub(super) const ETHERIP: u32 = 97;
    pub(super) const MPLS: u32 = 137;
    /// Extension headers of IPv6 with a length in units of eight bytes.
    pub(super) const OPTIONS: [u32; 6] = [0, 43, 60, 135, 139, 140];
}

/// Flags of GRE.
mod gre {
    pub(super) const CHECKSUM: u32 = 0x8000;
    pub(super) const ROUTING: u32 = 0x4000;
    pub(super) const KEY: u32 = 0x2000;
    pub(super) const SEQUENCE: u32 = 0x1000;
    pub(super) const ACKNOWLEDGEMENT: u32 = 0x0080;
    pub(super) const VERSION: u32 = 0x0007;
}

impl Step<'_> {
    /// Goes on with the protocol, which then is in A.
    pub(super) fn ipv4(&mut self) {
        self.code.store(IP_TYPE);
        self.code.store_x(IP_AT);
        // A fragment behind the first has no header to look into.
        self.code.load(Width::Half, 6);
        self.code.jump_if(Test::HasAny(0x1fff), self.done);
        self.code.load(Width::Byte, 9);
        self.code.store(KEPT);
        self.code.load(Width::Byte, 0);
        self.code.compute(libc::BPF_AND, 0x0f);
        self.code.compute(libc::BPF_LSH, 2);
        self.code.advance_by_a();
        self.code.recall(KEPT);
        self.code.compute(libc::BPF_OR, kind::PROTOCOL);
    }

    pub(super) fn ipv6(&mut self, protocol: Label) {
        self.code.store(IP_TYPE);
        self.code.store_x(IP_AT);
        self.code.load(Width::Byte, 6);
        self.code.store(KEPT);
        self.code.advance(40);
        self.code.recall(KEPT);
        self.code.compute(libc::BPF_OR, kind::PROTOCOL);
        self.code.jump(protocol);
    }

    /// What stands behind an IP header or an extension header.
    pub(super) fn protocol(&mut self, ports: &TunnelPorts) {
        let [udp, gre, etherip] = [(); 3].map(|()| self.code.label());
        for (number, label) in [
            (protocol::TCP, self.done),
            (protocol::UDP, udp),
            (protocol::GRE, gre),
            (protocol::IPV4, self.ipv4),
            (protocol::IPV6, self.ipv6),
            (protocol::ETHERIP, etherip),
            (protocol::MPLS, self.mpls),
        ] {
            self.code.jump_if(Test::Is(kind::PROTOCOL | number), label);
        }
        self.extension();
        self.code.bind(etherip);
        self.code.load(Width::Half, 0);
        self.code.jump_unless(Test::Is(0x3000), self.done);
        self.code.advance(2);
        self.code.jump(self.ethernet);
        self.code.bind(gre);
        self.gre();
        self.code.bind(udp);
        self.udp(ports);
    }

    /// Extension headers of IPv6, and the authentication header, which stands behind IPv4 too.
    fn extension(&mut self) {
        let [authentication, fragment, options] = [(); 3].map(|()| self.code.label());
        self.code.jump_if(Test::Is(kind::PROTOCOL | protocol::AH), authentication);
        self.code.store(KEPT);
        self.code.recall(IP_TYPE);
        self.code.jump_unless(Test::Is(ethertype::IPV6), self.done);
        self.code.recall(KEPT);
        self.code.jump_if(Test::Is(kind::PROTOCOL | protocol::FRAGMENT), fragment);
        for number in protocol::OPTIONS {
            self.code.jump_if(Test::Is(kind::PROTOCOL | number), options);
        }
        self.code.jump(self.done);
        self.code.bind(fragment);
        self.code.load(Width::Half, 2);
        self.code.jump_if(Test::HasAny(0xfff8), self.done);
        self.code.set(0);
        self.pass_units(0);
        self.code.bind(authentication);
        self.code.load(Width::Byte, 1);
        self.pass_units(2);
        self.code.bind(options);
        self.code.load(Width::Byte, 1);
        self.pass_units(3);
    }

    /// Passes eight bytes and as many units of 2^`unit` bytes as A says; the first of them says what follows.
    fn pass_units(&mut self, unit: u32) {
        self.code.compute(libc::BPF_LSH, unit);
        self.code.compute(libc::BPF_ADD, 8);
        self.code.store(FLAGS);
        self.code.load(Width::Byte, 0);
        self.code.compute(libc::BPF_OR, kind::PROTOCOL);
        self.code.store(KEPT);
        self.code.recall(FLAGS);
        self.code.advance_by_a();
        self.code.recall(KEPT);
        self.code.jump(self.next);
    }

    /// Version 0 without source routes, or PPTP's version 1.
    fn gre(&mut self) {
        let [version_1, erspan, erspan_iii, wccp] = [(); 4].map(|()| self.code.label());
        self.code.load(Width::Half, 0);
        self.code.store(FLAGS);
        self.code.jump_if(Test::HasAny(gre::VERSION), version_1);
        self.code.jump_if(Test::HasAny(gre::ROUTING), self.done);
        self.code.load(Width::Half, 2);
        self.code.jump_unless(Test::AtLeast(ethertype::MIN), self.done);
        self.code.store(KEPT);
        self.code.advance(4);
        for field_present in [gre::CHECKSUM, gre::KEY, gre::SEQUENCE] {
            self.advance_if(field_present, 4);
        }
        self.code.recall(KEPT);
        self.code.jump_if(Test::Is(ethertype::ERSPAN), erspan);
        self.code.jump_if(Test::Is(ethertype::ERSPAN_III), erspan_iii);
        self.code.jump_if(Test::Is(ethertype::WCCP), wccp);
        self.code.jump(self.next);
        self.code.bind(erspan);
        // Type II has a sequence number and a header, type I neither.
        self.advance_if(gre::SEQUENCE, 8);
        self.code.jump(self.ethernet);
        self.code.bind(erspan_iii);
        self.erspan_iii();
        self.code.bind(wccp);
        self.wccp();
        self.code.bind(version_1);
        self.pptp();
    }

    /// The frame type says what is carried, the lowest bit whether a subheader of eight bytes follows.
    fn erspan_iii(&mut self) {
        self.code.load(Width::Half, 10);
        self.code.store(FLAGS);
        self.code.advance(12);
        self.advance_if(0x0001, 8);
        self.code.recall(FLAGS);
        self.code.compute(libc::BPF_AND, 0x7c00);
        self.code.jump_if(Test::Is(0), self.ethernet);
        self.code.jump_if(Test::Is(2 << 10), self.by_version);
        self.code.jump(self.done);
    }

    /// An IPv4 packet, behind four bytes where it does not stand at once.
    fn wccp(&mut self) {
        self.code.load(Width::Byte, 0);
        self.code.compute(libc::BPF_AND, 0xf0);
        self.code.jump_if(Test::Is(0x40), self.ipv4);
        self.code.advance(4);
        self.code.jump(self.ipv4);
    }

    /// PPP in packets that have a sequence number.
    fn pptp(&mut self) {
        self.code.compute(libc::BPF_AND, gre::VERSION);
        self.code.jump_unless(Test::Is(1), self.done);
        self.code.load(Width::Half, 2);
        self.code.jump_unless(Test::Is(ethertype::PPP), self.done);
        self.code.recall(FLAGS);
        self.code.jump_unless(Test::HasAny(gre::SEQUENCE), self.done);
        self.code.advance(12);
        self.advance_if(gre::ACKNOWLEDGEMENT, 4);
        self.code.jump(self.ppp);
    }
}
