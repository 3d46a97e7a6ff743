//! How many messages carry their bytes out of the core: a run keeps so much of them and no more, wherever they wait.

use std::sync::atomic::{AtomicU64, Ordering};

use app::mail::Message;

/// Bytes of messages that a run gives at most.
const MAX_BYTES: u64 = 256 << 20;
/// What any message counts at least: it becomes a file, and there shall be no more than 65,536.
const LEAST_BYTES: u64 = 4 << 10;
/// Longer messages have half of the room: a few of them do not crowd out what was said in many short ones.
const LONG_BYTES: u64 = 1 << 20;

/// The room that messages take.
#[derive(Debug, Default)]
pub struct RawMails {
    taken_bytes: AtomicU64,
}

impl RawMails {
    /// Lets a message keep its bytes if there is room for them, and takes them away otherwise.
    pub fn admit(&self, message: &mut Message) {
        let length = message.raw.len() as u64;
        let limit = if length > LONG_BYTES { MAX_BYTES / 2 } else { MAX_BYTES };
        let counted = length.max(LEAST_BYTES);
        let taken = |taken: u64| taken.checked_add(counted).filter(|&sum| sum <= limit);
        if self.taken_bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, taken).is_err() {
            message.raw = Vec::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(room: &RawMails, length: u64) -> bool {
        let mut message = Message { raw: vec![b'a'; length as usize], ..Message::default() };
        room.admit(&mut message);
        !message.raw.is_empty()
    }

    #[test]
    fn there_are_no_more_files_than_room_for_the_least() {
        let room = RawMails::default();
        let kept = (0..70_000).filter(|_| admitted(&room, 1)).count();
        assert_eq!(kept, 65_536);
    }

    #[test]
    fn long_messages_leave_room_for_short_ones() {
        let room = RawMails::default();
        let kept = (0..200).filter(|_| admitted(&room, LONG_BYTES + 1)).count();
        assert_eq!(kept, 127);
        assert!(admitted(&room, LONG_BYTES));
    }
}
