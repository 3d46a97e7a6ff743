//! A conversation over TCP, from its first bytes to where nothing more is learned from it.

use app::{AppProtocol, Guess, guess};

use super::exchange::Exchanges;
use super::http::{Http1Talk, Http2Talk};
use super::{
    Sink, Told, Wanted, dns::DnsTalk, kerberos::KerberosTalk, logon::Framing, logon::LogonTalk, mail::MailTalk,
    ssh::SshTalk, tls::TlsTalk,
};
use crate::flow::{ORIG, RESP};
use crate::stream::Piece;

/// Bytes of each direction that the protocol must have been told by.
const GUESS_BYTES: usize = 4096;
/// Pieces of each direction that it must have been told by.
const GUESS_PIECES: u8 = 4;
/// With fewer bytes, more pieces are waited for: whoever sends a byte at a time is not unknown for it.
const TELLING_BYTES: usize = 64;

/// So often a connection may become another conversation: each that it carries may carry one in turn.
const MAX_CHANGES: u8 = 4;

/// How a conversation goes on behind a piece of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// As before.
    Continue,
    /// Nothing more will be learned.
    Over,
    /// What both directions send from here on is another conversation: of this protocol, or of one that is guessed anew
    /// where it is [`AppProtocol::Unknown`]. So many of the piece's last bytes belong to it already.
    Becomes(AppProtocol, usize),
}

impl Next {
    pub(super) fn until(over: bool) -> Self {
        if over { Self::Over } else { Self::Continue }
    }
}

/// Somebody who listens to a conversation of a known protocol.
pub(super) trait Listener: std::fmt::Debug + Send {
    /// What it takes from here on has come at this packet time.
    fn at(&mut self, _time_ns: u64) {}

    /// Takes the next piece of what the client or the server sends.
    fn take(&mut self, from_client: bool, piece: Piece<'_>, sink: Sink<'_>) -> Next;

    /// Bytes that it keeps.
    fn held_bytes(&self) -> usize;
}

/// A conversation, and those that it became.
#[derive(Debug)]
pub(super) struct Dialog {
    state: State,
    changes: u8,
    wanted: Wanted,
    time_ns: u64,
}

/// How far a conversation is understood.
#[derive(Debug)]
enum State {
    /// The protocol is not told yet.
    Beginning(Beginning),
    /// Somebody listens; the client sends in this direction.
    Heard(Box<dyn Listener>, usize),
    /// Nothing more will be learned.
    Over,
}

/// What each direction began with.
#[derive(Debug, Default)]
struct Beginning {
    /// 0 where the port belongs to what carries the conversation.
    resp_port: u16,
    heads: [Vec<u8>; 2],
    pieces: [u8; 2],
}

impl Dialog {
    /// Of a connection to this port.
    pub(super) fn new(resp_port: u16, wanted: Wanted) -> Self {
        let state = State::Beginning(Beginning { resp_port, ..Beginning::default() });
        Self { state, changes: 0, wanted, time_ns: 0 }
    }

    /// What it takes from here on has come at this packet time.
    pub(super) fn at(&mut self, time_ns: u64) {
        self.time_ns = time_ns;
    }

    /// The other end is the originator.
    pub(super) fn reverse(&mut self) {
        match &mut self.state {
            State::Beginning(beginning) => {
                beginning.heads.reverse();
                beginning.pieces.reverse();
            }
            State::Heard(_, client) => *client = 1 - *client,
            State::Over => {}
        }
    }

    pub(super) fn held_bytes(&self) -> usize {
        match &self.state {
            State::Beginning(beginning) => beginning.heads.iter().map(Vec::len).sum(),
            State::Heard(listener, _) => listener.held_bytes(),
            State::Over => 0,
        }
    }

    /// Whether nothing more will be learned.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// Takes the next piece of a direction.
    pub(super) fn take(&mut self, direction: usize, piece: Piece<'_>, sink: Sink<'_>) {
        match &mut self.state {
            State::Heard(listener, client) => {
                listener.at(self.time_ns);
                match listener.take(direction == *client, piece, sink) {
                    Next::Continue => {}
                    Next::Over => self.state = State::Over,
                    Next::Becomes(protocol, rest_bytes) => {
                        let client = *client;
                        self.become_another(protocol, client, sink);
                        if let Piece::Data(data) = piece {
                            let rest = &data[data.len().saturating_sub(rest_bytes)..];
                            if !rest.is_empty() {
                                self.take(direction, Piece::Data(rest), sink);
                            }
                        }
                    }
                }
            }
            State::Beginning(beginning) => match beginning.take(direction, piece) {
                Guess::More => {}
                Guess::Unknown => self.state = State::Over,
                Guess::Known(protocol) => {
                    let heads = std::mem::take(&mut beginning.heads);
                    self.begin(protocol, (direction, piece), &heads, sink);
                }
            },
            State::Over => {}
        }
    }

    /// What follows is another conversation, with the same client if its protocol is known.
    fn become_another(&mut self, protocol: AppProtocol, client: usize, sink: Sink<'_>) {
        self.changes += 1;
        self.state = match protocol {
            _ if self.changes > MAX_CHANGES => State::Over,
            AppProtocol::Unknown => State::Beginning(Beginning::default()),
            protocol => listen(protocol, client, self.wanted.clone(), sink),
        };
    }

