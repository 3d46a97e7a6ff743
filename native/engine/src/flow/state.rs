//! What a packet changes in a flow: flags, TCP state, who the originator is.

use wire::{IpPacket, TcpFlags, Transport};

use super::{Flow, ORIG, RESP};

/// Yes-or-no facts about a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FlowFlags(u16);

impl FlowFlags {
    /// The originator is the second endpoint of the key.
    pub(crate) const SWAPPED: Self = Self(1);
    /// Changed in the open second.
    pub(crate) const DIRTY: Self = Self(1 << 1);
    /// Handed on once.
    pub(crate) const PUBLISHED: Self = Self(1 << 2);
    /// Both ends have sent.
    pub(crate) const ANSWERED: Self = Self(1 << 3);
    /// The originator has sent payload.
    pub(crate) const ORIG_DATA: Self = Self(1 << 4);
    /// The responder has sent payload.
    pub(crate) const RESP_DATA: Self = Self(1 << 5);
    /// The originator's address is internal.
    pub(crate) const ORIG_INTERNAL: Self = Self(1 << 6);
    /// The responder's address is internal.
    pub(crate) const RESP_INTERNAL: Self = Self(1 << 7);
    /// The originator sent the first packet that was seen.
    pub(crate) const ORIG_FIRST: Self = Self(1 << 8);
    /// The originator has sent FIN.
    pub(crate) const ORIG_FIN: Self = Self(1 << 9);
    /// The responder has sent FIN.
    pub(crate) const RESP_FIN: Self = Self(1 << 10);
    /// Either end has sent RST.
    pub(crate) const RESET: Self = Self(1 << 11);
    /// The responder was the first to end the connection.
    pub(crate) const RESP_CLOSED: Self = Self(1 << 12);
    /// The flow meets a watchlist entry.
    pub(crate) const ALERTED: Self = Self(1 << 13);
    /// The mirror's health counts the flow.
    pub(crate) const TCP_COUNTED: Self = Self(1 << 14);
    /// It counts it as one that shows one direction.
    pub(crate) const ONE_SIDED: Self = Self(1 << 15);

    const PAIRS: [(Self, Self); 3] = [
        (Self::ORIG_DATA, Self::RESP_DATA),
        (Self::ORIG_INTERNAL, Self::RESP_INTERNAL),
        (Self::ORIG_FIN, Self::RESP_FIN),
    ];

    /// Whether every flag of `other` is set.
    #[inline]
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    #[inline]
    pub(crate) fn insert(&mut self, other: Self) {
        self.0 |= other.0;
    }

    #[inline]
    pub(crate) fn remove(&mut self, other: Self) {
        self.0 &= !other.0;
    }

    pub(crate) fn toggle(&mut self, other: Self) {
        self.0 ^= other.0;
    }

    pub(crate) fn swap_directions(&mut self) {
        for (orig, resp) in Self::PAIRS {
            if self.contains(orig) != self.contains(resp) {
                self.toggle(Self(orig.0 | resp.0));
            }
        }
        self.toggle(Self::ORIG_FIRST);
    }

    /// The flags with these added.
    pub(crate) fn with(self, other: Self, wanted: bool) -> Self {
        if wanted { Self(self.0 | other.0) } else { self }
    }

    /// Whether the connection is over: both ends have sent FIN, or one has sent RST.
    #[inline]
    pub fn is_closed(self) -> bool {
        self.contains(Self::RESET) || self.contains(Self(Self::ORIG_FIN.0 | Self::RESP_FIN.0))
    }
}

/// What a packet meant for its flow beyond its counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TouchOutcome {
    /// The other end has answered for the first time.
    pub answered: bool,
    /// The connection is over now.
    pub closed: bool,
}

impl Flow {
    /// Whether this packet opens a new connection over the same endpoints: a SYN after the end, or another SYN than
    /// the one that opened a connection which was answered since (RFC 9293, 3.10.7.4).
    #[inline]
    pub(crate) fn is_reopened_by(&self, packet: &IpPacket<'_>) -> bool {
        let Transport::Tcp { flags, sequence, .. } = packet.transport else { return false };
        if !flags.contains(TcpFlags::SYN) || flags.contains(TcpFlags::ACK) {
            return false;
        }
        let another = self.initial_sequence != 0 && sequence != self.initial_sequence;
        another && (self.flags.is_closed() || self.flags.contains(FlowFlags::ANSWERED))
    }

    /// Counts a packet in direction `direction` and moves the flow's state.
    #[inline]
    pub(crate) fn touch(&mut self, packet: &IpPacket<'_>, direction: usize) -> TouchOutcome {
        let counts = &mut self.totals[direction];
        counts.packets += 1;
        counts.bytes += u64::from(packet.length_bytes);
        if packet.payload_length_bytes > 0 {
            let data = if direction == ORIG { FlowFlags::ORIG_DATA } else { FlowFlags::RESP_DATA };
            self.flags.insert(data);
        }
        let mut outcome = TouchOutcome::default();
        if !self.flags.contains(FlowFlags::ANSWERED) && self.totals[1 - direction].packets > 0 {
            self.flags.insert(FlowFlags::ANSWERED);
            outcome.answered = true;
        }
        if let Transport::Tcp { flags, sequence, .. } = packet.transport {
            self.tcp_flags[direction] |= flags.0;
            let ends = flags.0 & (TcpFlags::SYN.0 | TcpFlags::FIN.0 | TcpFlags::RST.0);
            outcome.closed = ends != 0 && self.move_tcp_state(flags, sequence, direction);
        }
        outcome
    }

    /// Follows SYN, FIN and RST; `true` when the connection has just ended.
    fn move_tcp_state(&mut self, flags: TcpFlags, sequence: u32, direction: usize) -> bool {
        let was_closed = self.flags.is_closed();
        if flags.contains(TcpFlags::SYN) && !flags.contains(TcpFlags::ACK) && self.initial_sequence == 0 {
            if direction == RESP {
                self.reverse();
            }
            self.initial_sequence = sequence;
            return false;
        }
        let first_end =
            !was_closed && !self.flags.contains(FlowFlags::ORIG_FIN) && !self.flags.contains(FlowFlags::RESP_FIN);
        if flags.contains(TcpFlags::RST) {
            self.flags.insert(FlowFlags::RESET);
        }
        if flags.contains(TcpFlags::FIN) {
            self.flags.insert(if direction == ORIG { FlowFlags::ORIG_FIN } else { FlowFlags::RESP_FIN });
        }
        let ends = flags.0 & (TcpFlags::FIN.0 | TcpFlags::RST.0) != 0;
        if first_end && ends && direction == RESP {
            self.flags.insert(FlowFlags::RESP_CLOSED);
        }
        !was_closed && self.flags.is_closed()
    }
}
