//! What a worker hears in its flows: it listens to each until nothing more will be learned of it.

use app::{AppProtocol, Guess, dns, guess};
use wire::{IpPacket, TcpFlags, Transport};

use super::Worker;
use crate::detect::Shown;
use crate::flow::{FlowFlags, ORIG, ServerName};
use crate::names::{
    AppEvent, AppRecord, Conversation, Naming, QuicTalk, Talk, Told, Wanted, tell_client, tell_message,
};
use crate::stream::Segment;

/// Bytes that a worker keeps at most of all conversations together.
const MAX_HELD_BYTES: usize = 64 << 20;
/// Datagrams of each direction that a protocol must have been told by.
const GUESS_DATAGRAMS: u64 = 4;

impl Worker {
    /// Listens to a packet of a flow of which more may be learned.
    pub(super) fn hear(&mut self, place: u32, packet: &IpPacket<'_>, swapped: bool, time_ns: u64) {
        let direction = self.flows.get(place).direction(swapped);
        match packet.transport {
            Transport::Tcp { .. } => self.hear_segment(place, packet, direction, time_ns),
            Transport::Udp { .. } => self.hear_datagram(place, packet, direction, time_ns),
            _ => self.flows.get_mut(place).naming = Naming::Done,
        }
    }

    fn hear_segment(&mut self, place: u32, packet: &IpPacket<'_>, direction: usize, time_ns: u64) {
        let Transport::Tcp { flags, sequence, acknowledgement, .. } = packet.transport else { return };
        let flow = self.flows.get_mut(place);
        // Where a fragment's data ends is not known, and a reset's is none.
        if packet.fragment || flags.contains(TcpFlags::RST) {
            return;
        }
        let mut conversation = match flow.conversation.take() {
            Some(conversation) => conversation,
            // A single byte may be a keep-alive, which repeats the last one (RFC 9293, 3.8.4): no beginning.
            _ if packet.payload_length_bytes <= 1 && flow.beginnings()[direction].is_none() => return,
            _ if packet.payload_length_bytes == 0 => return,
            _ => {
                let tuple = flow.tuple();
                let web = self.setup.web.rules_for(tuple.orig.address, tuple.resp.address);
                let wanted = Wanted { web, raw_mails: self.setup.raw_mails.is_some() };
                Box::new(Conversation::Stream(Talk::new(flow.beginnings(), tuple.resp.port, wanted)))
            }
        };
        let Conversation::Stream(talk) = &mut *conversation else { return };
        let segment = Segment {
            // SYN stands before the first byte (RFC 9293, 3.4).
            sequence: sequence.wrapping_add(u32::from(flags.contains(TcpFlags::SYN))),
            data: packet.payload,
            length: packet.payload_length_bytes,
            fin: flags.contains(TcpFlags::FIN),
        };
        let acknowledged = flags.contains(TcpFlags::ACK).then_some(acknowledgement);
        talk.at(time_ns);
        let before = talk.held_bytes();
        let room = MAX_HELD_BYTES.saturating_sub(self.held_bytes);
        talk.segment(direction, &segment, acknowledged, room, &mut |told| self.take_told(place, time_ns, told));
        self.keep(place, conversation, before);
    }

    fn hear_datagram(&mut self, place: u32, packet: &IpPacket<'_>, direction: usize, time_ns: u64) {
        if packet.payload.is_empty() {
            return;
        }
        if self.flows.get(place).app == AppProtocol::Unknown {
            self.guess_datagram(place, packet, direction, time_ns);
        }
        match self.flows.get(place).app {
            AppProtocol::Dns => match dns::message(packet.payload) {
                Ok(message) => tell_message(message, &mut |told| self.take_told(place, time_ns, told)),
                Err(error) => self.take_told(place, time_ns, Told::Error(error)),
            },
            AppProtocol::Kerberos => {
                if tell_client(packet.payload, &mut |told| self.take_told(place, time_ns, told)) {
                    self.stop_listening(place);
                }
            }
            AppProtocol::Quic if direction == ORIG => self.hear_quic(place, packet.payload, time_ns),
            AppProtocol::Quic | AppProtocol::Unknown => {}
            _ => self.flows.get_mut(place).naming = Naming::Done,
        }
    }

    fn guess_datagram(&mut self, place: u32, packet: &IpPacket<'_>, direction: usize, time_ns: u64) {
        let Transport::Udp { source_port, destination_port } = packet.transport else { return };
        match guess::datagram(packet.payload, (source_port, destination_port)) {
            Guess::Known(protocol) => self.take_told(place, time_ns, Told::Protocol(protocol)),
            Guess::More | Guess::Unknown => {
                if self.flows.get(place).totals[direction].packets >= GUESS_DATAGRAMS {
                    self.stop_listening(place);
                }
            }
        }
    }

