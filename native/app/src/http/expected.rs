//! The requests that responses are still to come for: some have no body although their head says so.

use std::collections::VecDeque;

/// Requests that are remembered one by one.
const MAX_EXPECTED: usize = 128;

/// What the method of a request says of its response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// Never a body.
    Head,
    /// A tunnel, if it succeeds.
    Connect,
    /// Nothing.
    Other,
}

/// In the order of the requests. Behind the first 128, requests are only counted and taken for usual ones.
#[derive(Debug, Default)]
pub(super) struct Expected {
    told: VecDeque<Asked>,
    counted: u64,
}

impl Expected {
    pub(super) fn push(&mut self, method: &str) {
        let asked = match method {
            "HEAD" => Asked::Head,
            "CONNECT" => Asked::Connect,
            _ => Asked::Other,
        };
        if self.counted > 0 || self.told.len() >= MAX_EXPECTED {
            self.counted += 1;
        } else {
            self.told.push_back(asked);
        }
    }

    /// What the next response is for.
    pub(super) fn pop(&mut self) -> Asked {
        let asked = self.told.pop_front();
        if asked.is_none() {
            self.counted = self.counted.saturating_sub(1);
        }
        asked.unwrap_or(Asked::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_survives_more_than_are_remembered() {
        let mut expected = Expected::default();
        for _ in 0..MAX_EXPECTED {
            expected.push("HEAD");
        }
        expected.push("CONNECT");
        assert!((0..MAX_EXPECTED).all(|_| expected.pop() == Asked::Head));
        expected.push("HEAD");
        assert_eq!([(); 2].map(|()| expected.pop()), [Asked::Other, Asked::Other]);
        expected.push("HEAD");
        assert_eq!(expected.pop(), Asked::Head);
        assert!(expected.told.capacity() <= MAX_EXPECTED);
    }
}
