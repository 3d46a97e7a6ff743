//! Which worker a frame belongs to: by the address pair of its innermost packet, the same for both directions, in the
//! kernel (a fanout program, packet(7), `PACKET_FANOUT_CBPF`) and in this process.
//!
//! The program sees a frame from its network header on, without the outer tag, and enters what `wire` enters; the
//! references of the headers stand there. A step takes a frame's header and tags, and an IP header with the tunnel's header
//! behind it, or something that stands between. Ports do not count, so that fragments stay with their flow. What has no
//! address pair, and what is cut inside a header, is the first worker's.

mod ip;
mod shim;
mod udp;

use std::io;

use libc::sock_filter;
use wire::TunnelPorts;

use super::bpf::{Assembler, Label, Scratch, Test, Width};

/// Steps that are taken: what is deeper is told by the last address pair on the way.
const STEPS: usize = 6;
/// VLAN tags that one step takes; what has more takes several.
const TAGS: usize = 3;
/// Ports that are looked at: the program has room for no more.
const MAX_PORTS: usize = 20;

/// What stands at X: an EtherType, a number as EtherTypes are, or one of these.
mod kind {
    /// An Ethernet frame, as the EtherType of transparent bridging says (RFC 1701, 5).
    pub(super) const ETHERNET: u32 = 0x6558;
    /// An extension header of GTP-U.
    pub(super) const GTPU_EXTENSION: u32 = 0x2_0000;
    /// A tag of TZSP.
    pub(super) const TZSP_TAG: u32 = 0x2_0001;
    /// Added to the protocol number of what follows an IP header or an extension header.
    pub(super) const PROTOCOL: u32 = 0x1_0000;
}

mod ethertype {
    pub(super) const IPV4: u32 = 0x0800;
    pub(super) const IPV6: u32 = 0x86dd;
    pub(super) const ARP: u32 = 0x0806;
    pub(super) const VLAN: u32 = 0x8100;
    pub(super) const SERVICE_VLAN: u32 = 0x88a8;
    /// Those two, and what was used before IEEE 802.1ad.
    pub(super) const TAGS: [u32; 4] = [VLAN, SERVICE_VLAN, 0x9100, 0x9200];
    pub(super) const MPLS: u32 = 0x8847;
    pub(super) const MPLS_MULTICAST: u32 = 0x8848;
    pub(super) const PPPOE_SESSION: u32 = 0x8864;
    pub(super) const PPP: u32 = 0x880b;
    pub(super) const WCCP: u32 = 0x883e;
    pub(super) const NSH: u32 = 0x894f;
    pub(super) const CISCO_METADATA: u32 = 0x8909;
    pub(super) const MACSEC: u32 = 0x88e5;
    pub(super) const ERSPAN: u32 = 0x88be;
    pub(super) const ERSPAN_III: u32 = 0x22eb;
    /// Below lie lengths of 802.3 frames, for which Linux has small numbers.
    pub(super) const MIN: u32 = 0x0600;
}

/// Where the innermost IP header stands.
const IP_AT: Scratch = Scratch(0);
/// Its EtherType; 0 where the innermost frame has none so far.
const IP_TYPE: Scratch = Scratch(1);
/// What is to be remembered while A and X are in use.
const KEPT: Scratch = Scratch(2);
/// A header's flags, or the length to go on by.
const FLAGS: Scratch = Scratch(3);

/// Spreads an address pair, folded into 32 bits by exclusive or: the remainder by the number of workers is the worker.
#[inline]
pub const fn spread(folded_pair: u32) -> u32 {
    (folded_pair ^ folded_pair >> 16).wrapping_mul(MULTIPLIER) >> 16
}

/// 2^32 divided by the golden ratio: scatters neighbours (Knuth, The Art of Computer Programming 3, 6.4).
const MULTIPLIER: u32 = 0x9e37_79b1;

/// The fanout program; it looks at the first [`MAX_PORTS`] of the ports.
///
/// # Errors
/// E2BIG, see [`Assembler::assemble`].
pub(super) fn program(ports: &TunnelPorts) -> io::Result<Vec<sock_filter>> {
    let mut code = Assembler::default();
    code.set(0);
    for place in [IP_AT, IP_TYPE, KEPT, FLAGS] {
        code.store(place);
    }
    code.set_x(0);
    code.load_ethertype();
    let done = code.label();
    for _ in 0..STEPS {
        let mut step = Step::new(&mut code);
        step.emit(ports);
        step.close(done);
    }
    code.bind(done);
    hash(&mut code);
    code.assemble()
}

/// One step: A says what stands at X. Leads to `next` with A and X of the header behind it, or to `done`
/// when nothing behind it is entered. The other labels are ways to `next` that several headers share.
struct Step<'a> {
    code: &'a mut Assembler,
    next: Label,
    done: Label,
    /// X is at an IP packet that says its version.
    by_version: Label,
    ipv4: Label,
    ipv6: Label,
    /// X is at an Ethernet frame.
    ethernet: Label,
    /// X is at a label.
    mpls: Label,
    /// X is at PPP's framing or protocol.
    ppp: Label,
    /// A is what NSH and VXLAN-GPE name as the next protocol, X is there.
    nsh_next: Label,
}

