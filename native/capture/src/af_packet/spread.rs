//! Which worker a frame belongs to: by the address pair of its innermost packet, the same for both directions, in the
//! kernel (a fanout program, packet(7), `PACKET_FANOUT_CBPF`) and in this process.
//!
//! The program sees a frame from its network header on, without the outer tag. It takes one header a step: a tag, an
//! Ethernet header in a tunnel, or an IP header with the tunnel header behind it. Ports do not count, so that fragments
//! stay with their flow. What has no address pair, and what is cut inside a header, is the first worker's.

use std::io;

use libc::sock_filter;

use super::bpf::{Assembler, Label, Scratch, Test, Width};

/// Headers that are taken: the decoder follows twelve encapsulations. Extension headers of IPv6 count here as well; what
/// is deeper is told by the last address pair on the way.
const STEPS: usize = 14;
/// VXLAN ports that are looked at: conditional jumps reach no farther.
const MAX_PORTS: usize = 24;

/// What stands at X: an EtherType, or one of these.
mod kind {
    /// An Ethernet frame.
    pub(super) const ETHERNET: u32 = 0x2_0000;
    /// Added to the protocol number of what follows an IP header or an extension header.
    pub(super) const PROTOCOL: u32 = 0x1_0000;
}

mod ethertype {
    pub(super) const IPV4: u32 = 0x0800;
    pub(super) const IPV6: u32 = 0x86dd;
    /// IEEE 802.1Q, 802.1ad, and the two that were used before it.
    pub(super) const TAGS: [u32; 4] = [0x8100, 0x88a8, 0x9100, 0x9200];
    /// Transparent Ethernet bridging (RFC 1701, 5).
    pub(super) const ETHERNET: u32 = 0x6558;
    /// ERSPAN I and II, and III (draft-foschiano-erspan-03, 4.2 and 4.3).
    pub(super) const ERSPAN: u32 = 0x88be;
    pub(super) const ERSPAN_III: u32 = 0x22eb;
    /// Below lie lengths of 802.3 frames, for which Linux has small numbers.
    pub(super) const MIN: u32 = 0x0600;
}

mod protocol {
    pub(super) const IPV4: u32 = 4;
    pub(super) const TCP: u32 = 6;
    pub(super) const UDP: u32 = 17;
    pub(super) const IPV6: u32 = 41;
    pub(super) const FRAGMENT: u32 = 44;
    pub(super) const GRE: u32 = 47;
    pub(super) const AH: u32 = 51;
    /// Extension headers of IPv6 with a length in units of eight bytes.
    pub(super) const OPTIONS: [u32; 6] = [0, 43, 60, 135, 139, 140];
}

/// Where the innermost IP header stands.
const IP_AT: Scratch = Scratch(0);
/// Its EtherType; 0 before the first.
const IP_TYPE: Scratch = Scratch(1);
/// What is to be remembered while A and X are in use.
const KEPT: Scratch = Scratch(2);
const FLAGS: Scratch = Scratch(3);

/// Spreads an address pair, folded into 32 bits by exclusive or: the remainder by the number of workers is the worker.
#[inline]
pub const fn spread(folded_pair: u32) -> u32 {
    (folded_pair ^ folded_pair >> 16).wrapping_mul(MULTIPLIER) >> 16
}

/// 2^32 divided by the golden ratio: scatters neighbours (Knuth, The Art of Computer Programming 3, 6.4).
const MULTIPLIER: u32 = 0x9e37_79b1;

/// The fanout program; it looks at the first [`MAX_PORTS`] of `vxlan_ports`.
///
/// # Errors
/// E2BIG, see [`Assembler::assemble`].
pub(super) fn program(vxlan_ports: &[u16]) -> io::Result<Vec<sock_filter>> {
    let mut code = Assembler::default();
    code.set(0);
    for place in [IP_AT, IP_TYPE, KEPT, FLAGS] {
        code.store(place);
    }
    code.set_x(0);
    code.load_ethertype();
    let (done, no_pair) = (code.label(), code.label());
    for _ in 0..STEPS {
        let mut step = Step::new(&mut code);
        step.emit(vxlan_ports);
        step.close(done, no_pair);
    }
    code.bind(done);
    hash(&mut code, no_pair);
    code.bind(no_pair);
    code.finish_with(0);
    code.assemble()
}

/// One header: A says of which kind, X where it stands. Leads to `next` with A and X of the header behind it, to `done`
/// when the address pair is the innermost, or to `no_pair`.
struct Step<'a> {
    code: &'a mut Assembler,
    next: Label,
    done: Label,
    no_pair: Label,
}

