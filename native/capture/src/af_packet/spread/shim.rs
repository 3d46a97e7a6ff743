//! What stands between a frame's header and an IP packet, besides VLAN tags.

use super::super::bpf::{Label, Test, Width};
use super::{FLAGS, KEPT, Step, ethertype, kind};

/// MPLS labels that one step takes; a stack of more takes several.
const LABELS: usize = 3;

impl Step<'_> {
    /// Goes on by the kind in A, if it is one of these.
    pub(super) fn shims(&mut self, protocol: Label) {
        let [mpls, ppp, pppoe, metadata, macsec, nsh, gtpu, tzsp] = [(); 8].map(|()| self.code.label());
        for (number, label) in [
            (ethertype::MPLS, mpls),
            (ethertype::MPLS_MULTICAST, mpls),
            (ethertype::PPPOE_SESSION, pppoe),
            (ethertype::PPP, ppp),
            (ethertype::CISCO_METADATA, metadata),
            (ethertype::MACSEC, macsec),
            (ethertype::NSH, nsh),
            (kind::GTPU_EXTENSION, gtpu),
            (kind::TZSP_TAG, tzsp),
        ] {
            self.code.jump_if(Test::Is(number), label);
        }
        self.code.jump_if(Test::AtLeast(kind::PROTOCOL), protocol);
        self.code.jump(self.done);
        self.code.bind(mpls);
        self.labels();
        self.code.bind(pppoe);
        self.pppoe();
        self.code.bind(ppp);
        self.code.jump(self.ppp);
        self.code.bind(metadata);
        self.metadata();
        self.code.bind(macsec);
        self.macsec();
        self.code.bind(nsh);
        self.nsh();
        self.code.bind(gtpu);
        self.gtpu_extension();
        self.code.bind(tzsp);
        self.tzsp_tag();
    }

    /// A SNAP header of organization 0 carries an EtherType; behind other LLC headers stands no address.
    pub(super) fn llc(&mut self) {
        self.code.load(Width::Word, 0);
        self.code.jump_unless(Test::Is(0xaaaa_0300), self.done);
        self.code.load(Width::Half, 4);
        self.code.jump_unless(Test::Is(0), self.done);
        self.enter(6, 8);
    }

    /// Entries of a stack, and behind the last what its first bytes say.
    fn labels(&mut self) {
        let [last, no_word, behind_word, perhaps_ethernet] = [(); 4].map(|()| self.code.label());
        for _ in 0..LABELS {
            self.code.load(Width::Byte, 2);
            self.code.store(KEPT);
            self.code.advance(4);
            self.code.recall(KEPT);
            self.code.jump_if(Test::HasAny(0x01), last);
        }
        self.code.jump(self.mpls);
        self.code.bind(last);
        // Two bytes of 0: a control word before the frame, or the frame's first address.
        self.code.load(Width::Half, 0);
        self.code.jump_unless(Test::Is(0), no_word);
        self.code.load(Width::Half, 16);
        self.jump_if_carried(behind_word);
        self.code.bind(no_word);
        self.code.load(Width::Half, 12);
        self.jump_if_carried(perhaps_ethernet);
        self.code.jump(self.by_version);
        self.code.bind(behind_word);
        self.code.advance(4);
        self.code.jump(self.ethernet);
        self.code.bind(perhaps_ethernet);
        self.ip_or_ethernet();
    }

    /// Goes to the label if A is a type that an Ethernet frame in a pseudowire has.
    fn jump_if_carried(&mut self, label: Label) {
        for carried in [
            ethertype::IPV4,
            ethertype::IPV6,
            ethertype::ARP,
            ethertype::VLAN,
            ethertype::SERVICE_VLAN,
            ethertype::MPLS,
            ethertype::PPPOE_SESSION,
        ] {
            self.code.jump_if(Test::Is(carried), label);
        }
    }

    /// What could be a frame is an IP packet if it begins with the version and says the length that is left.
    fn ip_or_ethernet(&mut self) {
        let [ipv6, said] = [(); 2].map(|()| self.code.label());
        self.code.load(Width::Byte, 0);
        self.code.compute(libc::BPF_AND, 0xf0);
        self.code.jump_if(Test::Is(0x60), ipv6);
        self.code.jump_unless(Test::Is(0x40), self.ethernet);
        self.code.load(Width::Half, 2);
        self.code.jump(said);
        self.code.bind(ipv6);
        self.code.load(Width::Half, 4);
        self.code.compute(libc::BPF_ADD, 40);
        self.code.bind(said);
        self.code.store(KEPT);
        self.code.load_length();
        self.code.compute_x(libc::BPF_SUB);
        self.code.store_x(FLAGS);
        self.code.recall_x(KEPT);
        self.code.compute_x(libc::BPF_SUB);
        self.code.recall_x(FLAGS);
        self.code.jump_if(Test::Is(0), self.by_version);
        self.code.jump(self.ethernet);
    }

    /// Session data only.
    fn pppoe(&mut self) {
        self.code.load(Width::Half, 0);
        self.code.jump_unless(Test::Is(0x1100), self.done);
        self.code.advance(6);
        self.code.jump(self.ppp);
    }

    /// Framing and protocol, either of them left out or compressed.
    pub(super) fn ppp(&mut self) {
        let [unframed, short, named, bridged] = [(); 4].map(|()| self.code.label());
        self.code.bind(self.ppp);
        self.code.load(Width::Half, 0);
        self.code.jump_unless(Test::Is(0xff03), unframed);
        self.code.advance(2);
        self.code.bind(unframed);
        self.code.load(Width::Byte, 0);
        self.code.jump_if(Test::HasAny(1), short);
        self.code.load(Width::Half, 0);
        self.code.store(KEPT);
        self.code.advance(2);
        self.code.jump(named);
        self.code.bind(short);
        self.code.store(KEPT);
        self.code.advance(1);
        self.code.bind(named);
        self.code.recall(KEPT);
        self.code.jump_if(Test::Is(0x21), self.ipv4);
        self.code.jump_if(Test::Is(0x57), self.ipv6);
        self.code.jump_if(Test::Is(0x281), self.mpls);
        self.code.jump_if(Test::Is(0x283), self.mpls);
        self.code.jump_if(Test::Is(0x31), bridged);
        self.code.jump(self.done);
        self.code.bind(bridged);
        self.code.load(Width::Byte, 1);
        self.code.jump_unless(Test::Is(1), self.done);
        self.code.advance(2);
        self.code.jump(self.ethernet);
    }

    /// A version and a length, which are no EtherType, come first or, in GRE, behind the EtherType.
    fn metadata(&mut self) {
        let first = self.code.label();
        self.code.load(Width::Half, 0);
        self.code.jump_if(Test::AtLeast(ethertype::MIN), first);
        self.enter(6, 8);
        self.code.bind(first);
        self.enter(0, 8);
    }

    /// Data in the clear, with or without a channel identifier in the tag.
    fn macsec(&mut self) {
        self.code.load(Width::Byte, 0);
        self.code.store(FLAGS);
        self.code.jump_if(Test::HasAny(0x0c), self.done);
        self.advance_if(0x20, 8);
        self.enter(6, 8);
    }

    fn nsh(&mut self) {
        self.code.load(Width::Byte, 3);
        self.code.store(KEPT);
        self.code.load(Width::Byte, 1);
        self.code.compute(libc::BPF_AND, 0x3f);
        self.code.compute(libc::BPF_LSH, 2);
        self.code.jump_unless(Test::AtLeast(8), self.done);
        self.code.advance_by_a();
        self.code.recall(KEPT);
        self.code.jump(self.nsh_next);
    }

    pub(super) fn nsh_next(&mut self) {
        let nsh = self.code.label();
        self.code.bind(self.nsh_next);
        self.code.jump_if(Test::Is(1), self.ipv4);
        self.code.jump_if(Test::Is(2), self.ipv6);
        self.code.jump_if(Test::Is(3), self.ethernet);
        self.code.jump_if(Test::Is(4), nsh);
        self.code.jump_if(Test::Is(5), self.mpls);
        self.code.jump(self.done);
        self.code.bind(nsh);
        self.go_on_with(ethertype::NSH);
    }
}
