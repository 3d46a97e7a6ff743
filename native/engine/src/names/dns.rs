//! DNS over TCP, and what any message tells of names (RFC 1035).

use app::dns::{Data, Message, Reader};

use super::dialog::{Listener, Next};
use super::event::AppEvent;
use super::{Sink, Told};
use crate::stream::Piece;

/// Listens to a DNS connection: every message of it.
#[derive(Debug, Default)]
pub(super) struct DnsTalk {
    client: Reader,
    server: Reader,
    ended: [bool; 2],
}

impl Listener for DnsTalk {
    fn take(&mut self, from_client: bool, piece: Piece<'_>, sink: Sink<'_>) -> Next {
        let reader = if from_client { &mut self.client } else { &mut self.server };
        match piece {
            Piece::Data(data) => reader.feed(data, &mut |message| tell_message(message, sink)),
            Piece::Gap(_) => reader.gap(),
            Piece::End => self.ended[usize::from(from_client)] = true,
        }
        Next::until(self.ended == [true; 2])
    }

    fn held_bytes(&self) -> usize {
        self.client.held_bytes() + self.server.held_bytes()
    }
}

/// Tells of a message: the names that are asked for, those that an answer leads to, and the message itself.
pub(crate) fn tell_message(message: Message, sink: Sink<'_>) {
    for question in &message.questions {
        sink(Told::LookedUp(&question.name));
    }
    for answer in &message.answers {
        if let (CNAME, Data::Name(name)) = (answer.kind, &answer.data) {
            sink(Told::LookedUp(name));
        }
    }
    sink(Told::Event(AppEvent::Dns(Box::new(message))));
}

/// The type of a record that says: this name is another one's (RFC 1035, 3.2.2).
pub(super) const CNAME: u16 = 5;
