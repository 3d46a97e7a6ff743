//! Which hardware addresses stand for many hosts: behind a router all hosts of other subnets show the router's.

use ahash::RandomState;
use hashbrown::{HashMap, HashSet};
use wire::Mac;

/// A hardware address that more IPv4 hosts than this have in common is a router's, or a proxy's.
const MAX_HOSTS: u32 = 16;
/// Routers that are told of.
const MAX_ROUTERS: usize = 1024;

/// How many IPv4 hosts have a hardware address; there are never more entries than hosts.
#[derive(Debug, Default)]
pub(super) struct Carriers {
    hosts: HashMap<Mac, u32, RandomState>,
    /// Given to another host since they were looked at.
    gained: Vec<Mac>,
    routers: HashSet<Mac, RandomState>,
}

impl Carriers {
    /// A host has another hardware address; zero is none.
    #[inline]
    pub(super) fn moved(&mut self, before: Mac, after: Mac) {
        if before != after {
            self.count(before, after);
        }
    }

    #[cold]
    fn count(&mut self, before: Mac, after: Mac) {
        if let Some(hosts) = self.hosts.get_mut(&before) {
            *hosts -= 1;
            if *hosts == 0 {
                self.hosts.remove(&before);
            }
        }
        if !after.is_zero() {
            *self.hosts.entry(after).or_default() += 1;
            self.gained.push(after);
        }
    }

    /// What has become a router's since the last call, in order. The order in which hosts moved makes no difference.
    pub(super) fn take_routers(&mut self) -> Vec<Mac> {
        let mut found = Vec::new();
        for mac in self.gained.drain(..) {
            let hosts = self.hosts.get(&mac).copied().unwrap_or_default();
            if hosts > MAX_HOSTS && self.routers.len() < MAX_ROUTERS && self.routers.insert(mac) {
                found.push(mac);
            }
        }
        found.sort_unstable();
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Mac = Mac([0; 6]);
    const PC: Mac = Mac([2, 0, 0, 0, 0, 1]);
    const ROUTER: Mac = Mac([2, 0, 0, 0, 0, 9]);

    #[test]
    fn what_more_than_sixteen_hosts_have_in_common_is_told_once() {
        let mut carriers = Carriers::default();
        (0..16).for_each(|_| carriers.moved(NONE, ROUTER));
        assert_eq!(carriers.take_routers(), []);
        carriers.moved(PC, ROUTER);
        carriers.moved(NONE, PC);
        assert_eq!(carriers.take_routers(), [ROUTER]);
        carriers.moved(NONE, ROUTER);
        assert_eq!(carriers.take_routers(), []);
    }

    #[test]
    fn hosts_that_moved_on_do_not_count() {
        let mut carriers = Carriers::default();
        for _ in 0..100 {
            carriers.moved(NONE, ROUTER);
            carriers.moved(ROUTER, PC);
            carriers.moved(PC, NONE);
        }
        assert_eq!(carriers.take_routers(), []);
        assert!(carriers.hosts.is_empty(), "what no host has is forgotten");
    }
}