impl<'a> Step<'a> {
    fn new(code: &'a mut Assembler) -> Self {
        let [next, done, no_pair] = [(); 3].map(|()| code.label());
        Self { code, next, done, no_pair }
    }

    /// Conditional jumps do not reach beyond the step: the ends of the program are reached from here.
    fn close(self, done: Label, no_pair: Label) {
        self.code.bind(self.done);
        self.code.jump(done);
        self.code.bind(self.no_pair);
        self.code.jump(no_pair);
        self.code.bind(self.next);
    }

    fn emit(&mut self, vxlan_ports: &[u16]) {
        let [ipv4, ipv6, tag, ethernet, protocol, llc] = [(); 6].map(|()| self.code.label());
        self.code.jump_if(Test::Is(ethertype::IPV4), ipv4);
        self.code.jump_if(Test::Is(ethertype::IPV6), ipv6);
        for tag_type in ethertype::TAGS {
            self.code.jump_if(Test::Is(tag_type), tag);
        }
        self.code.jump_if(Test::Is(kind::ETHERNET), ethernet);
        self.code.jump_if(Test::AtLeast(kind::PROTOCOL), protocol);
        self.code.jump_unless(Test::AtLeast(ethertype::MIN), llc);
        self.code.jump(self.no_pair);
        self.code.bind(llc);
        self.llc();
        self.code.bind(tag);
        self.enter(Width::Half, 2, 4);
        self.code.bind(ethernet);
        self.enter(Width::Half, 12, 14);
        self.code.bind(ipv6);
        self.ipv6(protocol);
        self.code.bind(ipv4);
        self.ipv4();
        self.code.bind(protocol);
        self.protocol(vxlan_ports);
    }

    /// The next header begins `length` bytes from here; what it is stands at `kind_at`.
    fn enter(&mut self, width: Width, kind_at: u32, length: u32) {
        self.code.load(width, kind_at);
        self.code.store(KEPT);
        self.code.advance(length);
        self.code.recall(KEPT);
        self.code.jump(self.next);
    }

    /// A SNAP header of organization 0 carries an EtherType (RFC 1042); behind other LLC headers stands no address.
    fn llc(&mut self) {
        self.code.load(Width::Word, 0);
        self.code.jump_unless(Test::Is(0xaaaa_0300), self.no_pair);
        self.code.load(Width::Half, 4);
        self.code.jump_unless(Test::Is(0), self.no_pair);
        self.enter(Width::Half, 6, 8);
    }

    /// RFC 791, 3.1. Goes on with the protocol, which then is in A.
    fn ipv4(&mut self) {
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
        self.code.compute_x(libc::BPF_ADD);
        self.code.move_to_x();
        self.code.recall(KEPT);
        self.code.compute(libc::BPF_OR, kind::PROTOCOL);
    }

    /// RFC 8200, 3.
    fn ipv6(&mut self, protocol: Label) {
        self.code.store(IP_TYPE);
        self.code.store_x(IP_AT);
        self.code.load(Width::Byte, 6);
        self.code.store(KEPT);
        self.code.advance(40);
        self.code.recall(KEPT);
        self.code.compute(libc::BPF_OR, kind::PROTOCOL);
        self.code.jump(protocol);
    }

    fn protocol(&mut self, vxlan_ports: &[u16]) {
        let [udp, gre, ipv4, ipv6] = [(); 4].map(|()| self.code.label());
        for (number, label) in [
            (protocol::TCP, self.done),
            (protocol::UDP, udp),
            (protocol::GRE, gre),
            (protocol::IPV4, ipv4),
            (protocol::IPV6, ipv6),
        ] {
            self.code.jump_if(Test::Is(kind::PROTOCOL | number), label);
        }
        self.extension();
        self.code.bind(udp);
        self.udp(vxlan_ports);
        self.code.bind(gre);
        self.gre();
        self.code.bind(ipv4);
        self.go_on_with(ethertype::IPV4);
        self.code.bind(ipv6);
        self.go_on_with(ethertype::IPV6);
    }

    fn go_on_with(&mut self, kind: u32) {
        self.code.set(kind);
        self.code.jump(self.next);
    }

