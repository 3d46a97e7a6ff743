//! Messages of a client until a user has logged on by NTLM.

use app::ntlm::{self, Logon};

use super::dialog::{Listener, Next};
use super::{Sink, Told};
use crate::punt::PuntProtocol;
use crate::stream::Piece;

/// The part of a message that is read.
const MAX_MESSAGE_BYTES: usize = 8 * 1024;
/// Messages of a client within which it logs on.
const MAX_MESSAGES: u8 = 16;

/// Where a message ends, and which ones log on.
#[derive(Debug, Clone, Copy)]
pub(super) enum Framing {
    /// [MS-SMB2] section 2.1, RFC 1002 section 4.3.1.
    Smb,
    /// RFC 4511 section 5.1.
    Ldap,
    /// C706 section 12.6.3.1.
    DceRpc,
}

/// Listens to a client.
#[derive(Debug)]
pub(super) struct LogonTalk {
    framing: Framing,
    /// The message as far as it came and is read.
    head: Vec<u8>,
    /// Bytes of it that came.
    seen_bytes: usize,
    /// Bytes of all of it, or of its header as long as that is not there.
    wanted_bytes: usize,
    messages: u8,
}

impl Listener for LogonTalk {
    fn take(&mut self, from_client: bool, piece: Piece<'_>, sink: Sink<'_>) -> Next {
        match piece {
            _ if !from_client => Next::Continue,
            Piece::Data(data) => self.read(data, sink),
            Piece::Gap(_) | Piece::End => Next::Over,
        }
    }

    fn held_bytes(&self) -> usize {
        self.head.len()
    }
}

impl LogonTalk {
    pub(super) fn new(framing: Framing) -> Self {
        Self { framing, head: Vec::new(), seen_bytes: 0, wanted_bytes: framing.header_bytes(), messages: 0 }
    }

    fn read(&mut self, mut data: &[u8], sink: Sink<'_>) -> Next {
        while !data.is_empty() {
            let (now, rest) = data.split_at(data.len().min(self.wanted_bytes - self.seen_bytes));
            let room = MAX_MESSAGE_BYTES.saturating_sub(self.head.len());
            self.head.extend_from_slice(&now[..now.len().min(room)]);
            self.seen_bytes += now.len();
            data = rest;
            if self.seen_bytes < self.wanted_bytes {
                break;
            }
            match self.framing.message_bytes(&self.head[..self.framing.header_bytes()]) {
                Some(whole) if whole > self.seen_bytes => self.wanted_bytes = whole,
                Some(whole) if whole == self.seen_bytes && !self.end_message(sink) => {}
                _ => return Next::Over,
            }
        }
        Next::Continue
    }

    /// Whether the client was heard to log on, or was given enough time to.
    fn end_message(&mut self, sink: Sink<'_>) -> bool {
        (self.seen_bytes, self.wanted_bytes) = (0, self.framing.header_bytes());
        self.messages += 1;
        let logon = self.framing.setup(&self.head).and_then(ntlm::logon);
        if let Some(logon) = &logon {
            tell_logon(logon, sink);
        }
        self.head.clear();
        logon.is_some() || self.messages >= MAX_MESSAGES
    }
}

impl Framing {
    /// Bytes that tell how long a message is; none is shorter.
    fn header_bytes(self) -> usize {
        match self {
            Self::Smb => 4,
            Self::Ldap => 6,
            Self::DceRpc => 10,
        }
    }

    /// Length of the message with this header, which is counted.
    fn message_bytes(self, header: &[u8]) -> Option<usize> {
        match (self, header) {
            (Self::Smb, [_, high, middle, low, ..]) => Some(4 + u32::from_be_bytes([0, *high, *middle, *low]) as usize),
            // Lengths in the forms of X.690, 8.1.3.
            (Self::Ldap, [0x30, short @ ..=0x7f, ..]) => Some(2 + usize::from(*short)),
            (Self::Ldap, [0x30, form @ 0x81..=0x84, long @ ..]) => {
                let bytes = usize::from(form & 0x7f);
                let length = long[..bytes].iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
                Some(2 + bytes + length)
            }
            // The order of its bytes stands in the high half of the fifth (C706 section 14.1).
            (Self::DceRpc, [5, _, _, _, order, _, _, _, first, second]) => {
                let length = [*first, *second];
                let is_little = order & 0x10 != 0;
                Some(usize::from(if is_little { u16::from_le_bytes(length) } else { u16::from_be_bytes(length) }))
            }
            _ => None,
        }
    }

