//! How long the answers of each path are usually waited for.

use ahash::RandomState;
use app::http::form;
use arrayvec::ArrayVec;
use hashbrown::HashMap;
use wire::Address;

use super::watch::{evict_oldest, hash_of};
use crate::names::HttpExchange;

/// Paths that are remembered, and the latest answers of each.
const MAX_PATHS: usize = 4096;
const MAX_ANSWERS: usize = 8;

/// The delays of ordinary requests, by server, host and path.
#[derive(Debug, Default)]
pub(super) struct UsualDelays {
    paths: HashMap<u64, Latest, RandomState>,
}

#[derive(Debug, Default)]
struct Latest {
    last_second: u64,
    /// In nanoseconds, the oldest first.
    delays: ArrayVec<u64, MAX_ANSWERS>,
}

impl UsualDelays {
    /// Learns from an exchange, unless that is an attack or was turned down: whoever tries many paths fills no table.
    pub(super) fn learn(&mut self, second: u64, server: Address, exchange: &HttpExchange) {
        let (Some(request), Some(response)) = (&exchange.request, &exchange.response) else { return };
        let Some(delay_ns) = exchange.delay_ns.filter(|_| !exchange.attacked && response.status < 400) else { return };
        let host = request.host.as_deref().unwrap_or_default();
        let key = hash_of(&(server, host, form::target_text(&request.uri)));
        if self.paths.len() >= MAX_PATHS && !self.paths.contains_key(&key) {
            evict_oldest(&mut self.paths, |latest| latest.last_second);
        }
        let latest = self.paths.entry(key).or_default();
        latest.last_second = second;
        if latest.delays.is_full() {
            latest.delays.remove(0);
        }
        latest.delays.push(delay_ns);
    }

    /// The median of a path's latest delays in nanoseconds; none if nothing is known of it.
    pub(super) fn of(&self, server: Address, host: &str, path: &str) -> Option<u64> {
        let mut delays = self.paths.get(&hash_of(&(server, host, path)))?.delays.clone();
        delays.sort_unstable();
        delays.get(delays.len() / 2).copied()
    }
}

#[cfg(test)]
mod tests {
    use app::http::{Request, Response};

    use super::*;

    fn server() -> Address {
        Address::v4([10, 0, 0, 80])
    }

    fn answered(path: &str, delay_ns: u64) -> HttpExchange {
        let request = Request { host: Some("h".into()), uri: path.into(), ..Request::default() };
        let response = Response { status: 200, ..Response::default() };
        let (request, response) = (Some(request), Some(response));
        HttpExchange { request, response, delay_ns: Some(delay_ns), ..HttpExchange::default() }
    }

    #[test]
    fn a_paths_usual_delay_is_that_of_its_latest_ordinary_answers() {
        let mut usual = UsualDelays::default();
        assert_eq!(usual.of(server(), "h", "/a"), None);
        for delay_ns in [9, 9, 9, 1, 2, 3, 4, 5, 6, 7, 8] {
            usual.learn(1, server(), &answered("/a?id=1", delay_ns));
        }
        usual.learn(1, server(), &HttpExchange { attacked: true, ..answered("/a", 500) });
        usual.learn(1, server(), &HttpExchange { delay_ns: None, ..answered("/a", 0) });
        assert_eq!(usual.of(server(), "h", "/a"), Some(5));
        assert_eq!((usual.of(server(), "h", "/b"), usual.of(server(), "other", "/a")), (None, None));
    }

    #[test]
    fn a_flood_of_paths_pushes_out_those_not_asked_for_longest() {
        let mut usual = UsualDelays::default();
        for second in 0..3 * MAX_PATHS as u64 {
            usual.learn(second, server(), &answered("/busy", 7));
            usual.learn(second, server(), &answered(&format!("/{second}"), 1));
        }
        assert!(usual.paths.len() <= MAX_PATHS);
        assert_eq!((usual.of(server(), "h", "/busy"), usual.of(server(), "h", "/0")), (Some(7), None));
    }
}
