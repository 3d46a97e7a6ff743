//! What is judged in the core: meetings with watchlist entries, and across flows bulk mail and beacons.

mod beacon;
mod calls;
mod hits;
mod ledger;
mod shown;
mod smtp;

pub use beacon::{BeaconFinding, BeaconWatch};
pub use hits::{Hit, HitEvent, Observed, Stage};
pub use ledger::HitLedger;
pub use shown::{MAX_OBSERVED_BYTES, Shown};
pub use smtp::{Finding, SmtpWatch};
