//! SMB until a user has logged on by NTLM ([MS-SMB2] section 2.2.5, [MS-SMB] section 2.2.4.6.1).

use app::ntlm::{self, Logon};

use super::dialog::{Listener, Next};
use super::{Sink, Told};
use crate::punt::PuntProtocol;
use crate::stream::Piece;

/// The length of a message stands before it (RFC 1002, 4.3.1; [MS-SMB2] section 2.1).
const LENGTH_BYTES: usize = 4;
/// The part of a message that is read.
const MAX_MESSAGE_BYTES: usize = 8 * 1024;
/// Messages of a client within which it logs on.
const MAX_MESSAGES: u8 = 16;

/// Listens to a client.
#[derive(Debug, Default)]
pub(super) struct SmbTalk {
    /// The message as far as it came and is read, its length before it.
    head: Vec<u8>,
    /// Bytes of it that came.
    seen_bytes: usize,
    messages: u8,
}

impl Listener for SmbTalk {
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

impl SmbTalk {
    fn read(&mut self, mut data: &[u8], sink: Sink<'_>) -> Next {
        while !data.is_empty() {
            let whole = match self.head.first_chunk::<LENGTH_BYTES>() {
                Some([_, length @ ..]) => {
                    LENGTH_BYTES + u32::from_be_bytes([0, length[0], length[1], length[2]]) as usize
                }
                None => LENGTH_BYTES,
            };
            let (now, rest) = data.split_at(data.len().min(whole - self.seen_bytes));
            let room = (LENGTH_BYTES + MAX_MESSAGE_BYTES).saturating_sub(self.head.len());
            self.head.extend_from_slice(&now[..now.len().min(room)]);
            self.seen_bytes += now.len();
            data = rest;
            if self.seen_bytes == whole && (whole > LENGTH_BYTES || self.is_empty_message()) && self.end_message(sink) {
                return Next::Over;
            }
        }
        Next::Continue
    }

    /// Whether only a length is there, and it is 0.
    fn is_empty_message(&self) -> bool {
        self.head.len() == LENGTH_BYTES && self.head[1..] == [0; 3]
    }

    /// Whether the client was heard to log on, or was given enough time to.
    fn end_message(&mut self, sink: Sink<'_>) -> bool {
        let message = std::mem::take(&mut self.head);
        self.seen_bytes = 0;
        self.messages += 1;
        let logon = setup(&message[LENGTH_BYTES..]).and_then(ntlm::logon);
        if let Some(logon) = &logon {
            tell_logon(logon, sink);
        }
        logon.is_some() || self.messages >= MAX_MESSAGES
    }
}

/// What a message that sets a session up holds: SMB2's command 1 ([MS-SMB2] section 2.2.1.2), SMB1's 0x73.
fn setup(message: &[u8]) -> Option<&[u8]> {
    match message {
        [0xfe, b'S', b'M', b'B', _, _, _, _, _, _, _, _, 1, 0, rest @ ..] => Some(rest),
        [0xff, b'S', b'M', b'B', 0x73, rest @ ..] => Some(rest),
        _ => None,
    }
}

/// Tells who logs on.
pub(super) fn tell_logon(logon: &Logon, sink: Sink<'_>) {
    let words = [&*logon.user, &*logon.domain, &*logon.workstation].join("\0");
    sink(Told::Claim(PuntProtocol::Ntlm, words.as_bytes()));
}
