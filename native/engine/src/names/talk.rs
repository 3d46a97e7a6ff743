//! A TCP connection that is listened to: its two directions, and what is made of them.

use super::dialog::Dialog;
use super::{Sink, Wanted};
use crate::flow::{ORIG, RESP};
use crate::stream::{Segment, Stream};

/// A connection; pairs are indexed by originator and responder.
#[derive(Debug)]
pub struct Talk {
    streams: [Stream; 2],
    dialog: Dialog,
    /// Bytes that are kept: to ask everybody anew for every segment would cost more than most segments do.
    held_bytes: usize,
}

impl Talk {
    /// A connection whose directions begin with these numbers, as far as they are known.
    pub fn new(beginnings: [Option<u32>; 2], resp_port: u16, wanted: Wanted) -> Self {
        Self { streams: beginnings.map(Stream::starting_at), dialog: Dialog::new(resp_port, wanted), held_bytes: 0 }
    }

    /// What it takes from here on has come at this packet time.
    pub fn at(&mut self, time_ns: u64) {
        self.dialog.at(time_ns);
    }

    /// Takes a segment, and what it acknowledges of the other direction; what is heard goes to `sink`. At most `room`
    /// bytes more than now are kept of segments that came early.
    pub fn segment(
        &mut self,
        direction: usize,
        segment: &Segment<'_>,
        acknowledged: Option<u32>,
        room: usize,
        sink: Sink<'_>,
    ) {
        let Self { streams, dialog, .. } = self;
        let other = 1 - direction;
        let mut heard = false;
        if let Some(number) = acknowledged {
            streams[other].acknowledged(number, &mut |piece| {
                heard = true;
                dialog.take(other, piece, sink);
            });
        }
        streams[direction].segment(segment, room, &mut |piece| {
            heard = true;
            dialog.take(direction, piece, sink);
        });
        if heard || segment.length > 0 {
            self.held_bytes = self.streams.iter().map(Stream::held_bytes).sum::<usize>() + self.dialog.held_bytes();
        }
    }

    /// Nothing more will come.
    pub fn finish(&mut self, sink: Sink<'_>) {
        let Self { streams, dialog, .. } = self;
        for direction in [ORIG, RESP] {
            streams[direction].finish(&mut |piece| dialog.take(direction, piece, sink));
        }
    }

    /// The other end is the originator.
    pub fn reverse(&mut self) {
        self.streams.reverse();
        self.dialog.reverse();
    }

    /// Whether nothing more will be learned.
    pub fn is_over(&self) -> bool {
        self.dialog.is_over()
    }

    /// Bytes that are kept.
    pub fn held_bytes(&self) -> usize {
        self.held_bytes
    }
}