    /// The protocol is known: whoever listens to it is given what was said so far, the last piece included.
    fn begin(&mut self, protocol: AppProtocol, last: (usize, Piece<'_>), heads: &[Vec<u8>; 2], sink: Sink<'_>) {
        let (direction, piece) = last;
        let mut first = [&heads[ORIG][..], &heads[RESP][..]];
        if let (true, Piece::Data(data)) = (first[direction].is_empty(), piece) {
            first[direction] = data;
        }
        let client = client(protocol, first);
        self.state = listen(protocol, client, self.wanted.clone(), sink);
        for side in [client, 1 - client] {
            if !heads[side].is_empty() {
                self.take(side, Piece::Data(&heads[side]), sink);
            }
        }
        self.take(direction, piece, sink);
    }
}

/// Listens to a conversation of this protocol, if anything is learned of it.
fn listen(protocol: AppProtocol, client: usize, wanted: Wanted, sink: Sink<'_>) -> State {
    sink(Told::Protocol(protocol));
    let listener: Box<dyn Listener> = match protocol {
        AppProtocol::Tls => Box::<TlsTalk>::default(),
        AppProtocol::Http => Box::new(Http1Talk::new(wanted.web)),
        AppProtocol::Http2 => Box::new(Http2Talk::new(Exchanges::new(wanted.web))),
        AppProtocol::Dns => Box::<DnsTalk>::default(),
        AppProtocol::Ssh => Box::<SshTalk>::default(),
        AppProtocol::Kerberos => Box::<KerberosTalk>::default(),
        AppProtocol::Smb => Box::new(LogonTalk::new(Framing::Smb)),
        AppProtocol::Ldap => Box::new(LogonTalk::new(Framing::Ldap)),
        AppProtocol::DceRpc => Box::new(LogonTalk::new(Framing::DceRpc)),
        AppProtocol::Smtp | AppProtocol::Pop3 | AppProtocol::Imap => {
            Box::new(MailTalk::new(protocol, wanted.raw_mails))
        }
        _ => return State::Over,
    };
    State::Heard(listener, client)
}

impl Beginning {
    /// What the bytes so far say; they are kept while it is not known.
    fn take(&mut self, direction: usize, piece: Piece<'_>) -> Guess {
        let data = match piece {
            Piece::Data(data) => data,
            // Without its beginning a direction does not tell.
            Piece::Gap(_) => return Guess::Unknown,
            Piece::End => return Guess::More,
        };
        let before = self.heads[direction].len();
        let guess = self.guess(direction, data);
        if matches!(guess, Guess::Known(_)) {
            return guess;
        }
        self.pieces[direction] += 1;
        let all_said = guess == Guess::Unknown && self.pieces.iter().all(|&pieces| pieces > 0);
        let said = before + data.len();
        let enough = self.pieces[direction] > GUESS_PIECES && said >= TELLING_BYTES;
        if all_said || enough || said > GUESS_BYTES {
            return Guess::Unknown;
        }
        self.heads[direction].extend_from_slice(data);
        Guess::More
    }

    fn guess(&mut self, direction: usize, data: &[u8]) -> Guess {
        let before = self.heads[direction].len();
        if before == 0 {
            let mut sides = [&self.heads[ORIG][..], &self.heads[RESP][..]];
            sides[direction] = data;
            return guess::stream(sides[ORIG], sides[RESP], self.resp_port);
        }
        self.heads[direction].extend_from_slice(&data[..data.len().min(GUESS_BYTES)]);
        let guess = guess::stream(&self.heads[ORIG], &self.heads[RESP], self.resp_port);
        self.heads[direction].truncate(before);
        guess
    }
}

/// The direction that the client sends in: bytes that only a server begins with speak against the originator, who is a
/// guess where a connection was not seen from its beginning.
fn client(protocol: AppProtocol, first: [&[u8]; 2]) -> usize {
    let serves = |bytes: &[u8]| match protocol {
        // The handshake message's type behind the record's header: server_hello (RFC 8446, 4).
        AppProtocol::Tls => Some(bytes.get(5) == Some(&2)),
        AppProtocol::Http => Some(bytes.starts_with(b"HTTP/")),
        AppProtocol::Http2 => Some(!bytes.starts_with(b"PRI ")),
        // QR behind length and identifier (RFC 1035, 4.1.1).
        AppProtocol::Dns => bytes.get(4).map(|flags| flags & 0x80 != 0),
        // An answer's tags are odd (RFC 4120, 5.4 and 5.9.1); behind the length.
        AppProtocol::Kerberos => bytes.get(4).map(|tag| tag & 1 != 0),
        // SMB2_FLAGS_SERVER_TO_REDIR ([MS-SMB2] section 2.2.1.2) and SMB_FLAGS_REPLY ([MS-CIFS] section 2.2.3.1).
        AppProtocol::Smb if bytes.get(4) == Some(&0xfe) => bytes.get(20).map(|flags| flags & 1 != 0),
        AppProtocol::Smb if bytes.get(4) == Some(&0xff) => bytes.get(13).map(|flags| flags & 0x80 != 0),
        // response, fault, bind_ack, bind_nak, alter_context_resp (C706 section 12.6.1).
        AppProtocol::DceRpc => bytes.get(2).map(|kind| matches!(kind, 2 | 3 | 12 | 13 | 15)),
        AppProtocol::Smtp => Some(bytes.first().is_some_and(u8::is_ascii_digit)),
        AppProtocol::Pop3 => Some(bytes.starts_with(b"+OK") || bytes.starts_with(b"-ERR")),
        AppProtocol::Imap => Some(bytes.starts_with(b"* ")),
        _ => None,
    };
    let said_by = usize::from(first[ORIG].is_empty());
    match serves(first[said_by]) {
        Some(true) => 1 - said_by,
        Some(false) => said_by,
        None => ORIG,
    }
}