    /// Extension headers (RFC 8200, 4), and the authentication header, which stands behind IPv4 too (RFC 4302).
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
        self.code.bind(authentication);
        self.pass_extension(2);
        self.code.bind(options);
        self.pass_extension(3);
        self.code.bind(fragment);
        self.code.load(Width::Half, 2);
        self.code.jump_if(Test::HasAny(0xfff8), self.done);
        self.code.set(0);
        self.pass_units(3);
    }

    /// Passes a header that says its length behind the first eight bytes in units of 2^`unit` bytes.
    fn pass_extension(&mut self, unit: u32) {
        self.code.load(Width::Byte, 1);
        self.pass_units(unit);
    }

    /// Passes eight bytes and as many units as A says.
    fn pass_units(&mut self, unit: u32) {
        self.code.compute(libc::BPF_LSH, unit);
        self.code.compute(libc::BPF_ADD, 8);
        self.code.store(FLAGS);
        self.code.load(Width::Byte, 0);
        self.code.compute(libc::BPF_OR, kind::PROTOCOL);
        self.code.store(KEPT);
        self.code.recall(FLAGS);
        self.code.compute_x(libc::BPF_ADD);
        self.code.move_to_x();
        self.code.recall(KEPT);
        self.code.jump(self.next);
    }

    /// VXLAN (RFC 7348, 5): a port of either end, and a datagram that holds a header with the I flag.
    fn udp(&mut self, vxlan_ports: &[u16]) {
        let [vxlan, long_enough] = [(); 2].map(|()| self.code.label());
        for end in 0..2 {
            self.code.load(Width::Half, end * 2);
            for &port in vxlan_ports.iter().take(MAX_PORTS) {
                self.code.jump_if(Test::Is(u32::from(port)), vxlan);
            }
        }
        self.code.jump(self.done);
        self.code.bind(vxlan);
        // A length that cannot be, as with segmentation offload, is passed over.
        self.code.load(Width::Half, 4);
        self.code.jump_if(Test::AtLeast(16), long_enough);
        self.code.jump_if(Test::AtLeast(8), self.done);
        self.code.bind(long_enough);
        self.code.load(Width::Byte, 8);
        self.code.jump_unless(Test::HasAny(0x08), self.done);
        self.code.advance(16);
        self.go_on_with(kind::ETHERNET);
    }

    /// RFC 2784 and RFC 2890; version 0 only.
    fn gre(&mut self) {
        let [erspan, erspan_iii, ethernet] = [(); 3].map(|()| self.code.label());
        self.code.load(Width::Half, 0);
        self.code.store(FLAGS);
        self.code.jump_if(Test::HasAny(0x0007), self.done);
        self.code.load(Width::Half, 2);
        self.code.store(KEPT);
        self.code.advance(4);
        for field_present in [0x8000, 0x2000, 0x1000] {
            self.advance_if(field_present, 4);
        }
        self.code.recall(KEPT);
        for carried in [ethertype::IPV4, ethertype::IPV6] {
            self.code.jump_if(Test::Is(carried), self.next);
        }
        self.code.jump_if(Test::Is(ethertype::ETHERNET), ethernet);
        self.code.jump_if(Test::Is(ethertype::ERSPAN), erspan);
        self.code.jump_if(Test::Is(ethertype::ERSPAN_III), erspan_iii);
        self.code.jump(self.done);
        self.code.bind(erspan_iii);
        self.erspan_iii(ethernet);
        self.code.bind(erspan);
        // Type II has a sequence number and a header, type I neither.
        self.advance_if(0x1000, 8);
        self.code.bind(ethernet);
        self.go_on_with(kind::ETHERNET);
    }

    /// The frame type says what is carried, the lowest bit whether a subheader of eight bytes follows (4.3).
    fn erspan_iii(&mut self, ethernet: Label) {
        let not_ipv4 = self.code.label();
        self.code.load(Width::Half, 10);
        self.code.store(FLAGS);
        self.code.advance(12);
        self.advance_if(0x0001, 8);
        self.code.recall(FLAGS);
        self.code.compute(libc::BPF_AND, 0x7c00);
        self.code.jump_if(Test::Is(0), ethernet);
        self.code.jump_unless(Test::Is(2 << 10), self.done);
        self.code.load(Width::Byte, 0);
        self.code.compute(libc::BPF_RSH, 4);
        self.code.jump_unless(Test::Is(4), not_ipv4);
        self.go_on_with(ethertype::IPV4);
        self.code.bind(not_ipv4);
        self.code.jump_unless(Test::Is(6), self.done);
        self.go_on_with(ethertype::IPV6);
    }

    /// Passes `length` bytes if the bit is set in what was kept as flags.
    fn advance_if(&mut self, bit: u32, length: u32) {
        let absent = self.code.label();
        self.code.recall(FLAGS);
        self.code.jump_unless(Test::HasAny(bit), absent);
        self.code.advance(length);
        self.code.bind(absent);
    }
}

/// Folds the addresses of the innermost IP header and spreads them, as [`spread`] does.
fn hash(code: &mut Assembler, no_pair: Label) {
    let [ipv6, mix] = [(); 2].map(|()| code.label());
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
