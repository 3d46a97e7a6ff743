//! Kerberos over TCP until a client is told that it has a ticket (RFC 4120, 7.2.2).

use app::kerberos;

use super::dialog::{Listener, Next};
use super::{Sink, Told};
use crate::punt::PuntProtocol;
use crate::stream::Piece;

/// The length that stands before a message.
const LENGTH_BYTES: usize = 4;

/// Listens to the first answer of a key distribution centre.
#[derive(Debug, Default)]
pub(super) struct KerberosTalk {
    answer: Vec<u8>,
}

impl Listener for KerberosTalk {
    fn take(&mut self, from_client: bool, piece: Piece<'_>, sink: Sink<'_>) -> Next {
        match piece {
            _ if from_client => return Next::Continue,
            Piece::Data(data) => {
                let room = (LENGTH_BYTES + kerberos::ENOUGH_BYTES).saturating_sub(self.answer.len());
                self.answer.extend_from_slice(&data[..data.len().min(room)]);
            }
            Piece::Gap(_) | Piece::End => return self.tell(sink),
        }
        let Some((length, message)) = self.answer.split_first_chunk::<LENGTH_BYTES>() else { return Next::Continue };
        let awaited = (u32::from_be_bytes(*length) as usize).min(kerberos::ENOUGH_BYTES);
        if message.len() < awaited { Next::Continue } else { self.tell(sink) }
    }

    fn held_bytes(&self) -> usize {
        self.answer.len()
    }
}

impl KerberosTalk {
    fn tell(&mut self, sink: Sink<'_>) -> Next {
        tell_client(self.answer.get(LENGTH_BYTES..).unwrap_or_default(), sink);
        Next::Over
    }
}

/// Tells whom an answer gives a ticket to; `false` if it is no such answer.
pub(crate) fn tell_client(message: &[u8], sink: Sink<'_>) -> bool {
    let client = kerberos::client(message);
    if let Some(client) = &client {
        sink(Told::Claim(PuntProtocol::Kerberos, [&*client.name, &*client.realm].join("\0").as_bytes()));
    }
    client.is_some()
}