    /// What a message holds that may log on.
    fn setup(self, message: &[u8]) -> Option<&[u8]> {
        match (self, message) {
            // SMB2's command 1 ([MS-SMB2] section 2.2.1.2), SMB1's 0x73 ([MS-SMB] section 2.2.4.6.1).
            (Self::Smb, [_, _, _, _, 0xfe, b'S', b'M', b'B', _, _, _, _, _, _, _, _, 1, 0, rest @ ..])
            | (Self::Smb, [_, _, _, _, 0xff, b'S', b'M', b'B', 0x73, rest @ ..]) => Some(rest),
            // BindRequest behind the message's number, which takes up to four bytes (RFC 4511 section 4.2).
            (Self::Ldap, message) => bind_request(message),
            // Bind, alter_context and auth3 ([MS-RPCE] section 2.2.2.10).
            (Self::DceRpc, [_, _, 11 | 14 | 16, rest @ ..]) => Some(rest),
            _ => None,
        }
    }
}

/// The operation of a message of LDAP, if it is a BindRequest.
fn bind_request(message: &[u8]) -> Option<&[u8]> {
    let long = message.get(1)?.checked_sub(0x80).map_or(0, usize::from);
    let number = message.get(2 + long..)?;
    let operation = number.get(2 + usize::from(*number.get(1)?)..)?;
    (operation.first() == Some(&0x60)).then_some(operation)
}

/// Tells who logs on.
pub(super) fn tell_logon(logon: &Logon, sink: Sink<'_>) {
    let words = [&*logon.user, &*logon.domain, &*logon.workstation].join("\0");
    sink(Told::Claim(PuntProtocol::Ntlm, words.as_bytes()));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BEGINNINGS: [(Framing, &[u8]); 4] = [
        (Framing::Smb, b"\0\0\0\x60\xfeSMB\x40\0\0\0\0\0\0\0\x01\0"),
        (Framing::Ldap, b"0\x84\0\0\0\x60\x02\x01\x01\x60"),
        (Framing::Ldap, b"0\x20\x02\x01\x01\x60"),
        (Framing::DceRpc, b"\x05\0\x10\x03\x10\0\0\0\x60\0"),
    ];

    proptest! {
        #[test]
        fn no_bytes_break_it_and_what_it_keeps_is_bounded(
            choice in 0..BEGINNINGS.len(),
            kept in 0usize..16,
            bytes in proptest::collection::vec(any::<u8>(), 0..400),
            slice in 1usize..200,
        ) {
            let (framing, beginning) = BEGINNINGS[choice];
            let stream = [&beginning[..kept.min(beginning.len())], &bytes].concat();
            let mut talk = LogonTalk::new(framing);
            for data in stream.chunks(slice) {
                if talk.take(true, Piece::Data(data), &mut |_| ()) == Next::Over {
                    break;
                }
                prop_assert!(talk.held_bytes() <= MAX_MESSAGE_BYTES);
            }
        }
    }

    #[test]
    fn messages_stand_one_behind_the_other_until_one_is_none() {
        for (framing, message) in
            [(Framing::Ldap, &b"0\x04\x02\x01\x01\x42"[..]), (Framing::DceRpc, b"\x05\0\0\x03\x10\0\0\0\x0c\0\x01\x02")]
        {
            let stream = [message.repeat(3), vec![0xff; framing.header_bytes()]].concat();
            for slice in 1..=stream.len() {
                let mut talk = LogonTalk::new(framing);
                let mut chunks = stream.chunks(slice).peekable();
                while let Some(data) = chunks.next() {
                    let next = talk.take(true, Piece::Data(data), &mut |_| ());
                    assert_eq!(next, if chunks.peek().is_some() { Next::Continue } else { Next::Over });
                }
                assert_eq!(talk.messages, 3);
            }
        }
    }

    #[test]
    fn of_a_long_message_only_the_beginning_is_kept() {
        let mut talk = LogonTalk::new(Framing::Smb);
        assert_eq!(talk.take(true, Piece::Data(&[0, 0xff, 0xff, 0xff]), &mut |_| ()), Next::Continue);
        for _ in 0..100 {
            assert_eq!(talk.take(true, Piece::Data(&[0xfe; 1000]), &mut |_| ()), Next::Continue);
        }
        assert_eq!(talk.held_bytes(), MAX_MESSAGE_BYTES);
    }
}