impl<'a> Step<'a> {
    fn new(code: &'a mut Assembler) -> Self {
        let [next, done, by_version, ipv4, ipv6, ethernet, mpls, ppp, nsh_next] = [(); 9].map(|()| code.label());
        Self { code, next, done, by_version, ipv4, ipv6, ethernet, mpls, ppp, nsh_next }
    }

    fn emit(&mut self, ports: &TunnelPorts) {
        let [ip, ipv6, protocol, llc] = [(); 4].map(|()| self.code.label());
        self.code.jump_if(Test::Is(ethertype::IPV4), ip);
        self.frame();
        self.code.jump_if(Test::Is(ethertype::IPV4), ip);
        self.code.jump_if(Test::Is(ethertype::IPV6), ipv6);
        self.code.jump_unless(Test::AtLeast(ethertype::MIN), llc);
        self.shims(protocol);
        self.code.bind(llc);
        self.llc();
        self.code.bind(ipv6);
        self.ipv6(protocol);
        self.code.bind(ip);
        self.ipv4();
        self.code.bind(protocol);
        self.protocol(ports);
    }

    /// Takes an Ethernet header and tags, where they stand. A frame is no longer the packet of the tunnel around it.
    fn frame(&mut self) {
        let [tags, untagged] = [(); 2].map(|()| self.code.label());
        self.code.jump_unless(Test::Is(kind::ETHERNET), tags);
        self.code.set(0);
        self.code.store(IP_TYPE);
        self.take(12, 14);
        self.code.bind(tags);
        for _ in 0..TAGS {
            let tag = self.code.label();
            for tag_type in ethertype::TAGS {
                self.code.jump_if(Test::Is(tag_type), tag);
            }
            self.code.jump(untagged);
            self.code.bind(tag);
            self.take(2, 4);
        }
        for tag_type in ethertype::TAGS {
            self.code.jump_if(Test::Is(tag_type), self.next);
        }
        self.code.bind(untagged);
    }

    /// The ways that several headers share. Conditional jumps do not reach the end of the program: it is reached from here.
    fn close(mut self, done: Label) {
        self.ppp();
        self.nsh_next();
        self.by_version();
        for (label, kind) in [
            (self.ipv4, ethertype::IPV4),
            (self.ipv6, ethertype::IPV6),
            (self.ethernet, kind::ETHERNET),
            (self.mpls, ethertype::MPLS),
        ] {
            self.code.bind(label);
            self.go_on_with(kind);
        }
        self.code.bind(self.done);
        self.code.jump(done);
        self.code.bind(self.next);
    }

    fn go_on_with(&mut self, kind: u32) {
        self.code.set(kind);
        self.code.jump(self.next);
    }

    /// Passes `length` bytes; A is the EtherType at `type_at` of them.
    fn take(&mut self, type_at: u32, length: u32) {
        self.code.load(Width::Half, type_at);
        self.code.store(KEPT);
        self.code.advance(length);
        self.code.recall(KEPT);
    }

    /// Passes `length` bytes, behind which stands the next header, its EtherType at `type_at` of them.
    fn enter(&mut self, type_at: u32, length: u32) {
        self.take(type_at, length);
        self.code.jump(self.next);
    }

    /// Passes `length` bytes if one of the bits is set in what was kept as flags.
    fn advance_if(&mut self, bits: u32, length: u32) {
        let absent = self.code.label();
        self.code.recall(FLAGS);
        self.code.jump_unless(Test::HasAny(bits), absent);
        self.code.advance(length);
        self.code.bind(absent);
    }

    fn by_version(&mut self) {
        self.code.bind(self.by_version);
        self.code.load(Width::Byte, 0);
        self.code.compute(libc::BPF_RSH, 4);
        self.code.jump_if(Test::Is(4), self.ipv4);
        self.code.jump_if(Test::Is(6), self.ipv6);
        self.code.jump(self.done);
    }
}

/// Folds the addresses of the innermost IP header and spreads them, as [`spread`] does.
fn hash(code: &mut Assembler) {
    let [ipv6, mix, no_pair] = [(); 3].map(|()| code.label());
    code.recall_x(IP_AT);
    code.recall(IP_TYPE);
    code.jump_if(Test::Is(ethertype::IPV6), ipv6);
    code.jump_unless(Test::Is(ethertype::IPV4), no_pair);
    fold(code, [12, 16]);
    code.jump(mix);
    code.bind(ipv6);
    fold(code, [8, 12, 16, 20, 24, 28, 32, 36]);
    code.bind(mix);
    code.move_to_x();
    code.compute(libc::BPF_RSH, 16);
    code.compute_x(libc::BPF_XOR);
    code.compute(libc::BPF_MUL, MULTIPLIER);
    code.compute(libc::BPF_RSH, 16);
    code.finish_with_a();
    code.bind(no_pair);
    code.finish_with(0);
}

/// A = exclusive or of the words at these offsets of the IP header.
fn fold<const WORDS: usize>(code: &mut Assembler, offsets: [u32; WORDS]) {
    code.set(0);
    for offset in offsets {
        code.store(KEPT);
        code.load(Width::Word, offset);
        code.recall_x(KEPT);
        code.compute_x(libc::BPF_XOR);
        code.recall_x(IP_AT);
    }
}

#[cfg(test)]
#[path = "spread_tests.rs"]
mod tests;