    fn hear_quic(&mut self, place: u32, datagram: &[u8], time_ns: u64) {
        let flow = self.flows.get_mut(place);
        let conversation = flow.conversation.take();
        let mut conversation = conversation.unwrap_or_else(|| Box::new(Conversation::Quic(QuicTalk::default())));
        let Conversation::Quic(talk) = &mut *conversation else { return };
        let before = talk.held_bytes();
        talk.client(datagram, &mut |told| self.take_told(place, time_ns, told));
        self.keep(place, conversation, before);
    }

    /// Puts a conversation back into its flow, unless it is over or there is no room for what it keeps.
    fn keep(&mut self, place: u32, conversation: Box<Conversation>, before_bytes: usize) {
        self.held_bytes = self.held_bytes - before_bytes + conversation.held_bytes();
        let over = conversation.is_over();
        let no_room = self.held_bytes > MAX_HELD_BYTES;
        self.flows.get_mut(place).conversation = Some(conversation);
        if no_room && !over {
            self.counters.names.given_up += 1;
        }
        if over || no_room {
            self.stop_listening(place);
        }
    }

    /// Nothing more will be learned of the flow.
    fn stop_listening(&mut self, place: u32) {
        let flow = self.flows.get_mut(place);
        flow.naming = Naming::Done;
        if let Some(conversation) = flow.conversation.take() {
            self.held_bytes -= conversation.held_bytes();
        }
        if flow.app == AppProtocol::Unknown {
            self.counters.names.flows[AppProtocol::Unknown as usize] += 1;
        }
    }

    /// The flow ends: what is left of its conversation is told.
    pub(super) fn end_conversation(&mut self, place: u32) {
        let flow = self.flows.get_mut(place);
        if flow.naming == Naming::Done {
            return;
        }
        let time_ns = flow.last_ns;
        let said = flow.flags.contains(FlowFlags::ORIG_DATA) || flow.flags.contains(FlowFlags::RESP_DATA);
        if let Some(conversation) = flow.conversation.take() {
            self.held_bytes -= conversation.held_bytes();
            if let Conversation::Stream(mut talk) = *conversation {
                talk.finish(&mut |told| self.take_told(place, time_ns, told));
            }
        }
        if said && self.flows.get(place).app == AppProtocol::Unknown {
            self.counters.names.flows[AppProtocol::Unknown as usize] += 1;
        }
    }

    fn take_told(&mut self, place: u32, time_ns: u64, told: Told<'_>) {
        let flow = self.flows.get_mut(place);
        match told {
            Told::Protocol(protocol) => {
                if flow.app != AppProtocol::Unknown && flow.app != protocol {
                    flow.leave_app();
                }
                flow.app = protocol;
                self.counters.names.flows[protocol as usize] += 1;
            }
            Told::Server(name) => {
                if flow.name.is_none() && !name.is_empty() {
                    flow.name = Some(Box::new(ServerName { text: name.into(), app: flow.app }));
                }
                self.meet(place, &Shown::Name(name.as_bytes()));
            }
            Told::LookedUp(name) => self.meet(place, &Shown::Name(name.as_bytes())),
            Told::Url(host, target) => {
                self.meet(place, &Shown::Url { host: host.as_bytes(), target: target.as_bytes() });
            }
            Told::Ja4(fingerprint) => self.meet(place, &Shown::Ja4(fingerprint.as_bytes())),
            Told::Claim(protocol, words) => self.hand_claim(place, time_ns, protocol, words),
            Told::Event(mut event) => {
                if let (Some(room), Some(message)) = (&self.setup.raw_mails, event.message_mut()) {
                    room.admit(message);
                }
                let carries = matches!(&event, AppEvent::Smtp(mail) if mail.message.is_some());
                self.counters.names.smtp_messages += u64::from(carries);
                let layers = self.tunnels.layers(flow.tunnel);
                self.second.apps.push(AppRecord::new(flow, time_ns, layers, event));
            }
            Told::Error(error) => self.counters.names.errors[flow.app as usize][error as usize] += 1,
        }
    }

    fn meet(&mut self, place: u32, shown: &Shown<'_>) {
        let app = self.flows.get(place).app;
        self.meet_shown(place, shown, app);
    }

    /// Other lists are in force: the name that the flow is known by is looked up in them.
    pub(super) fn meet_again(&mut self, place: u32) {
        let flow = self.flows.get_mut(place);
        if let Some(name) = flow.name.take() {
            self.meet(place, &Shown::Name(name.text.as_bytes()));
            self.flows.get_mut(place).name = Some(name);
        }
    }
}
