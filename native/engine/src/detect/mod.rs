//! What is judged in the core: meetings with watchlist entries, links that are followed, and across flows bulk mail and
//! beacons.

mod beacon;
mod calls;
mod clicks;
mod hits;
mod ledger;
mod shown;
mod smtp;

pub use beacon::{BeaconFinding, BeaconWatch};
pub use clicks::{Click, ClickWatch};
pub use hits::{Hit, HitEvent, Observed, Stage};
pub use ledger::HitLedger;
pub use shown::{MAX_OBSERVED_BYTES, Shown};
pub use smtp::{Finding, SmtpWatch};
