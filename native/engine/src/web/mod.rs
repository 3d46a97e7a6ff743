//! Web attacks: what requests to watched servers carry, what the answers say of it, and who tries many things.
//!
//! A [`Probe`] goes along with an exchange and matches [`WebRules`] against every value of the request once that is decoded;
//! a match becomes a [`WebFinding`] when the answer is over. [`WebWatch`] sees the findings and exchanges of all flows in
//! their order and judges scanners.

mod answer;
mod body;
mod computed;
mod file;
mod finding;
mod login;
mod probe;
mod rules;
mod usual;
mod watch;

pub use file::{FileInTransit, HttpFile, Upload};
pub use finding::WebFinding;
pub use login::WebLogin;
pub use probe::Probe;
pub use rules::{Label, Place, Rule, RuleConfig, RuleError, WebRules};
pub use watch::{WebConfig, WebRecord, WebWatch};

use std::sync::{Arc, Mutex};

use wire::Address;

use crate::counters::lock;
use crate::networks::Networks;

/// Which servers are watched, and by what rules.
#[derive(Debug, Clone, Default)]
pub struct WatchedWeb {
    servers: Networks,
    /// Asked once a conversation; all who hold this see what is put in force.
    rules: Arc<Mutex<Option<Arc<WebRules>>>>,
}

impl WatchedWeb {
    /// As configured.
    ///
    /// # Errors
    /// A rule cannot be used.
    pub fn new(config: &WebConfig) -> Result<Self, RuleError> {
        let rules = WebRules::compile(config.rules.clone())?;
        Ok(Self { servers: config.servers.clone(), rules: Arc::new(Mutex::new(Some(Arc::new(rules)))) })
    }

    /// Whether the server at this address is watched.
    pub fn watches(&self, server: Address) -> bool {
        self.servers.contains(server)
    }

    /// The rules, if one of the ends is watched: who asks is not always known before something was said.
    pub fn rules_for(&self, one: Address, other: Address) -> Option<Arc<WebRules>> {
        let watched = self.servers.contains(other) || self.servers.contains(one);
        watched.then(|| lock(&self.rules).clone())?
    }

    /// Puts other rules in force: for conversations that begin from now on.
    pub fn replace(&self, rules: Arc<WebRules>) {
        *lock(&self.rules) = Some(rules);
    }
}
