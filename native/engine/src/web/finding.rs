//! What is told of a request that a rule matches.

use std::sync::Arc;

use app::Text;

use super::rules::{Label, Place};

/// An attack on a web server, tried or succeeded. Passwords are masked in every text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WebFinding {
    /// The rule.
    pub label: Arc<Label>,
    /// Where in the request it matched.
    pub place: Place,
    /// The parameter, field or file that it matched in; empty for the path.
    pub parameter: Text,
    /// What matched, decoded, with what stands around it: 200 bytes.
    pub excerpt: Text,
    /// The request's method.
    pub method: Text,
    /// Its host; empty without one.
    pub host: Text,
    /// Its path, without the query; 512 bytes.
    pub path: Text,
    /// Its user agent; empty without one.
    pub user_agent: Text,
    /// The answer's status; 0 if none was seen.
    pub status: u16,
    /// Bytes of the answer's body.
    pub length: u64,
    /// The same without compression, if that is known.
    pub page_bytes: Option<u64>,
    /// How long the answer was waited for, in nanoseconds of packet time; none if that was not seen.
    pub delay_ns: Option<u64>,
    /// The same of the path's latest ordinary requests, their median; none if there were none.
    pub usual_ns: Option<u64>,
    /// What in the answer speaks of the attack: the weakness text of that rule, or that the script came back; empty if
    /// nothing.
    pub evidence: Text,
    /// Whether that proves that the attack has succeeded.
    pub succeeded: bool,
    /// Requests of the same kind that this stands for: in a flood not each is told.
    pub count: u32,
}
