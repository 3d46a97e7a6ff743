//! DNS over TCP: each message behind its length (RFC 1035 section 4.2.2).

use super::message::{message, plausible};
use super::{HEADER_BYTES, Message};

/// One direction of a DNS connection. Keeps a message that is not whole yet, 64 KiB at the most, and nothing else.
#[derive(Debug, Default)]
pub struct Reader {
    /// The length and what has come of the message; empty between messages.
    pending: Vec<u8>,
    /// Where messages begin is not known.
    lost: bool,
}

impl Reader {
    /// The next bytes; `sink` is given each message that they complete. What is no message is left out.
    pub fn feed(&mut self, mut data: &[u8], sink: &mut dyn FnMut(Message)) {
        if self.lost {
            if !begins(data) {
                return;
            }
            self.lost = false;
        }
        if !self.pending.is_empty() {
            data = self.complete(data, sink);
        }
        while !self.lost {
            let Some((whole, rest)) = split(data) else {
                self.pending.extend_from_slice(data);
                break;
            };
            self.give(whole, sink);
            data = rest;
        }
    }

    /// Bytes that are kept.
    pub fn held_bytes(&self) -> usize {
        self.pending.len()
    }

    /// Bytes are missing here. The reader goes on with the next slice that plausibly begins with a message.
    pub fn gap(&mut self) {
        self.lose();
    }

    /// Adds to the pending message what it lacks; the bytes behind it.
    fn complete<'a>(&mut self, data: &'a [u8], sink: &mut dyn FnMut(Message)) -> &'a [u8] {
        let mut rest = data;
        while !rest.is_empty() {
            let missing = match self.pending.first_chunk::<2>() {
                Some(length) => 2 + usize::from(u16::from_be_bytes(*length)) - self.pending.len(),
                None => 2 - self.pending.len(),
            };
            let (now, later) = rest.split_at(missing.min(rest.len()));
            self.pending.extend_from_slice(now);
            rest = later;
            if split(&self.pending).is_some() {
                let whole = std::mem::take(&mut self.pending);
                self.give(&whole[2..], sink);
                break;
            }
        }
        rest
    }

    fn give(&mut self, payload: &[u8], sink: &mut dyn FnMut(Message)) {
        match message(payload) {
            Ok(message) => sink(message),
            // A length that no message can have: the framing is not what it seemed.
            Err(_) if payload.len() < HEADER_BYTES => self.lose(),
            Err(_) => (),
        }
    }

    fn lose(&mut self) {
        *self = Self { pending: Vec::new(), lost: true };
    }
}

/// The first message and the bytes behind it, if it is whole.
fn split(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = data.split_first_chunk()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

fn begins(data: &[u8]) -> bool {
    data.split_first_chunk::<2>().is_some_and(|(length, rest)| {
        let length = usize::from(u16::from_be_bytes(*length));
        length >= HEADER_BYTES && plausible(&rest[..length.min(rest.len())])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Two queries, for a. and bc., each behind its length.
    const QUERIES: &[u8] = b"\0\x13\0\x01\x01\0\0\x01\0\0\0\0\0\0\x01a\0\0\x01\0\x01\
        \0\x14\0\x02\x01\0\0\x01\0\0\0\0\0\0\x02bc\0\0\x01\0\x01";

    fn names(reader: &mut Reader, slices: &[&[u8]]) -> Vec<String> {
        let mut names = Vec::new();
        for slice in slices {
            reader.feed(slice, &mut |message| names.push(message.questions[0].name.to_string()));
        }
        names
    }

    #[test]
    fn messages_are_given_wherever_the_stream_is_cut() {
        for first in 0..QUERIES.len() {
            for second in first..QUERIES.len() {
                let mut reader = Reader::default();
                let slices = [&QUERIES[..first], &QUERIES[first..second], &QUERIES[second..]];
                assert_eq!(names(&mut reader, &slices), ["a", "bc"], "{first} {second}");
                assert!(reader.pending.capacity() == 0);
            }
        }
    }

    #[test]
    fn behind_a_gap_a_plausible_message_begins_again() {
        let mut reader = Reader::default();
        assert!(names(&mut reader, &[&QUERIES[..9]]).is_empty());
        reader.gap();
        assert!(names(&mut reader, &[&QUERIES[12..21], b"\xff\xff\xff"]).is_empty());
        assert_eq!(names(&mut reader, &[&QUERIES[21..], QUERIES]), ["bc", "a", "bc"]);
    }

    #[test]
    fn a_length_that_no_message_has_ends_the_framing() {
        let mut reader = Reader::default();
        assert!(names(&mut reader, &[b"\0\0"]).is_empty());
        assert!(reader.lost);
        assert_eq!(names(&mut reader, &[QUERIES]), ["a", "bc"]);
        assert!(names(&mut reader, &[b"\0\x01xyz"]).is_empty() && reader.lost);
    }

    proptest! {
        #[test]
        fn what_is_kept_is_bounded(
            slices in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..900), 0..90)
        ) {
            let mut reader = Reader::default();
            for slice in slices {
                reader.feed(&slice, &mut |_| ());
                prop_assert!(reader.pending.len() < 2 + 65535);
            }
        }
    }
}
